"""At some hours nobody is paged for an SLO, nor for what it depends on.

The page of a dependency keeps back those of the SLO whether anybody gets it or not. Where its own
tenant has hours on each step for pages, both are silent outside of them.

Fails:

    # platform: escalation: [{severity: page, hours: business, notify: [office]}]
    slos: [{name: availability, depends_on: [platform/ingress/availability], ...}]

Passes:

    # platform: escalation: [..., {severity: page, notify: [oncall]}]
    slos: [{name: availability, depends_on: [platform/ingress/availability], ...}]
"""

from collections.abc import Sequence

from slo_compiler.diagnostics import Report
from slo_compiler.manifest.dependencies import dependency
from slo_compiler.manifest.model import ProjectSpec
from slo_compiler.manifest.resolve import ResolvedTenant

ID = "dependency-muted"


def check(tenants: Sequence[ResolvedTenant], _project: ProjectSpec, report: Report) -> None:
    """Warn of each dependency of a tenant all of whose steps for pages have hours."""
    muted = {tenant.name for tenant in tenants if _has_hours(tenant)}
    for tenant in tenants:
        for slo in tenant.slos:
            for index, text in enumerate(slo.spec.depends_on):
                other = dependency(tenant, text)[0]
                if other in muted and other != tenant.name:  # of its own it is told: page-muted
                    report.warning(
                        slo.at("depends_on", index),
                        ID,
                        f"at some hours pages of {other} reach nobody, but keep back those of this "
                        "SLO all the same",
                        f"let {other} add a step for pages without hours, or remove the dependency",
                    )


def _has_hours(tenant: ResolvedTenant) -> bool:
    top = tenant.levels[0].name
    steps = [s for s in tenant.steps if s.spec.severity == top and not s.spec.firing_for]
    return bool(steps) and all(step.hours for step in steps)
