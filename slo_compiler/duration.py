"""Spans of time as Prometheus writes them: `90s` is `1m30s`, `1d` is `24h`, exact to the ms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

_UNITS_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_PRINTED = ("d", "h", "m", "s", "ms")  # Prometheus knows y and w, but "4w2d" is hard to read
_NS = {**{unit: ms * 1_000_000 for unit, ms in _UNITS_MS.items()}, "us": 1_000, "ns": 1}
_NUMBER = r"[0-9]{1,9}(?:[.][0-9]{1,9})?"
_EXACT = re.compile("".join(rf"(?:(?P<{unit}>{_NUMBER}){unit})?" for unit in _NS))
_PATTERN = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,9}}){unit})?" for unit in _UNITS_MS))


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in whole milliseconds."""

    ms: int

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read `30d`, `5m` or `1h30m`.

        Raises:
            ValueError: the text is no Prometheus duration, or its length is zero.
        """
        match = _PATTERN.fullmatch(text)
        total = (
            sum(int(n) * _UNITS_MS[u] for u, n in match.groupdict().items() if n) if match else 0
        )
        if total == 0:
            raise ValueError(f'"{text}" is not a duration such as 5m, 1h30m or 30d')
        return cls(total)

    @classmethod
    def of(cls, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> Duration:
        """Build from whole units."""
        return cls((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.ms / 1000

    def __str__(self) -> str:
        return _printed(self.ms)

    def __add__(self, other: Duration) -> Duration:
        return Duration(self.ms + other.ms)

    def __sub__(self, other: Duration) -> Duration:
        return Duration(self.ms - other.ms)

    def __mul__(self, factor: int) -> Duration:
        return Duration(self.ms * factor)

    def __floordiv__(self, divisor: int) -> Duration:
        return Duration(self.ms // divisor)


@lru_cache(maxsize=4_096)
def _printed(ms: int) -> str:
    rest, out = ms, ""
    for unit in _PRINTED:
        count, rest = divmod(rest, _UNITS_MS[unit])
        out += f"{count}{unit}" if count else ""
    return out or "0s"


@dataclass(frozen=True, slots=True)
class ExactSpan:
    """A span of time of any fineness, which is compared with, and never scheduled."""

    seconds: Fraction
    text: str = field(compare=False)  # as it was written

    @classmethod
    def parse(cls, text: str) -> ExactSpan:
        """Read `300ms`, `1.5s` or `500us`.

        Raises:
            ValueError: the text is no span of time, or its length is zero.
        """
        match = _EXACT.fullmatch(text.replace("\u00b5s", "us").replace("\u03bcs", "us"))
        given = match.groupdict().items() if match else ()
        total = sum((Fraction(n) * _NS[unit] for unit, n in given if n), Fraction(0))
        if not total:
            raise ValueError(f'"{text}" is not a span of time such as 300ms, 1.5s or 500us')
        return cls(total / 10**9, text)

    def __str__(self) -> str:
        return self.text
