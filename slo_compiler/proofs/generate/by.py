"""That an SLO with `by` has a budget for each series, and one that counts all events once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.proofs.generate.periods import almost, elapsed, settled_at
from slo_compiler.proofs.generate.subject import SLOUnderTest, base_labels, names_of, origins_of
from slo_compiler.proofs.generate.timeline import MINUTE
from slo_compiler.proofs.model import UnitTest

# A busy series at a quarter of the budget's pace, and a quiet one at five times it: together
# (1000/4 + 5) / 1001 budgets, where the mean of their ratios is 2.6.
SERIES = {"busy": (1_000_000, Fraction(1, 4)), "quiet": (1_000, Fraction(5))}


def plan_by(subjects: Sequence[SLOUnderTest], timing: burn.Timing) -> list[UnitTest]:
    """Plan the test, if there is an SLO with `by`."""
    several = [subject for subject in subjects if subject.slo.by]
    if not several:
        return []
    at = settled_at((subject.slo.period for subject in several), MINUTE * 12)
    samples = at.ms // MINUTE.ms
    events = sum(count for count, _ in SERIES.values())
    series, checks = {}, []
    windows = tier_windows(subject.slo for subject in subjects)
    for subject in several:
        tiles = _tiles(subject.slo.period, windows, timing)
        budget = burn.error_budget(subject.slo.objective)
        over, errors = elapsed(subject.slo.period, at), Fraction(0)
        for value, (count, pace) in SERIES.items():
            labels = base_labels(subject, value)
            # Five times the budget of an objective below 80 is more than there are events.
            ratio = min(pace * budget, Fraction(1))
            errors += count * ratio
            for counted, part in (("events", Fraction(1)), ("errors", ratio)):
                for tile in tiles:
                    name = naming.increase(counted, tile)
                    series[f"{name}{{{labels}}}"] = f"{burn.literal(count * part)}x{samples}"
            left = 1 - over * ratio / budget
            checks.append(almost(at, naming.BUDGET_REMAINING, labels, left))
        left = 1 - over * errors / events / budget
        if not subject.without_input:  # whose value would be a part of the whole
            checks.append(almost(at, naming.BUDGET_WHOLE, subject.labels, left))
    return [
        UnitTest(
            f"{names_of(several)}: the budget of each series, and of all of them together",
            origins_of(several),
            (
                "a series of 1000000 events a tile burns a quarter of the budget, one of 1000 five",
                "times it: together they burn about a quarter, and not the mean of the two",
                "starts from the tiles",
            ),
            MINUTE,
            tuple(series.items()),
            tuple(checks),
        )
    ]


def _tiles(
    period: Period, windows: Collection[Duration], timing: burn.Timing
) -> dict[Duration, None]:
    """Give the tiles that a period is summed of; a tier's window that is as long has its own."""
    tiles = {burn.period_tile(period): None}
    window = timing.window_tile(period.nominal)
    if not period.calendar and period.nominal in windows and window is not None:
        tiles[window] = None
    return tiles
