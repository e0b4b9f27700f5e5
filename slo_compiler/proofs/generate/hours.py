"""Times at which each time interval must be active, or must not: its edges."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from slo_compiler import naming
from slo_compiler.proofs.model import ExpectedHours
from slo_compiler.recurrence import zone
from slo_compiler.resolve.hours import Holiday, OpenHours
from slo_compiler.schema.hours import DAYS, Hours

_YEARS = range(2026, 2066)  # of which two are tested for a holiday of each year
_DAY = timedelta(days=1)


def expected_hours(used: Mapping[str, OpenHours]) -> Iterator[ExpectedHours]:
    """Give a minute inside and outside of each edge: of two weeks, and of each holiday."""
    weeks = (date(2026, 1, 4), date(2026, 7, 5))  # a winter's and a summer's, from their Sundays
    for name, hours in sorted(used.items()):
        edges = {
            edge
            for entry in hours.entries
            for week in weeks
            for day in range(7)
            for edge in _edges(week + day * _DAY, entry)
        } | {
            edge
            for holiday in hours.holidays
            for day in _occurrences(holiday, hours)
            for entry in hours.entries
            for edge in _around(day, entry)
        }
        at = sorted({e.astimezone(UTC) + timedelta(minutes=m) for e in edges for m in (-1, 0)})
        active = [t for t in at if _is_open(t, hours)]
        yield ExpectedHours(
            name,
            tuple(t.isoformat() for t in active),
            tuple(t.isoformat() for t in at if t not in active),
            naming.holidays(name) if hours.holidays else "",
        )


def _edges(day: date, entry: Hours) -> list[datetime]:
    """Give the edges of a day's hours, on the clocks of their location."""
    return [_at(day, entry, minute) for span in entry.times for minute in _minutes(span)]


def _around(day: date, entry: Hours) -> list[datetime]:
    """Give the edges of a holiday: its midnights, its hours, the last before and first after."""
    before, after = _edges(day - _DAY, entry), _edges(day + _DAY, entry)
    midnights = [_at(day, entry, 0), _at(day + _DAY, entry, 0)]
    return [*sorted(before)[-1:], *midnights, *_edges(day, entry), *sorted(after)[:1]]


def _occurrences(holiday: Holiday, hours: OpenHours) -> list[date]:
    """Give days of a holiday on which there would be hours, where that shows.

    Of a holiday of each year the first two; after one with a year, that day of the next is none.
    """
    if holiday.year:
        return [*_dates(holiday, (holiday.year, holiday.year + 1))]
    shown = (
        day for day in _dates(holiday, _YEARS) if any(_is_on(day, entry) for entry in hours.entries)
    )
    return [*islice(shown, 2)]


def _dates(holiday: Holiday, years: Iterable[int]) -> Iterator[date]:
    for year in years:
        if holiday.day <= monthrange(year, holiday.month)[1]:
            yield date(year, holiday.month, holiday.day)


def _at(day: date, entry: Hours, minute: int) -> datetime:
    midnight = datetime.combine(day, time(), zone(entry.location))
    return midnight + timedelta(minutes=minute)


def _is_open(at: datetime, hours: OpenHours) -> bool:
    today = at.astimezone(zone(hours.location)).date()
    return any(_is_within(at, entry) for entry in hours.entries) and not any(
        holiday.is_on(today) for holiday in hours.holidays
    )


def _minutes(span: str) -> tuple[int, int]:
    """Read `09:00-17:00` as minutes of the day."""
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in span.split("-"))
    return start, end


def _is_within(at: datetime, hours: Hours) -> bool:
    local = at.astimezone(zone(hours.location))
    minute = local.hour * 60 + local.minute
    return _is_on(local.date(), hours) and any(
        start <= minute < end for start, end in (_minutes(span) for span in hours.times)
    )


def _is_on(date_: date, hours: Hours) -> bool:
    day = date_.isoweekday() % 7  # Sunday is 0
    return any(
        DAYS.index(days.split(":")[0]) <= day <= DAYS.index(days.split(":")[-1])
        for days in hours.weekdays
    )
