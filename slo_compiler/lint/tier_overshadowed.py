"""A tier can only fire after another one has.

Its window is longer and its burn rate as high or higher. To average that much over a long window,
the errors must have averaged it over a shorter window before, so that the other tier has fired
already. Longer windows are for lower burn rates.

Fails:

    policies:
      - name: own
        tiers:
          - {name: fast, severity: page, budget_share: 2%, long_window: 1h, short_window: 5m}
          - {name: slow, severity: page, budget_share: 20%, long_window: 6h, short_window: 30m}
    escalation: [{severity: page, notify: [chat]}]
    alerting: {policy: own, runbook: "https://runbooks.example/checkout"}

Passes:

    policies:
      - name: own
        tiers:
          - {name: fast, severity: page, budget_share: 2%, long_window: 1h, short_window: 5m}
          - {name: slow, severity: page, budget_share: 5%, long_window: 6h, short_window: 30m}
    escalation: [{severity: page, notify: [chat]}]
    alerting: {policy: own, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator
from itertools import pairwise

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.slo import minimum, rank
from slo_compiler.plan import burn
from slo_compiler.plan.reach import burn_factor
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier

ID = "tier-overshadowed"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each tier that a shorter one of the same policy comes before, whatever happens."""
    for slo in tenant.slos:
        # Most policies have lower burn rates for longer windows, and need no more looking at.
        if _is_descending(slo):
            continue
        for index, tier in enumerate(slo.tiers):
            other = next((o for o in slo.tiers if _comes_first(tenant, slo, o, tier)), None)
            if other is not None:
                yield Finding(
                    slo.at("name") if slo.policy.builtin else slo.policy.at("tiers", index, "name"),
                    f"{tier.name} fires only after {other.name}: at a burn rate of "
                    f"{burn.literal(burn_factor(slo, tier))} over {tier.long_window}, that one at "
                    f"{burn.literal(burn_factor(slo, other))} over {other.long_window}",
                    f"lower the {'burn_rate' if tier.burn_rate else 'budget_share'} of "
                    f"{tier.name}, or remove it",
                )


def _is_descending(slo: ResolvedSLO) -> bool:
    """Whether tiers of longer windows have lower burn rates."""
    ordered = sorted((tier.long_window, burn_factor(slo, tier)) for tier in slo.tiers)
    return all(
        shorter[0] < longer[0] and shorter[1] > longer[1] for shorter, longer in pairwise(ordered)
    )


def _comes_first(tenant: ResolvedTenant, slo: ResolvedSLO, one: Tier, other: Tier) -> bool:
    if one.long_window >= other.long_window or one.short_window > other.short_window:
        return False
    if burn_factor(slo, one) > burn_factor(slo, other):
        return False
    known = {level.name for level in tenant.levels}
    if not {one.severity, other.severity} <= known:
        return False  # an error of its own, and which is more urgent is unknown
    urgent = rank(tenant, one.severity) <= rank(tenant, other.severity)
    waits = one.for_ is not None and (other.for_ is None or one.for_ > other.for_)
    # What is too few errors or events for the shorter window may be enough for the longer one.
    guarded = minimum(slo, one, "errors") or minimum(slo, one, "events")
    return urgent and not waits and not guarded
