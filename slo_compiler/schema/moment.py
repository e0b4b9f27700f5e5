"""The field types of local days and times, and what patterns in UTC they come to."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf, WithJsonSchema

from slo_compiler.recurrence import Pattern, Span, instant, repeated, weekly
from slo_compiler.schema.base import invalid, shown

MAX_DAYS = 3 * 366  # the rules of time zones may change within ten years
MAX_PATTERNS = 64

_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(_DAY.pattern + r" [0-9]{2}:[0-9]{2}")


def _moment(value: object) -> object:
    """Read `2026-12-01 22:00` as a datetime, and `2026-12-01` as a date."""
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        raise invalid("moment", f"there is no {shown(value)}") from None
    raise invalid("moment", f'expected "2026-12-01" or "2026-12-01 22:00", found {shown(value)}')


Moment = Annotated[
    InstanceOf[date],  # a datetime is one, and stays one
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{_DAY.pattern}( [0-9]{{2}}:[0-9]{{2}})?$",
            "examples": ["2026-12-01", "2026-12-01 22:00"],
        }
    ),
]


def once(start: date, end: date, location: str) -> tuple[Pattern, ...]:
    """Give the one span between two local times, each of which must be one instant.

    Raises:
        PydanticCustomError: it is none, or the span ends before it starts.
    """
    at: list[int] = []
    for key, local in (("from", start), ("to", end)):
        if not isinstance(local, datetime):
            message = f"{local} has no time; with `to`, both ends have one"
            raise invalid("exclusion", message, f'such as "{local} 22:00"', key)
        found = instant(local, location)
        if found is None:
            message = f"the clocks of {location} leave {local:%Y-%m-%d %H:%M} out, or show it twice"
            raise invalid("exclusion", message, "give both ends in UTC (location: UTC)", key)
        at.append(found)
    if at[1] <= at[0]:
        raise invalid("exclusion", "it ends before it starts", "", "to")
    if at[1] - at[0] > MAX_DAYS * 86_400:
        raise invalid("exclusion", f"it is longer than {MAX_DAYS} days", "shorten it", "to")
    return (Pattern(at[0], at[1] - at[0]),)


def every_week(
    weekdays: Collection[int], times: Collection[Span], first: date, last: date, location: str
) -> tuple[Pattern, ...]:
    """Give the patterns of a recurrence between two local days, both included.

    Raises:
        PydanticCustomError: there is none, or too many to write down.
    """
    for key, day in (("from", first), ("until", last)):
        if isinstance(day, datetime):
            message = f"{day:%Y-%m-%d %H:%M} has a time; with `until`, both ends are days"
            raise invalid("exclusion", message, f'such as "{day:%Y-%m-%d}"', key)
    if last < first:
        raise invalid("exclusion", "it ends before it starts", "", "until")
    if (last - first).days > MAX_DAYS:
        message = f"it recurs for more than {MAX_DAYS} days"
        raise invalid(
            "exclusion", message, "end earlier: an alert fires before it runs out", "until"
        )
    count = len(repeated(weekdays)) * len({*times})  # at least; checked before they are expanded
    patterns: tuple[Pattern, ...] = ()
    if count <= MAX_PATTERNS:
        patterns = weekly(weekdays, times, first, last, location)
        count = len(patterns)
    if count > MAX_PATTERNS:
        raise invalid(
            "exclusion",
            f"it comes to {count} patterns in UTC; at most {MAX_PATTERNS} are written",
            "give fewer times or weekdays, or an earlier end",
            "until",
        )
    if not patterns:
        raise invalid("exclusion", "it is never active: no such time between its days", "", "until")
    return patterns
