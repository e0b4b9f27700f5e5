"""OpenSLO's spans of time: M is months and m minutes; rolling and calendar periods."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from slo_compiler.duration import Duration
from slo_compiler.frontend.translate import From
from slo_compiler.importing.part import Section
from slo_compiler.recurrence import UnknownZoneError, zone
from slo_compiler.schema.base import shown

_SHORTHAND = re.compile(r"([1-9][0-9]{0,5})([mhdwMQY])")
_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 7 * 1440}
_DAYS = {"M": 30, "Q": 90, "Y": 365}  # of what has no length of its own
_NAMES = {"w": "week", "M": "month", "Q": "quarter"}
_UNITS = {"Day": "d", "Week": "w", "Month": "M", "Quarter": "Q"}  # of v1alpha
_WRITE = "write it such as 5m, 1h, 28d or 4w; M is months, Q quarters, Y years"
_START = "%Y-%m-%d %H:%M:%S"
_YEAR = 2026  # of which a zone's offsets are taken


def read_span(part: Section, key: str) -> Duration | None:
    """Give a span of minutes, hours, days or weeks; others are an error."""
    found = _shorthand(part, key)
    if found is None:
        return None
    count, unit = found
    if unit in _MINUTES:
        return Duration.of(minutes=count * _MINUTES[unit])
    part.refuse(key, f"{count}{unit} has no fixed length", f"did you mean {count}m, in minutes?")
    return None


def read_period(spec: Section) -> From | None:
    """Give the period of a budget."""
    key = "timeWindows" if "timeWindows" in spec.data else "timeWindow"
    windows = spec.get(key)
    if not isinstance(windows, list) or len(windows) != 1:
        found = len(windows) if isinstance(windows, list) else "none"
        text = f"expected one time window, found {found}"
        spec.refuse(key, text, "such as timeWindow: [{duration: 4w, isRolling: true}]")
        return None
    (window,) = spec.parts(key, spec.report)
    alpha = key == "timeWindows"
    where = "unit" if alpha else "duration"
    span = _of_v1alpha(window) if alpha else _shorthand(window, "duration")
    calendar = window.part("calendar") if window.get("calendar") is not None else None
    rolling = window.get("isRolling") is not None and window.flag("isRolling")
    window.finish()
    if span is None:
        return None
    if rolling == (calendar is not None):
        window.refuse(
            "isRolling",
            "a window is either rolling, or has a calendar",
            "write isRolling: true, or calendar: {startTime: ..., timeZone: ...}",
        )
        return None
    if calendar is None:
        return _rolling(window, where, *span)
    return _calendar(window, where, calendar, *span)


def _shorthand(part: Section, key: str) -> tuple[int, str] | None:
    text = part.text(key)
    if text is None:
        if part.data.get(key) is None:
            part.refuse(key, f'the key "{key}" is missing', _WRITE)
        return None
    found = _SHORTHAND.fullmatch(text)
    if not found:
        part.refuse(key, f"{shown(text)} is no span of time", _WRITE)
        return None
    return int(found[1]), found[2]


def _of_v1alpha(window: Section) -> tuple[int, str] | None:
    unit, count = window.text("unit"), window.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count < 10**6:
        window.refuse(
            "count", f"expected a whole number, found {shown(count)}", "such as count: 28"
        )
        return None
    if unit not in _UNITS:
        window.refuse("unit", f"no unit {shown(unit)} of a period", f"one of {', '.join(_UNITS)}")
        return None
    return count, _UNITS[unit]


def _rolling(window: Section, key: str, count: int, unit: str) -> From | None:
    loc = (*window.loc, key)
    if unit in _DAYS:
        text = f"{count * _DAYS[unit]}d"
        window.report.warning(
            window.at(key),
            "import-approximated",
            f"{count}{unit} has no fixed length: a rolling period of {text} is taken",
            "write the days that are meant, such as 28d or 30d",
        )
        return From(text, loc)
    if unit == "m":
        text = f"{count}m is {count} minutes, which is no period"
        window.refuse(key, text, f"write {count}M if months are meant, or the days")
        return None
    return From(str(Duration.of(minutes=count * _MINUTES[unit])), loc)


def _calendar(window: Section, key: str, calendar: Section, count: int, unit: str) -> From | None:
    start, zone_ = calendar.text("startTime"), calendar.text("timeZone")
    calendar.finish()
    if unit == "m":
        text = f"{count}m is {count} minutes, which no calendar has"
        window.refuse(key, text, f"write {count}M if months are meant")
        return None
    if count != 1 or unit not in _NAMES:
        window.refuse(
            key,
            f"a calendar's period of {count}{unit} cannot be written",
            "a week (1w), a month (1M) and a quarter (1Q) can; or make it rolling: isRolling: true",
        )
        return None
    try:
        begin = datetime.strptime(start or "", _START).replace(tzinfo=UTC)
    except ValueError:
        text = f"expected a local time, found {shown(start)}"
        calendar.refuse("startTime", text, 'such as "2026-01-01 00:00:00"')
        return None
    day = {
        "week": begin.weekday() == 0,
        "month": begin.day == 1,
        "quarter": begin.day == 1 and begin.month % 3 == 1,
    }
    name = _NAMES[unit]
    if not day[name] or begin.strftime("%H:%M:%S") != "00:00:00":
        calendar.refuse(
            "startTime",
            f"a calendar's {name} cannot begin at {start}",
            "a week begins on a Monday, a month on its first day, a quarter in January, April, "
            "July and October, at 00:00:00; write such a time, or isRolling: true",
        )
        return None
    value: dict[str, Any] = {"calendar": name}
    if offset := _offset(calendar, zone_):
        value["utc_offset"] = offset
    return From(value, (*window.loc, key)) if offset is not None else None


def _offset(calendar: Section, name: str | None) -> str | None:
    """Give the offset of a zone from UTC, empty for none: the one of most of the year."""
    try:
        place = zone(name or "UTC")
    except UnknownZoneError:
        text = f"no time zone is called {shown(name)}"
        calendar.refuse("timeZone", text, "such as Europe/Berlin or UTC")
        return None
    noons = [datetime(_YEAR, 1, 1, 12, tzinfo=place) + timedelta(days=n) for n in range(365)]
    offsets = [moment.utcoffset() or timedelta() for moment in noons]
    usual = max(offsets, key=offsets.count)
    minutes = int(usual.total_seconds()) // 60
    text = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    if len({*offsets}) > 1:
        calendar.report.warning(
            calendar.at("timeZone"),
            "import-approximated",
            f"{name} has summer time, and a budget's calendar a fixed offset: UTC{text} is taken, "
            f"the one of {offsets.count(usual)} days of the year",
            "correct `utc_offset` if the other one is meant",
        )
    return text if minutes else ""
