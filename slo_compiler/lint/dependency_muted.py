"""At some hours no one is paged for an SLO, nor for what it depends on.

The page of a dependency keeps back those of the SLO whether anyone gets it or not. Where its own
tenant has hours on each step for pages, both are silent outside of them.

Fails:

    # platform's escalation:
    #   - {severity: page, hours: business, notify: [chat]}
    #   - {severity: ticket, notify: [chat]}
    depends_on: [platform/ingress/availability]

Passes:

    # platform's escalation:
    #   - {severity: page, notify: [chat]}
    #   - {severity: ticket, notify: [chat]}
    depends_on: [platform/ingress/availability]
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.slo import rank
from slo_compiler.resolve.dependencies import dependency
from slo_compiler.resolve.model import ResolvedTenant

ID = "dependency-muted"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, context: Context) -> Iterator[Finding]:
    """Give each dependency of a tenant all of whose steps for pages have hours."""
    if not any(slo.spec.depends_on for slo in tenant.slos):
        return
    muted = {other.name for other in context.known if _has_hours(other)} - {tenant.name}
    for slo in tenant.slos:
        for index, text in enumerate(slo.spec.depends_on):
            other = dependency(tenant, text)[0]
            if other in muted:  # in its own tenant it is reported by page-muted
                yield Finding(
                    slo.at("depends_on", index),
                    f"at some hours pages of {other} reach nobody, but keep back those of this SLO "
                    "all the same",
                    f"let {other} add a step for pages without hours, or remove the dependency",
                )


def _has_hours(tenant: ResolvedTenant) -> bool:
    steps = [
        step
        for step in tenant.steps
        if step.spec.severity and rank(tenant, step.spec.severity) == 0 and not step.spec.firing_for
    ]
    return bool(steps) and all(step.hours for step in steps)
