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
from slo_compiler.manifest.escalation import ResolvedStep
from slo_compiler.manifest.model import ProjectSpec
from slo_compiler.manifest.resolve import ResolvedTenant

ID = "page-muted"


def _hours(step: ResolvedStep) -> str:
    """Name the hours of a step, and that they do not count on some days."""
    holidays = step.hours is not None and step.hours.holidays
    return f"{step.spec.hours}" + (" (nor on their holidays)" if holidays else "")


def check(tenants: Sequence[ResolvedTenant], _project: ProjectSpec, report: Report) -> None:
    """Warn where every step for pages has hours."""
    for tenant in tenants:
        top = tenant.levels[0].name
        steps = [s for s in tenant.steps if s.spec.severity == top and not s.spec.firing_for]
        if steps and all(step.hours for step in steps):
            report.warning(
                steps[0].position,
                ID,
                f'alerts of severity "{top}" of {tenant.name} reach nobody outside of: '
                + ", ".join(sorted({_hours(step) for step in steps})),
                "add a step for them without hours",
            )
