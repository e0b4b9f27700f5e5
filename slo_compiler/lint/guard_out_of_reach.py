"""A tier waits for more errors or events than its window usually has, so it can never fire.

`min_errors` and `min_events` are counted in the long window of a tier. Of 37 events a day an hour
has 1.54: a page that waits for 50 errors in an hour stays silent through a total outage. With
`timeslices` a window has as many slices as fit into it, whatever the traffic. Where the SLO or its
policy has `when_unreachable: omit`, such a tier is left out instead.

Fails:

    traffic: {events_per_day: 1200}
    alerting: {min_errors: 60, runbook: "https://runbooks.example/checkout"}

Passes:

    traffic: {events_per_day: 1200}
    alerting: {min_errors: 5, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from slo_compiler.diagnostics import Position, Severity
from slo_compiler.duration import Duration
from slo_compiler.lint.base import Context, Finding
from slo_compiler.plan.guards import Guard
from slo_compiler.plan.traffic import shortage, starved, usual_events
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier

ID = "guard-out-of-reach"
SEVERITY = Severity.ERROR

_HOUR = Duration.of(hours=1)


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each guard that a window has too few events for, once for all of its tiers."""
    for slo in tenant.slos:
        found: dict[tuple[Position, Guard], list[Tier]] = {}
        for tier in slo.tiers:
            for guard in starved(slo, tier, usual_events(slo, tier.long_window)):
                found.setdefault((_place(slo, tier, guard), guard), []).append(tier)
        for (at, guard), tiers in found.items():
            tier = min(tiers, key=lambda each: each.long_window.ms)
            events = usual_events(slo, tier.long_window) or Fraction(0)
            names = " and ".join(each.name for each in tiers)
            yield Finding(
                at,
                f"{names} can never fire: {'it waits' if len(tiers) == 1 else 'they wait'} for "
                f"{shortage(slo, tier, guard)}",
                _advice(slo, guard, tier, events),
            )


def _place(slo: ResolvedSLO, tier: Tier, guard: Guard) -> Position:
    """The guard's place in the SLO; one that it inherits is marked at its traffic, or its name."""
    key, spec = f"min_{guard.counted}", slo.spec.alerting
    of_tier = spec.tiers.get(tier.name)
    if of_tier is not None and getattr(of_tier, key) is not None:
        return slo.at("alerting", "tiers", tier.name, key)
    if getattr(spec, key) is not None:
        return slo.at("alerting", key)
    return slo.at("traffic") if slo.spec.traffic is not None else slo.at("name")


def _advice(slo: ResolvedSLO, guard: Guard, tier: Tier, events: Fraction) -> str:
    """Name a guard that is within reach, or else the window that the guard needs."""
    # Of errors half of the events: where all of them have to fail, the alert comes late.
    most = max(int(events) // 2, 2) if guard.counted == "errors" else int(events)
    if 0 < most <= events:
        return (
            f"write alerting: {{tiers: {{{tier.name}: {{min_{guard.counted}: {most}}}}}}} or less"
        )
    needed = Duration(ceil(tier.long_window.ms * guard.least / events / _HOUR.ms) * _HOUR.ms)
    if needed <= slo.period.nominal:
        return (
            f"{guard.words} need a long_window of {needed}, in a policy of your own; or lower the "
            "objective, or budget in timeslices"
        )
    return (
        f"in all of {slo.period} there are fewer than {guard.words}: lower the guard, or budget in "
        "timeslices"
    )
