"""Pages are muted at some hours, and nobody else gets them.

Fails:

    escalation: [{severity: page, hours: business, notify: [oncall]}]

Passes:

    escalation:
      - {severity: page, hours: business, notify: [office]}
      - {severity: page, notify: [oncall]}
"""

from collections.abc import Sequence

from slo_compiler.diagnostics import Report
from slo_compiler.manifest.model import ProjectSpec
from slo_compiler.manifest.resolve import ResolvedTenant

ID = "page-muted"


def check(tenants: Sequence[ResolvedTenant], _project: ProjectSpec, report: Report) -> None:
    """Warn where every step for pages has hours."""
    for tenant in tenants:
        steps = [s for s in tenant.steps if s.spec.severity == "page" and not s.spec.firing_for]
        if steps and all(step.hours for step in steps):
            report.warning(
                steps[0].position,
                ID,
                f"pages of {tenant.name} reach nobody outside of: "
                + ", ".join(sorted({str(step.spec.hours) for step in steps})),
                "add a step for pages without hours",
            )
