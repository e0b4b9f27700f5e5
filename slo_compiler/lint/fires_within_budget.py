"""A tier fires although the SLO is met.

A burn rate below 1 spends less than the budget. It comes from a policy that was made for another
period: 10 % of the budget in 3 days is a burn rate of 1 over 30 days, but of 0.23 over 7.

Fails:

    period: 7d
    alerting: {policy: sre-workbook, runbook: "https://runbooks.example/checkout"}

Passes:

    period: 7d
    alerting: {policy: sre-workbook-7d, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.slo import burn_factor
from slo_compiler.resolve.model import ResolvedTenant

ID = "fires-within-budget"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each tier whose burn rate is below 1."""
    for slo in tenant.slos:
        for tier in slo.policy.tiers:
            factor = burn_factor(slo, tier)
            if factor < 1:
                yield Finding(
                    slo.at("name"),
                    f"the tier {tier.name} of {slo.policy.name} fires at a burn rate of "
                    f"{float(factor):.2f}: within the budget of {slo.period.words}",
                    "choose a policy that was made for this period, such as sre-workbook-7d",
                )
