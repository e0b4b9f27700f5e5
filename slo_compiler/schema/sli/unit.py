"""Units of time of a histogram's bounds: from its metric's name, or from the SLI."""

from __future__ import annotations

import re
from enum import StrEnum
from fractions import Fraction


class TimeUnit(StrEnum):
    """What a histogram measures in."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"
    NANOSECONDS = "nanoseconds"
    MINUTES = "minutes"

    @property
    def in_seconds(self) -> Fraction:
        """Its length."""
        return _LENGTHS[self]


_LENGTHS = {
    TimeUnit.SECONDS: Fraction(1),
    TimeUnit.MILLISECONDS: Fraction(1, 10**3),
    TimeUnit.MICROSECONDS: Fraction(1, 10**6),
    TimeUnit.NANOSECONDS: Fraction(1, 10**9),
    TimeUnit.MINUTES: Fraction(60),
}
_WORDS = {
    TimeUnit.SECONDS: ("seconds", "second", "secs", "sec"),
    TimeUnit.MILLISECONDS: ("milliseconds", "millisecond", "millis", "msecs", "msec"),
    TimeUnit.MICROSECONDS: ("microseconds", "microsecond", "micros", "usecs", "usec"),
    TimeUnit.NANOSECONDS: ("nanoseconds", "nanosecond", "nanos", "nsecs", "nsec"),
    TimeUnit.MINUTES: ("minutes", "minute"),
}
_UNIT_OF = {word: unit for unit, words in _WORDS.items() for word in words}
# These may be a country or a namespace elsewhere: they are units at the end of a name only.
_AT_THE_END = {
    "s": TimeUnit.SECONDS,
    "ms": TimeUnit.MILLISECONDS,
    "us": TimeUnit.MICROSECONDS,
    "ns": TimeUnit.NANOSECONDS,
}
# Envoy measures in milliseconds; most of its names end in `_ms`, those of requests do not.
_KNOWN = ((re.compile(r"envoy_.*_rq_time"), TimeUnit.MILLISECONDS),)
_NAME = re.compile(
    r"""\s*\(*\s*(?:(?P<plain>[a-zA-Z_:][\w:]*)(?=\s*(?:[{)]|$))|\{\s*["'`](?P<quoted>[^"'`]+)["'`])"""
)


def metric_of(selector: str) -> str:
    """Give the name of the metric of a plain selector; nothing if it has none."""
    found = _NAME.match(selector)
    return (found["plain"] or found["quoted"]) if found else ""


def unit_in_name(metric: str) -> TimeUnit | None:
    """Return the unit in a metric's name: the last, if there are several."""
    for pattern, unit in _KNOWN:
        if pattern.fullmatch(metric):
            return unit
    words = re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", metric).lower())
    if words[-1] in _AT_THE_END:
        return _AT_THE_END[words[-1]]
    return next((_UNIT_OF[word] for word in reversed(words) if word in _UNIT_OF), None)
