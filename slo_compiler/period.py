"""The span of an error budget: so many days back from now, or a week, month or quarter so far."""

from __future__ import annotations

import calendar as gregorian
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from slo_compiler.duration import Duration

# Days that burn rates are reckoned with, and that the longest one has.
_DAYS = {"week": (7, 7), "month": (30, 31), "quarter": (90, 92)}
CALENDARS = tuple(_DAYS)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The span of a budget; without `calendar` the last `nominal` of time at each moment."""

    nominal: Duration
    calendar: str = ""
    utc_offset: int = 0  # minutes that the calendar's clock is ahead of UTC

    @classmethod
    def of_calendar(cls, calendar: str, utc_offset: int = 0) -> Period:
        """Take the whole current week, month or quarter."""
        return cls(Duration.of(days=_DAYS[calendar][0]), calendar, utc_offset)

    @property
    def longest(self) -> Duration:
        """The longest that it can be."""
        return Duration.of(days=_DAYS[self.calendar][1]) if self.calendar else self.nominal

    @property
    def offset(self) -> str:
        """The offset as manifests write it: +01:00."""
        hours, minutes = divmod(abs(self.utc_offset), 60)
        return f"{'-' if self.utc_offset < 0 else '+'}{hours:02}:{minutes:02}"

    @property
    def words(self) -> str:
        """The period as part of a sentence: over 30d, over a calendar month (UTC+01:00)."""
        zone = f"UTC{self.offset}" if self.utc_offset else "UTC"
        return f"a calendar {self.calendar} ({zone})" if self.calendar else str(self.nominal)

    def __str__(self) -> str:
        return self.calendar or str(self.nominal)

    def bounds(self, at: int) -> tuple[int, int]:
        """Give the start and the end of the calendar's period at a Unix time, as Unix times."""
        ahead = timedelta(minutes=self.utc_offset)
        local = _EPOCH + timedelta(seconds=at) + ahead
        first, after = _dates(self.calendar, local.date())
        return _unix(first) - 60 * self.utc_offset, _unix(after) - 60 * self.utc_offset


def _dates(calendar: str, day: date) -> tuple[date, date]:
    """Give the first day of a calendar's period, and the first day after it."""
    if calendar == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    months = 3 if calendar == "quarter" else 1
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    last = first.month + months - 1
    return first, date(first.year, last, gregorian.monthrange(first.year, last)[1]) + timedelta(1)


def _unix(day: date) -> int:
    return (day - _EPOCH.date()).days * 86_400
