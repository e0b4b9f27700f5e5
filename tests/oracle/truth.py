"""How far a recorded value is from the exact one, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

from oracle.engine import Result
from oracle.streams import DAY, HOUR, MINUTE, SECOND, Scenario
from oracle.worlds import ORIGIN, SCRAPE

WINDOWS: Mapping[str, int] = {
    "5m": 5 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "6h": 6 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
    "30d": 30 * DAY,
}
BASE = 60 * SECOND
LAGS = {"1d": 150 * SECOND, "3d": 150 * SECOND, "30d": 10 * MINUTE}  # one tile ...
BEHIND = 3 * MINUTE  # ... and at most this from an event to the tile that contains it
_CUT = 5 * SECOND


@dataclass(frozen=True, slots=True)
class Bounds:
    """Allowed relative errors: of windows up to 6h, of 1d and 3d, of 30d, and of 30d's counts."""

    short: float = 0.01
    long: float = 0.01
    period: float = 0.001
    counts: float = 0.001

    def of(self, window: str) -> float:
        """Choose by a window's name."""
        return {"1d": self.long, "3d": self.long, "30d": self.period}.get(window, self.short)


def row(result: Result, slo: str) -> list[tuple[int, float]]:
    """Give what was recorded for an SLO, by milliseconds since the world began."""
    found = [samples for labels, samples in result.items() if ("slo", slo) in labels]
    assert len(found) <= 1
    return [(at - ORIGIN, value) for at, value in found[0]] if found else []


def ratio_error(scenario: Scenario, window: str, at: int, value: float) -> float:
    """Tell the relative distance to the nearest true ratio that the window may show at a moment.

    Windows of a day and longer may end one tile ago, as a whole. For shorter ones each end may lie
    anywhere in one base range: weights that rise and fall within the ends give a ratio between
    those of windows that begin and end there at once.
    """
    counted, length = scenario.stream.counted, WINDOWS[window]
    if window in LAGS:
        ends = range(at - LAGS[window] - BEHIND, at + 1, 10 * SECOND)
        pairs = [(counted(end - length), counted(end)) for end in ends]
    else:
        starts = range(at - length - SCRAPE, at - length + BASE + 1, _CUT)
        ends = range(at - BASE - SCRAPE, at + 1, _CUT)
        pairs = list(product(map(counted, starts), map(counted, ends)))
    ratios = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs if b[0] > a[0]]
    return _beyond(value, ratios)


def is_idle(scenario: Scenario, window: str, at: int) -> bool:
    """Tell whether a window may hold no event, so that its ratio has no value."""
    inner = at - WINDOWS[window] + BASE, at - LAGS.get(window, 0) - BEHIND
    return scenario.stream.within(*inner)[0] == 0 or inner[0] >= inner[1]


def count_error(scenario: Scenario, which: int, at: int, value: float) -> float:
    """Tell the relative distance to the nearest true count of 30 days: 0 events, 1 errors."""
    ends = range(at - LAGS["30d"] - BEHIND, at + 1, 10 * SECOND)
    counts = [scenario.stream.within(max(0, end - 30 * DAY), end)[which] for end in ends]
    return _beyond(value, counts)


def _beyond(value: float, allowed: list[float] | list[int]) -> float:
    assert allowed, "a value where there was no event"
    low, high = min(allowed), max(allowed)
    distance = max(low - value, value - high, 0.0)
    nearest = low if value < low else high
    if distance < 1e-9:
        return 0.0
    return distance / nearest if nearest else float("inf")


def breaks(moments: list[int], interval: int) -> Iterator[tuple[int, int]]:
    """Give the pauses in what should be an unbroken row."""
    return ((a, b) for a, b in pairwise(moments) if b - a != interval)
