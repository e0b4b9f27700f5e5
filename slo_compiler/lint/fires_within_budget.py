"""A tier fires although the SLO is met.

A burn rate below 1 spends less than the budget. It comes from a policy that was made for another
period: 10 % of the budget in 3 days is a burn rate of 1 over 30 days, but of 0.7 over 3 weeks. A
policy that names its `period` keeps its burn rates in shorter ones.

Fails:

    period: 21d
    policies:
      - name: own
        tiers:
          - {name: slow, severity: page, budget_share: 10%, long_window: 3d, short_window: 6h}
    escalation: [{severity: page, notify: [chat]}]
    alerting: {policy: own, runbook: "https://runbooks.example/checkout"}

Passes:

    period: 21d
    policies:
      - name: own
        period: 30d
        tiers:
          - {name: slow, severity: page, budget_share: 10%, long_window: 3d, short_window: 6h}
    escalation: [{severity: page, notify: [chat]}]
    alerting: {policy: own, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.plan import burn
from slo_compiler.plan.reach import burn_factor
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier

ID = "fires-within-budget"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each tier whose burn rate is below 1."""
    for slo in tenant.slos:
        for tier in slo.tiers:
            factor = burn_factor(slo, tier)
            if factor < 1 and tier.long_window <= slo.period.nominal:
                yield Finding(
                    slo.at("name"),
                    f"the tier {tier.name} of {slo.policy.name} fires at a burn rate of "
                    f"{float(factor):.2f}: within the budget of {slo.period.words}",
                    "raise its burn_rate to 1"
                    if tier.budget_share is None
                    else "give the policy the period that it was made for, such as period: 30d, "
                    f"or raise budget_share to {_least(slo, tier)}%",
                )


def _least(slo: ResolvedSLO, tier: Tier) -> str:
    """Give the share at which the burn rate is 1, rounded up."""
    share = Fraction(100 * tier.long_window.ms, slo.period.nominal.ms)
    return burn.literal(Fraction(ceil(share * 10), 10))
