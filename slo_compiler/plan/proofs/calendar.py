"""That a calendar's budget starts over with its period: the first boundary after 1970 began.

The rules hold no SLO's name, so that one SLO of each calendar shows it for all. It starts from the
tiles: a quarter of base samples would take promtool minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import gcd

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Check, UnitTest
from slo_compiler.plan.proofs.periods import almost, elapsed
from slo_compiler.plan.proofs.subject import Subject, base_labels

EVENTS = 1_000_000  # of a tile: with up to 17 digits, errors are whole numbers
EVALUATION = Duration.of(hours=12)
FED = Duration.of(days=10)  # before the boundary; promtool caps what a query may load
BEFORE, AFTER = Fraction(2), Fraction(1, 2)  # error ratios, in budgets


def plan_boundaries(subjects: Sequence[Subject]) -> Iterator[UnitTest]:
    """Plan a test of each calendar: twice the budget until its period ends, half of it after."""
    periods: dict[Period, Subject] = {}
    for subject in subjects:
        if subject.slo.period.calendar:
            periods.setdefault(subject.slo.period, subject)
    for _, subject in sorted(periods.items()):
        yield _boundary(subject)


def _boundary(subject: Subject) -> UnitTest:
    period = subject.slo.period
    budget = burn.error_budget(subject.slo.objective)
    tile, lag = burn.period_tile(period), burn.tile_lag(period)
    boundary = Duration(period.bounds(0)[1] * 1000)
    # The first evaluation after it that finds a whole tile of the new period, the last before, and
    # one that finds none yet, if there is one.
    after = EVALUATION * -(-(boundary + tile + lag).ms // EVALUATION.ms)
    before = EVALUATION * ((boundary.ms - 1) // EVALUATION.ms)
    begun = EVALUATION * -(-boundary.ms // EVALUATION.ms)
    interval = Duration(gcd(tile.ms, lag.ms))  # so that there is a sample at the end of each tile
    none = (boundary.ms - min(boundary.ms, FED.ms)) // interval.ms
    old, new = boundary.ms // interval.ms - none, (after - boundary).ms // interval.ms
    fed = Duration(none * interval.ms)
    gap = f"_x{none} " if none else ""
    checks: list[Check] = []
    if tiles := _tiles(period, fed, before):
        checks += _checks(subject, before, BEFORE * budget, tiles)
    if begun < after:
        checks += _checks(subject, begun, Fraction(0), 0)
    checks += _checks(subject, after, AFTER * budget, _tiles(period, fed, after))
    shares = {"events": (Fraction(1), Fraction(1)), "errors": (BEFORE * budget, AFTER * budget)}
    series = tuple(
        (
            f"{naming.increase(counted, tile)}{{{base_labels(subject)}}}",
            f"{gap}{burn.literal(EVENTS * first)}x{old} {burn.literal(EVENTS * then)}x{new - 1}",
        )
        for counted, (first, then) in shares.items()
    )
    start, end = period.bounds(0)
    days = burn.literal(Fraction(end - start, 86_400))
    why = (
        f"twice the budget until {boundary} after 1970 began, half of it from then on",
        f"the period that ends then has {days} days; starts from the tiles",
    )
    name = f"{subject.name}: the budget of {period.words} starts over with the next one"
    return UnitTest(name, subject.origin, why, interval, series, tuple(checks))


def _checks(subject: Subject, at: Duration, ratio: Fraction, tiles: int) -> Iterator[Check]:
    period = subject.slo.period
    spent = ratio / burn.error_budget(subject.slo.objective) * elapsed(period, at)
    for series, value in (
        (naming.increase("events", period), Fraction(EVENTS * tiles)),
        (naming.increase("errors", period), EVENTS * tiles * ratio),
        (naming.BUDGET_REMAINING, 1 - spent),
    ):
        yield almost(at, series, subject.labels, value)


def _tiles(period: Period, fed: Duration, at: Duration) -> int:
    """Count the tiles that end within the period of a moment, up to it and since they were fed."""
    tile, lag = burn.period_tile(period).ms, burn.tile_lag(period).ms
    start = period.bounds(at.ms // 1000)[0] * 1000
    ends = (step - lag for step in range(0, at.ms + 1, tile))
    return sum(start < end and fed.ms <= end for end in ends)
