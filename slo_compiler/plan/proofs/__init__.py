"""Which unit tests prove the alerts, for promtool."""

from slo_compiler.plan.proofs.isolation import plan_isolation
from slo_compiler.plan.proofs.subject import subject_of
from slo_compiler.plan.proofs.tenant import plan_proofs

__all__ = ["plan_isolation", "plan_proofs", "subject_of"]
