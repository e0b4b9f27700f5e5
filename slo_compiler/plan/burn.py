"""The arithmetic of error budgets, exact: fractions from the manifest to the printed literal.

Source: The Site Reliability Workbook, chapter 5, "Alerting on SLOs".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm

from slo_compiler.decimals import plain
from slo_compiler.duration import Duration
from slo_compiler.period import Period

_TILES = tuple(
    Duration.of(minutes=m) for m in (5, 10, 15, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
)
_MAX_TILES = 4320  # promtool caps a query at 10,000 samples, and a subquery counts twice
# Longer than those of a span as long: each step also costs a sample of time and two of its period.
_CALENDAR_TILES = {
    "week": Duration.of(minutes=10),
    "month": Duration.of(minutes=30),
    "quarter": Duration.of(hours=1),
}
TILED_ABOVE = Duration.of(hours=6)  # windows up to here read the base series


def objective_ratio(objective: Decimal) -> Fraction:
    """Turn an objective in percent into a ratio: 99.9 becomes 999/1000."""
    return Fraction(objective) / 100


@lru_cache(maxsize=4_096)
def error_budget(objective: Decimal) -> Fraction:
    """Share of events that may fail: 99.9 becomes 1/1000."""
    return 1 - objective_ratio(objective)


@lru_cache(maxsize=4_096)
def burn_factor(budget_share: Decimal, period: Duration, long_window: Duration) -> Fraction:
    """Burn rate at which `budget_share` percent of the budget is gone after `long_window`.

    f = share * period / long_window. The workbook's 2 % of 30d in 1h is 14.4.
    """
    return Fraction(budget_share) / 100 * Fraction(period.ms, long_window.ms)


@lru_cache(maxsize=4_096)
def threshold(factor: Fraction, objective: Decimal) -> Fraction:
    """Error ratio at which an alert fires: f * (1 - objective). 14.4 at 99.9 is 0.0144."""
    return factor * error_budget(objective)


def detection_time(
    long_window: Duration, threshold_ratio: Fraction, error_ratio: Fraction
) -> float:
    """Seconds from a clean history to the alert, at a constant error ratio above the threshold."""
    return float(Fraction(long_window.ms, 1000) * threshold_ratio / error_ratio)


def reset_time(short_window: Duration, threshold_ratio: Fraction, error_ratio: Fraction) -> float:
    """Seconds until the alert is over after the errors stop."""
    return float(Fraction(short_window.ms, 1000) * (1 - threshold_ratio / error_ratio))


@lru_cache(maxsize=4_096)
def literal(value: Fraction) -> str:
    """Print a number for PromQL: exact where it has a finite decimal of up to 17 digits.

    Otherwise the shortest decimal that Prometheus reads back as the nearest float.
    """
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1:
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        if Fraction(exact) == value and len(exact.as_tuple().digits) <= 17:  # noqa: PLR2004
            return plain(exact)
    return plain(Decimal(repr(float(value))))


def percent(ratio: Fraction) -> str:
    """Print a ratio for people, as Prometheus' humanizePercentage would: 0.0144 is 1.44%."""
    return f"{plain(Decimal(f'{float(ratio * 100):.4g}'))}%"


@dataclass(frozen=True, slots=True)
class Timing:
    """Spans that one tenant's rules are built on."""

    evaluation: Duration  # of everything that pages
    slow: Duration  # of everything that reads tiles: it divides every tile
    scrape: Duration
    base: Duration  # span of one base sample

    @property
    def base_range(self) -> Duration:
        """Range of `rate` in the base rules: base + scrape interval.

        The first sample of one range is then the last of the one before, so that ranges taken
        every `base` count each increment exactly once.
        """
        return self.base + self.scrape

    @property
    def health(self) -> Duration:
        """Interval of the alerts on the rules' health.

        They wait for minutes, and Prometheus sends a firing alert again once a minute.
        """
        return max(self.evaluation, min(self.slow, Duration.of(minutes=1)))

    @property
    def base_step(self) -> Duration:
        """Step at which base samples are added up: it divides the base and every tile."""
        if self.slow.ms % self.base.ms == 0:
            return self.base  # each increment is in one sample of a base
        return Duration(gcd(self.evaluation.ms, _TILES[0].ms))  # or in base / evaluation of them

    def window_tile(self, window: Duration) -> Duration | None:
        """Length of the tiles that a tier's window is summed of; None: it reads the base series.

        As short as they are recorded, so that a window ends at its evaluation and lags by none.
        """
        if not self.is_tiled(window):
            return None
        return self.slow if self.slow.ms * _MAX_TILES >= window.ms else tile(window)

    def is_tiled(self, window: Duration) -> bool:
        """Whether a tier's window is summed of tiles."""
        return window > TILED_ABOVE

    def longest_tile(self, windows: Iterable[Duration]) -> Duration:
        """Give the longest tile that any of the windows is summed of, or zero."""
        tiles = map(self.window_tile, windows)
        return max((tile for tile in tiles if tile is not None), default=Duration(0))

    def minimum_window(self) -> Duration:
        """Shortest window that contains at least one base sample."""
        return self.base + self.evaluation


def timing(scrape: Duration, evaluation: Duration, shortest_window: Duration) -> Timing:
    """Choose the base: 4 scrapes and at least 1m, less where a policy's windows are that short.

    A base longer than a fifth of the shortest window would blur it. The slow rules are evaluated
    up to five times less often, and at least every 2m30s: two fit into Prometheus' lookback of 5m.
    """
    wanted = min(Duration.of(minutes=1), shortest_window // 5)
    # Whole scrapes and whole evaluations, so that each increment is in as many samples as any
    # other; of evaluations alone where the two meet too seldom.
    both = Duration(lcm(scrape.ms, evaluation.ms))
    unit = both if both <= Duration.of(seconds=150) else evaluation
    base = unit * -(-max(scrape * 4, evaluation, wanted).ms // unit.ms)
    slow = evaluation
    for multiple in (evaluation * n for n in range(2, 6)):
        if multiple * 2 <= _TILES[0] and _TILES[0].ms % multiple.ms == 0:
            slow = multiple
    return Timing(evaluation, slow, scrape, base)


def tile(span: Duration) -> Duration:
    """Length of the tiles whose sum is a long window or a period: the next above span / 4320.

    It depends on the span alone, so that a window is one rule for SLOs of any period, and a day's
    window stays as fine as 5m beside a year's budget.
    """
    return next((t for t in _TILES if t.ms * _MAX_TILES >= span.ms), _TILES[-1])


def period_tile(period: Period) -> Duration:
    """Length of the tiles whose sum is a period."""
    return _CALENDAR_TILES[period.calendar] if period.calendar else tile(period.nominal)


def tile_lag(period: Period) -> Duration:
    """How long before a step its tile must end, so that one of them ends with the period.

    Subqueries step at multiples of the tile in UTC; a quarter of +05:30 begins between two.
    """
    return Duration(period.utc_offset * 60_000 % period_tile(period).ms if period.calendar else 0)
