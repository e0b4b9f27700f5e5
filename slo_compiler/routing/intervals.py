"""Time intervals: is an instant within one?"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from slo_compiler.recurrence import UnknownZoneError, zone
from slo_compiler.routing.matchers import ConfigError

Ranges = tuple[tuple[int, int], ...]

_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")
_SHORTEST_MONTH, _LONGEST_MONTH = 28, 31


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """An instant is within it if it is within each field; None is any, () is never.

    `times` are minutes of the day, the end exclusive. Everything else is inclusive. Sunday
    is 0; days_of_month below 0 count from the end, -1 being the last.
    """

    times: Ranges | None = None
    weekdays: Ranges | None = None
    days_of_month: Ranges | None = None
    months: Ranges | None = None
    years: Ranges | None = None
    location: tzinfo = UTC

    @classmethod
    def read(cls, fields: Mapping[str, object]) -> TimeInterval:
        """Read one entry of `time_intervals`, all of its scalars being text."""
        unknown = {*fields} - {*cls.__slots__}
        if unknown:
            raise ConfigError(f"unknown field of a time interval: {min(unknown)}")
        return cls(
            _ranges(fields.get("times"), _times),
            _ranges(fields.get("weekdays"), lambda text: _span(text, _weekday)),
            _ranges(fields.get("days_of_month"), _days),
            _ranges(fields.get("months"), lambda text: _span(text, _month)),
            _ranges(fields.get("years"), lambda text: _span(text, _number)),
            _location(fields.get("location")),
        )

    def contains(self, at: datetime) -> bool:
        """Return whether an instant is within the interval, on the clocks of its location."""
        if at.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        local = at.astimezone(self.location)
        minute = local.hour * 60 + local.minute
        return (
            (self.times is None or any(begin <= minute < end for begin, end in self.times))
            and _within(local.isoweekday() % 7, self.weekdays)
            and (self.days_of_month is None or any(_on(local, r) for r in self.days_of_month))
            and _within(local.month, self.months)
            and _within(local.year, self.years)
        )


def _within(value: int, ranges: Ranges | None) -> bool:
    return ranges is None or any(begin <= value <= end for begin, end in ranges)


def _on(local: datetime, days: tuple[int, int]) -> bool:
    """Return whether a day is within a range; one that begins after the month's end has none."""
    length = monthrange(local.year, local.month)[1]
    begin, end = (length + day + 1 if day < 0 else day for day in days)
    return begin <= length and min(begin, length) <= local.day <= min(end, length)


def _ranges(value: object, read: Callable[[object], tuple[int, int]]) -> Ranges | None:
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ConfigError(f"a time interval's field is a list, not {value!r}")
    return tuple(read(item) for item in value)


def _times(item: object) -> tuple[int, int]:
    if not isinstance(item, Mapping) or {*item} != {"start_time", "end_time"}:
        raise ConfigError(f"a range of times has start_time and end_time, not {item!r}")
    minutes = []
    for key in ("start_time", "end_time"):
        found = _TIME.fullmatch(str(item[key]))
        if found is None:
            raise ConfigError(f"not a time of day: {item[key]}")
        hour, minute = found[1] or found[3], found[2] or found[4]
        minutes.append(int(hour) * 60 + int(minute))
    start, end = minutes
    if start >= end:
        raise ConfigError(f"a range of times ends before it begins: {item}")
    return start, end


def _span(text: object, member: Callable[[str], int]) -> tuple[int, int]:
    parts = str(text).lower().split(":")
    if len(parts) not in (1, 2):
        raise ConfigError(f"not a range: {text}")
    begin, end = member(parts[0]), member(parts[-1])
    if begin > end:
        raise ConfigError(f"a range ends before it begins: {text}")
    return begin, end


def _weekday(name: str) -> int:
    if name not in _WEEKDAYS:
        raise ConfigError(f"not a weekday: {name}")
    return _WEEKDAYS.index(name)


def _month(name: str) -> int:
    return _MONTHS.index(name) + 1 if name in _MONTHS else _number(name)


def _number(text: str) -> int:
    if re.fullmatch(r"[+-]?[0-9]+", text) is None:
        raise ConfigError(f"not a number: {text}")
    return int(text)


def _days(text: object) -> tuple[int, int]:
    parts = str(text).split(":")
    if len(parts) not in (1, 2):
        raise ConfigError(f"not a range: {text}")
    begin, end = _number(parts[0]), _number(parts[-1])
    if not all(0 < abs(day) <= _LONGEST_MONTH for day in (begin, end)) or begin < 0 < end:
        raise ConfigError(f"not a range of days of a month: {text}")
    first, last = (_SHORTEST_MONTH + day if day < 0 else day for day in (begin, end))
    if first > last:
        raise ConfigError(f"a range ends before it begins: {text}")
    return begin, end


def _location(value: object) -> tzinfo:
    name = "" if value is None else str(value)
    if name in ("", "UTC"):
        return UTC
    if name == "Local":
        raise ConfigError("the location Local depends on the server")
    try:
        return zone(name)
    except UnknownZoneError:
        raise ConfigError(f"unknown location: {name}") from None
