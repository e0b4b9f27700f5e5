"""Where promtool's clock, which begins with 1970, is in a budget's period, and what is left."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.proofs.generate.timeline import MINUTE
from slo_compiler.proofs.model import Check


def elapsed(period: Period, at: Duration) -> Fraction:
    """Give the share of a calendar's period that is over; all of one that is no calendar's."""
    if not period.calendar:
        return Fraction(1)
    start, end = period.bounds(at.ms // 1000)
    return (Fraction(at.ms, 1000) - start) / (end - start)


def almost(at: Duration, series: str, labels: str, value: Fraction) -> Check:
    """Expect a value, to a millionth: floats differ between Prometheus 2.x and 3.x."""
    number = burn.literal(value)
    expr = f"abs({series}{{{labels}}} - {number}) < 1e-6"
    return Check(at, f"count({expr})", (("{}", "1"),), f"{series} is {number}")


def settled_at(periods: Iterable[Period], least: Duration) -> Duration:
    """Find a moment at which each period has counted a tile, be it that it has just begun."""
    at, periods = least, [*periods]
    while True:
        earlier = at
        for period in periods:
            first = period.bounds(at.ms // 1000)[0] if period.calendar else 0
            counted = burn.period_tile(period) + burn.tile_lag(period) + MINUTE * 2
            at = max(at, Duration(max(first, 0) * 1000) + counted)
        if at == earlier:
            return at
