"""When local times are, in UTC: whole seconds since 1970, since PromQL knows no zones.

A recurrence is active when the clock on the wall shows one of its times on one of its days: an hour
that a change of the clocks leaves out has nothing of it, and of one that comes twice both count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

DAY = 86_400
WEEK = 7 * DAY
Span = tuple[int, int]  # from, to, the end exclusive


@dataclass(frozen=True, slots=True)
class Pattern:
    """Spans of one length that begin `every` so many seconds, from `start` on, `count` times."""

    start: int
    length: int
    every: int = WEEK
    count: int = 1

    @property
    def end(self) -> int:
        """The end of the last one."""
        return self.start + (self.count - 1) * self.every + self.length


def upcoming(patterns: Collection[Pattern], now: int, number: int) -> list[Span]:
    """Give the first spans that are not over at `now`; those that touch are one."""
    spans: list[Span] = []
    for pattern in patterns:
        over = max(0, (now - pattern.start - pattern.length) // pattern.every + 1)
        begins = (pattern.start + index * pattern.every for index in range(over, pattern.count))
        spans += [(begin, begin + pattern.length) for begin in begins]
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined[:number]


class UnknownZoneError(ValueError):
    """A name is no time zone of the package tzdata."""


_NO_PLACES = {"Factory"}  # in the list of zones, and no zone


@cache
def zones() -> frozenset[str]:
    """Give the names of all time zones: those of the package tzdata, whatever the machine has."""
    listed = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - _NO_PLACES | {"UTC"}


@cache
def zone(location: str) -> tzinfo:
    """Give a time zone from the package tzdata, not from the machine: same input, same bytes.

    Raises:
        UnknownZoneError: the package has no zone of this name.
    """
    if location == "UTC":
        return UTC
    if location not in zones():
        raise UnknownZoneError(location)
    with files("tzdata").joinpath("zoneinfo", *location.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=location)


def instant(local: datetime, location: str) -> int | None:
    """Give the instant of a local time; None if the clocks leave it out or show it twice."""
    earlier, later = (local.replace(tzinfo=zone(location), fold=fold) for fold in (0, 1))
    return int(earlier.timestamp()) if earlier.utcoffset() == later.utcoffset() else None


def weekly(
    weekdays: Collection[int], times: Collection[Span], first: date, last: date, location: str
) -> tuple[Pattern, ...]:
    """Give the patterns of a recurrence: one for each time of the week and offset of the clocks.

    Args:
        weekdays: days of the week, Sunday is 0.
        times: spans of the day, in minutes.
        first: its first day.
        last: its last day.
        location: the time zone of all of these.
    """
    found: list[Pattern] = []
    for span in sorted({*times}):
        for weekday in repeated(weekdays):
            every = DAY if weekday is None else WEEK
            found += _runs(_spans(weekday, span, first, last, location), every)
    return tuple(sorted(found, key=lambda p: (p.start, p.length)))


def repeated(weekdays: Collection[int]) -> list[int] | list[None]:
    """Give the days that repeat each week, or None alone: all days repeat each day."""
    days = {*weekdays}
    return [None] if len(days) == 7 else sorted(days)  # noqa: PLR2004


def _spans(
    weekday: int | None, span: Span, first: date, last: date, location: str
) -> Iterator[Span]:
    step = timedelta(days=1 if weekday is None else 7)
    for start, end, offset in _stretches(first, last, location):
        # A day more on both sides: the stretch is of UTC, the days are local.
        day = max(first, _day(start) - timedelta(days=1))
        if weekday is not None:
            day += timedelta(days=(weekday - day.isoweekday()) % 7)
        while day <= min(last, _day(end) + timedelta(days=1)):
            midnight = int(datetime.combine(day, time(), UTC).timestamp()) - offset
            begin = max(start, midnight + span[0] * 60)
            until = min(end, midnight + span[1] * 60)
            if begin < until:
                yield begin, until
            day += step


@cache
def _stretches(first: date, last: date, location: str) -> tuple[tuple[int, int, int], ...]:
    """Split the days into stretches in which the clocks do not change: from, to, and the offset."""

    def offset(at: int) -> int:
        shown = datetime.fromtimestamp(at, zone(location)).utcoffset()
        assert shown is not None  # noqa: S101  (narrows the type)
        return int(shown.total_seconds())

    start = int(datetime.combine(first, time(), UTC).timestamp()) - DAY
    end = int(datetime.combine(last, time(), UTC).timestamp()) + 2 * DAY
    found = []
    for at in range(start, end, DAY):
        low, high = at, at + DAY
        if offset(low) == offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        found.append((start, high, offset(start)))
        start = high
    return (*found, (start, end, offset(start)))


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def _runs(spans: Iterator[Span], every: int) -> Iterator[Pattern]:
    """Join spans of one length that follow each other at one distance."""
    run: Pattern | None = None
    for start, end in spans:
        if run and end - start == run.length and start == run.start + run.count * every:
            run = replace(run, count=run.count + 1)
            continue
        if run:
            yield run
        run = Pattern(start, end - start, every)
    if run:
        yield run
