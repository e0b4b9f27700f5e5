"""Field types that are numbers and spans of time; each refuses what is wrong."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
)

from slo_compiler.decimals import plain
from slo_compiler.diagnostics import nearest
from slo_compiler.duration import Duration
from slo_compiler.period import CALENDARS
from slo_compiler.period import Period as PeriodValue
from slo_compiler.schema.base import invalid, shown, typed

_LONGEST = Duration.of(days=365)
_SHORTEST_SCRAPE, _LONGEST_SCRAPE = Duration.of(seconds=5), Duration.of(minutes=15)
_SHORTEST_PACE = Duration.of(minutes=5)


def _duration(value: object) -> Duration:
    if isinstance(value, Duration):
        return value
    try:
        span = Duration.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise invalid(
            "duration",
            f"expected a span of time such as 5m, 1h30m or 30d, found {shown(value)}",
            with_unit(value),
        ) from None
    if span > _LONGEST:
        raise invalid("duration", f"{shown(value)} is longer than {_LONGEST}", "shorten it")
    return span


def with_unit(value: object) -> str:
    """Return what a number without a unit may mean."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        return ""
    if value == int(value):
        return f"write its unit: {value}s, {value}m or {value}d"
    ms = value * 1000
    return f"write its unit: did you mean {Duration(int(ms))}?" if ms == int(ms) else ""


def _period(value: object) -> PeriodValue:
    if isinstance(value, PeriodValue):
        return value
    if isinstance(value, dict):
        return _calendar_period(value)
    if isinstance(value, str) and value in CALENDARS:
        message = f"expected a span of time such as 30d, found {shown(value)}"
        raise invalid("period", message, f"for a calendar's: {{calendar: {value}}}")
    if isinstance(value, int) and not isinstance(value, bool):
        message = f"expected a span of time such as 30d, found {value}"
        raise invalid("period", message, f'did you mean "{value}d"?' if value > 0 else "")
    period, day = _duration(value), Duration.of(days=1)
    if period.ms % day.ms:
        raise invalid("period", f"{shown(value)} is not a whole number of days", "such as 30d")
    return PeriodValue(period)


def _calendar_period(value: dict[Any, Any]) -> PeriodValue:
    for key in value:
        if key not in ("calendar", "utc_offset"):
            raise invalid(
                "unknown-key",
                f"no key {shown(key)} here",
                nearest(str(key), ("calendar", "utc_offset")),
                str(key),
            )
    if "calendar" not in value:
        raise invalid("missing-key", 'the key "calendar" is missing', "add calendar: month")
    calendar, offset = value.get("calendar"), value.get("utc_offset", "+00:00")
    if calendar not in CALENDARS:
        near = nearest(str(calendar), CALENDARS)
        raise invalid(
            "calendar",
            f"expected a week, month or quarter of the calendar, found {shown(calendar)}",
            near if near.startswith("did you mean") else "",
            value_of="calendar",
        )
    pattern = r"(?P<sign>[+-])(?P<hours>0[0-9]|1[0-4]):(?P<minutes>00|15|30|45)"
    match = re.fullmatch(pattern, offset) if isinstance(offset, str) else None
    sign = -1 if match and match["sign"] == "-" else 1
    minutes = sign * (int(match["hours"]) * 60 + int(match["minutes"])) if match else None
    if minutes is None or not -12 * 60 <= minutes <= 14 * 60:
        raise invalid(
            "utc-offset",
            f"expected an offset from UTC in quarters of an hour, found {shown(offset)}",
            'from "-12:00" to "+14:00", such as "+01:00"; in quotes',
            value_of="utc_offset",
        )
    return PeriodValue.of_calendar(calendar, minutes)


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    text = str(value).removesuffix("%").strip()
    return Decimal(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,12})?", text) else None


def _number(value: object) -> Decimal:
    number = Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(number, Decimal) or not number.is_finite() or abs(number.adjusted()) > 15:  # noqa: PLR2004
        hint = "remove the quotes" if isinstance(value, str) and _decimal(value) is not None else ""
        hint = hint or _in_seconds(value)
        raise invalid("number", f"expected a number such as 300 or 0.5, found {shown(value)}", hint)
    return number


def _in_seconds(value: object) -> str:
    """Return how a span of time is written as a number."""
    try:
        span = Duration.parse(value if isinstance(value, str) else "")
    except ValueError:
        return ""
    seconds = plain(Decimal(span.ms) / 1000)
    return f"write the number in the unit of the query: {value} is {seconds} seconds"


def _positive(value: object) -> Decimal:
    number = _number(value)
    if number <= 0:
        raise invalid("number", f"expected a number above 0, found {shown(value)}")
    return number


def _objective(value: object) -> Decimal:
    percent = _decimal(value)
    if percent is None:
        raise invalid("objective", f"expected a percentage such as 99.9, found {shown(value)}")
    if percent >= 100:  # noqa: PLR2004
        raise invalid(
            "objective",
            f"an objective of {plain(percent)} leaves no error budget",
            "use a percentage below 100, such as 99.9",
        )
    if percent < 1:
        meant = percent * 100
        raise invalid(
            "objective",
            f"the objective {plain(percent)} is below 1 percent",
            f"objectives are percentages: did you mean {plain(meant)}?" if meant else "",
        )
    return Decimal(plain(percent))


def _fraction_of_100(value: object) -> Decimal:
    percent = _decimal(value)
    if percent is None:
        raise invalid("percentage", f"expected a percentage such as 2%, found {shown(value)}")
    if not 0 < percent <= 100:  # noqa: PLR2004
        bound = "at most 100%" if percent else "more than 0%"
        raise invalid("percentage", f"expected {bound}, found {shown(value)}")
    if percent < 1 and not str(value).endswith("%"):
        part, meant = plain(percent), plain(percent * 100)
        raise invalid(
            "percentage",
            f"{part} may be a percentage or a part of 1",
            f"write {meant}% or {part}%",
        )
    return Decimal(plain(percent))


def _budget_left(value: object) -> Decimal:
    return Decimal(0) if _decimal(value) == 0 else _fraction_of_100(value)


def _pace(value: object) -> Duration:
    span = _duration(value)
    if span < _SHORTEST_PACE:
        raise invalid(
            "duration",
            f"{shown(value)} is shorter than {_SHORTEST_PACE}, in which no one can react",
            "lengthen it",
        )
    return span


def _scrape(value: object) -> Duration:
    span = _duration(value)
    if not _SHORTEST_SCRAPE <= span <= _LONGEST_SCRAPE:
        raise invalid(
            "duration",
            f"expected a scrape interval from {_SHORTEST_SCRAPE} to {_LONGEST_SCRAPE}, found "
            f"{shown(value)}",
            "record what is measured more often, or more seldom, with a rule of your own",
        )
    return span


def _look_back(value: object) -> Duration | Literal["none"]:
    return "none" if value == "none" else _duration(value)


_SPAN = {"type": "string", "pattern": "^([0-9]+(ms|[smhdwy]))+$"}
Span = Annotated[Duration, *typed(_duration, {**_SPAN, "examples": ["5m", "1h30m", "30d"]})]
Period = Annotated[
    PeriodValue,
    *typed(
        _period,
        {
            "anyOf": [
                {"type": "string", "pattern": "^[0-9]+[dw]$"},
                {
                    "type": "object",
                    "properties": {
                        "calendar": {"enum": [*CALENDARS]},
                        "utc_offset": {"type": "string", "pattern": "^[+-][0-9]{2}:[0-9]{2}$"},
                    },
                    "required": ["calendar"],
                    "additionalProperties": False,
                },
            ]
        },
    ),
]
Objective = Annotated[
    Decimal,
    *typed(_objective, {"type": "number", "minimum": 1, "exclusiveMaximum": 100}),
]
_PERCENT = [
    {"type": "string", "pattern": "^[0-9.]+%$"},
    {"type": "number", "minimum": 1, "maximum": 100},
]
Percentage = Annotated[Decimal, *typed(_fraction_of_100, {"anyOf": _PERCENT})]
BudgetLeft = Annotated[Decimal, *typed(_budget_left, {"anyOf": [*_PERCENT, {"const": 0}]})]
ScrapeInterval = Annotated[Duration, *typed(_scrape, {"type": "string"})]
Pace = Annotated[Duration, *typed(_pace, {**_SPAN, "examples": ["4h", "3d"]})]
LookBack = Annotated[
    Duration | Literal["none"],
    *typed(_look_back, {"anyOf": [_SPAN, {"const": "none"}], "examples": ["1d", "none"]}),
]
Number = Annotated[Decimal, *typed(_number, {"type": "number"})]
Positive = Annotated[Decimal, *typed(_positive, {"type": "number", "exclusiveMinimum": 0})]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
