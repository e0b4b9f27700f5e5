"""At which hours somebody is notified: hours of the week, and the days that are none."""

from __future__ import annotations

import re
from calendar import monthrange
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from slo_compiler.diagnostics import nearest
from slo_compiler.recurrence import zones
from slo_compiler.schema.base import Strict, how_to_quote, invalid, shown
from slo_compiler.schema.texts import Name

_LEAP_YEAR = 2028  # has each day that a year can have
_YEARS = range(2000, 2200)


def _clock(value: object) -> object:
    pattern = r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]"
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise invalid("hours", f'expected times such as "09:00-17:00", found {shown(value)}')
    start, end = value.split("-")
    if start >= end or end > "24:00":
        raise invalid(
            "hours",
            f"{shown(value)} does not end after it starts on the same day",
            'across midnight, give two: "22:00-24:00" and "00:00-06:00"',
        )
    return value


DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def _days(value: object) -> object:
    days = value.split(":") if isinstance(value, str) else []
    wrong = [day for day in days if day not in DAYS]
    if not days or wrong or len(days) > 2:  # noqa: PLR2004
        hint = nearest(wrong[0], DAYS) if wrong else 'such as "monday:friday"'
        hint = _spelled_out(value) or hint
        raise invalid("hours", f"{shown(value)} is no day or range of days", hint)
    if len(days) == 2 and DAYS.index(days[0]) > DAYS.index(days[1]):  # noqa: PLR2004
        raise invalid(
            "hours", f"{shown(value)} runs backwards: weeks start on sunday", "give two ranges"
        )
    return value


def _spelled_out(value: object) -> str:
    """Give the range that abbreviated days mean: `mon-fri` is `monday:friday`."""
    parts = re.split(r"\s*[-:]\s*", value.lower()) if isinstance(value, str) else []
    days = [[day for day in DAYS if day.startswith(part)] for part in parts if len(part) > 1]
    if len(days) != len(parts) or not 0 < len(days) < 3 or any(len(d) != 1 for d in days):  # noqa: PLR2004
        return ""
    return f'did you mean "{":".join(day for (day,) in days)}"?'


def _zone(value: object) -> object:
    if isinstance(value, str) and value not in zones():
        near = nearest(value, zones())
        hint = near if near.startswith("did you mean") else "such as UTC or Europe/Berlin"
        raise invalid("hours", f"{shown(value)} is no IANA time zone", hint)
    return value


def _holiday(value: object) -> object:
    """Read `2026-12-25`, or `12-26` for each year."""
    if not isinstance(value, str):
        raise invalid(
            "type",
            f'expected a day such as "2026-12-25", found {shown(value)}',
            how_to_quote(value),
        )
    found = re.fullmatch(r"(?:(\d{4})-)?(\d\d)-(\d\d)", value, re.ASCII)
    year, month, day = (int(part or _LEAP_YEAR) for part in found.groups()) if found else (0, 0, 0)
    if not (year in _YEARS and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):  # noqa: PLR2004
        raise invalid(
            "holidays",
            f"{shown(value)} is no day",
            'write "2026-12-25", or "12-25" for that day of each year',
        )
    return value


Day = Annotated[
    str,
    BeforeValidator(_holiday),
    WithJsonSchema({"type": "string", "pattern": "^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$"}),
]
HolidaysByName = dict[Name, Annotated[list[Day], Field(min_length=1, max_length=366)]]


_DAY = f"({'|'.join(DAYS)})"
_CLOCK = "[0-9]{2}:[0-9]{2}"
Weekdays = Annotated[
    str,
    BeforeValidator(_days),
    WithJsonSchema({"type": "string", "pattern": f"^{_DAY}(:{_DAY})?$"}),
]
Times = Annotated[
    str,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK}-{_CLOCK}$"}),
]
Location = Annotated[
    str,
    BeforeValidator(_zone),
    WithJsonSchema({"type": "string", "examples": ["UTC", "Europe/Berlin"]}),
]


class Hours(Strict):
    """Hours of a week; several entries add up."""

    weekdays: list[Weekdays] = ["monday:friday"]
    times: list[Times] = ["09:00-17:00"]
    location: Location = "UTC"
    holidays: Name | None = None


BUSINESS_HOURS = {"business": [Hours()]}
HoursByName = dict[Name, Annotated[list[Hours], Field(min_length=1)]]
