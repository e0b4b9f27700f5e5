"""A tier fires although the SLO is met.

A burn rate below 1 spends less than the budget. It comes from a policy that was made for another
period: 10 % of the budget in 3 days is a burn rate of 1 over 30 days, but of 0.23 over 7.

Fails:

    slos: [{name: availability, period: 7d, alerting: {policy: sre-workbook}, ...}]

Passes:

    slos: [{name: availability, period: 7d, alerting: {policy: sre-workbook-7d}, ...}]
"""

from collections.abc import Sequence

from slo_compiler.diagnostics import Report
from slo_compiler.manifest.model import ProjectSpec
from slo_compiler.manifest.resolve import ResolvedTenant
from slo_compiler.plan import burn

ID = "fires-within-budget"


def check(tenants: Sequence[ResolvedTenant], _project: ProjectSpec, report: Report) -> None:
    """Warn of each tier whose burn rate is below 1."""
    for tenant in tenants:
        for slo in tenant.slos:
            for tier in slo.policy.tiers:
                factor = burn.burn_factor(tier.budget_share, slo.period.nominal, tier.long_window)
                if factor < 1:
                    report.warning(
                        slo.at("name"),
                        ID,
                        f"the tier {tier.name} of {slo.policy.name} fires at a burn rate of "
                        f"{float(factor):.2f}: within the budget of {slo.period.words}",
                        "choose a policy that was made for this period, such as sre-workbook-7d",
                    )
