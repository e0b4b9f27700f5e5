"""How many events an SLO usually has, by its `traffic` or its slices, and which tiers starve."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from slo_compiler.duration import Duration
from slo_compiler.plan.guards import Guard, guards_of
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema import Tier

_DAY = Duration.of(days=1)


def usual_events(slo: ResolvedSLO, span: Duration) -> Fraction | None:
    """How many events, or slices, a span usually has; None where the manifest has no traffic."""
    if slo.slices is not None:
        return Fraction(span.ms, slo.slices.slice.ms)
    return None if slo.spec.traffic is None else expected_events(slo, span)


def expected_events(slo: ResolvedSLO, span: Duration) -> Fraction:
    """How many events a span usually has by the SLO's `traffic`; none without it."""
    daily = 0 if slo.spec.traffic is None else slo.spec.traffic.events_per_day
    return Fraction(daily) * span.ms / _DAY.ms


def starved(slo: ResolvedSLO, tier: Tier, events: Fraction | float | None) -> Iterator[Guard]:
    """Give the guards of a tier that wait for more than the events of its long window."""
    if events is not None:
        yield from (guard for guard in guards_of(slo, tier) if guard.least > events)


def shortage(slo: ResolvedSLO, tier: Tier, guard: Guard) -> str:
    """Name what a guard waits for, and what there is: `50 errors, and 1h has about 1.54 events`."""
    events = usual_events(slo, tier.long_window) or Fraction(0)
    unit = "events" if slo.slices is None else "slices"
    return f"{guard.words}, and {tier.long_window} has about {rounded(events)} {unit}"


def rounded(number: Fraction) -> str:
    """Write a number as roughly as it is known."""
    return f"{float(number):.3g}" if number < 1000 else f"{round(number):,}"  # noqa: PLR2004
