"""Which proofs a plan needs: unit tests for promtool, and the routes that the manifests want."""

from __future__ import annotations

from collections.abc import Sequence

from slo_compiler.plan import Plan
from slo_compiler.proofs.generate.hours import expected_hours
from slo_compiler.proofs.generate.isolation import plan_isolation
from slo_compiler.proofs.generate.routes import expected_routes
from slo_compiler.proofs.generate.subject import subject_of
from slo_compiler.proofs.generate.tenant import plan_proofs
from slo_compiler.proofs.model import Proofs
from slo_compiler.render import TenantRules

__all__ = ["generate"]


def generate(plan: Plan, rules: Sequence[TenantRules]) -> Proofs:
    """Generate the proofs of all tenants, whose rules are `rules` as text."""
    tenants = [planned.resolved for planned in plan.tenants]
    timings = [planned.timing for planned in plan.tenants]
    subjects = [
        [subject_of(planned.resolved, slo, planned.timing) for slo in planned.resolved.slos]
        for planned in plan.tenants
    ]
    unit_tests = [
        proof
        for each in zip(tenants, rules, timings, subjects, strict=True)
        for proof in plan_proofs(*each)
    ]
    unit_tests += plan_isolation(tenants, rules, timings, subjects)
    return Proofs(
        tuple(unit_tests),
        tuple(expected_routes(tenants, rules)),
        tuple(expected_hours(plan.routing.hours)),
    )
