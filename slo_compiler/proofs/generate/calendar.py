"""That a calendar's budget starts over with its period: the first boundary after 1970 began.

The rules have no SLO's name, so that one SLO of each calendar shows it for all. It starts from the
tiles: a quarter of base samples would take promtool minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.proofs.generate.periods import almost, elapsed
from slo_compiler.proofs.generate.subject import SLOUnderTest, base_labels
from slo_compiler.proofs.model import Check, UnitTest

EVALUATION = Duration.of(days=1)
FED = Duration.of(days=10)  # before the boundary; promtool caps what a query may load
EVENTS = 1_000_000  # of a tile
BEFORE, AFTER = Fraction(2), Fraction(1, 2)  # error ratios, in budgets


def plan_boundaries(subjects: Sequence[SLOUnderTest]) -> Iterator[UnitTest]:
    """Plan a test of each calendar: twice the budget until its period ends, half of it after."""
    periods: dict[Period, SLOUnderTest] = {}
    for subject in subjects:
        if subject.slo.period.calendar:
            periods.setdefault(subject.slo.period, subject)
    for period, subject in sorted(periods.items()):
        yield _boundary(subject, _Tiles.around(period, burn.error_budget(subject.slo.objective)))


@dataclass(frozen=True, slots=True)
class _Tiles:
    """Counts around a boundary: constant before it; after it one error more with each sample.

    So one that is taken at another moment than it should be shows in the sum.
    """

    period: Period
    budget: Fraction
    boundary: Duration
    fed: Duration  # when they begin
    interval: Duration  # between two samples; there is one at the end of each tile

    @classmethod
    def around(cls, period: Period, budget: Fraction) -> _Tiles:
        """Lay them around the end of the period in which 1970 began."""
        boundary = Duration(period.bounds(0)[1] * 1000)
        interval = Duration(gcd(burn.period_tile(period).ms, burn.tile_lag(period).ms))
        fed = max(0, (boundary - FED).ms) // interval.ms * interval.ms
        return cls(period, budget, boundary, Duration(fed), interval)

    @property
    def errors(self) -> tuple[Fraction, Fraction]:
        """Give the errors of a tile before the boundary, and of the first sample after it."""
        return EVENTS * BEFORE * self.budget, EVENTS * AFTER * self.budget

    def values(self, until: Duration) -> tuple[str, str]:
        """Write events and errors in promtool's notation."""
        none = self.fed.ms // self.interval.ms
        old = (self.boundary - self.fed).ms // self.interval.ms
        new = (until - self.boundary).ms // self.interval.ms
        gap = f"_x{none} " if none else ""
        before, after = map(burn.literal, self.errors)
        return (
            f"{gap}{EVENTS}x{old + new}",
            f"{gap}{before}x{old} {after}+1x{new - 1}",
        )

    def counted(self, at: Duration) -> tuple[int, Fraction]:
        """Count events and errors of the tiles that end within the period of a moment, up to it."""
        tile, lag = burn.period_tile(self.period).ms, burn.tile_lag(self.period).ms
        start = self.period.bounds(at.ms // 1000)[0] * 1000
        ends = [step - lag for step in range(0, at.ms + 1, tile)]
        taken = [end for end in ends if start < end and self.fed.ms <= end]
        before, after = self.errors
        since = [(end - self.boundary.ms) // self.interval.ms for end in taken]
        errors = (before if number <= 0 else after + number - 1 for number in since)
        return EVENTS * len(taken), sum(errors, Fraction(0))


def _boundary(subject: SLOUnderTest, tiles: _Tiles) -> UnitTest:
    period, boundary = tiles.period, tiles.boundary
    first_tile = boundary + burn.period_tile(period) + burn.tile_lag(period)
    # The last evaluation before, perhaps one that finds no tile yet, and the first that finds one.
    before = EVALUATION * ((boundary.ms - 1) // EVALUATION.ms)
    begun = EVALUATION * -(-boundary.ms // EVALUATION.ms)
    after = EVALUATION * -(-first_tile.ms // EVALUATION.ms)
    moments = sorted({at for at in (before, begun, after) if at >= boundary or at > tiles.fed})
    values = zip(("events", "errors"), tiles.values(after), strict=True)
    days = burn.literal(Fraction(boundary.ms, 86_400_000) - Fraction(period.bounds(0)[0], 86_400))
    return UnitTest(
        f"{subject.name}: the budget of {period.words} starts over with the next one",
        subject.origin,
        (
            f"twice the budget until {boundary} after 1970 began, about half of it from then on",
            f"the period that ends then has {days} days; starts from the tiles",
        ),
        tiles.interval,
        tuple(
            (
                f"{naming.increase(counted, burn.period_tile(period))}{{{base_labels(subject)}}}",
                text,
            )
            for counted, text in values
        ),
        tuple(check for at in moments for check in _checks(subject, tiles, at)),
    )


def _checks(subject: SLOUnderTest, tiles: _Tiles, at: Duration) -> Iterator[Check]:
    period = tiles.period
    events, errors = tiles.counted(at)
    spent = errors / (events or 1) / tiles.budget * elapsed(period, at)
    for series, value in (
        (naming.increase("events", period), Fraction(events)),
        (naming.increase("errors", period), errors),
        (naming.BUDGET_REMAINING, 1 - spent),
    ):
        yield almost(at, series, subject.labels, value)
