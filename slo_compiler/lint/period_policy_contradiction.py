"""A tier looks back over more than half of the period.

What it reports has mostly been spent before, as the budget that is left shows. Such a tier comes
from a policy that was made for a longer period.

Fails:

    period: 5d
    policies:
      - name: own
        tiers:
          - {name: fast, severity: page, budget_share: 10%, long_window: 1h, short_window: 5m}
          - {name: slow, severity: page, budget_share: 80%, long_window: 3d, short_window: 6h}
    escalation: [{severity: page, notify: [chat]}]
    alerting: {policy: own, runbook: "https://runbooks.example/checkout"}

Passes:

    period: 5d
    policies:
      - name: own
        tiers:
          - {name: fast, severity: page, budget_share: 10%, long_window: 1h, short_window: 5m}
          - {name: slow, severity: page, budget_share: 40%, long_window: 1d, short_window: 2h}
    escalation: [{severity: page, notify: [chat]}]
    alerting: {policy: own, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "period-policy-contradiction"
SEVERITY = Severity.INFO


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each tier whose long window is more than half of the period."""
    for slo in tenant.slos:
        for tier in slo.tiers:
            if tier.long_window <= slo.period.longest < tier.long_window * 2:
                yield Finding(
                    slo.at("period") if slo.spec.period else slo.at("name"),
                    f"the tier {tier.name} of {slo.policy.name} looks back {tier.long_window}, "
                    f"more than half of the period of {slo.period}",
                    "choose a policy that was made for this period, or use budget_below",
                )
