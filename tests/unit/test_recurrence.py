"""When local times are in UTC, over changes of the clocks, with instants worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from slo_compiler.recurrence import DAY, WEEK, Pattern, UnknownZoneError, instant, weekly, zone

SUNDAY, MONDAY = 0, 1


def utc(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def test_zone_utc_is_pythons_own_and_others_are_of_the_package() -> None:
    assert zone("UTC") is UTC
    assert datetime(2026, 7, 1, tzinfo=zone("Europe/Berlin")).isoformat()[-6:] == "+02:00"


@pytest.mark.parametrize("name", ["Europe/Atlantis", "Factory", "../../etc/passwd", ""])
def test_zone_of_an_unknown_name_is_an_error(name: str) -> None:
    with pytest.raises(UnknownZoneError):
        zone(name)


@pytest.mark.parametrize(
    ("local", "location", "expected"),
    [
        ("2026-07-01T02:00", "Europe/Berlin", "2026-07-01T00:00"),
        ("2026-07-01T02:00", "UTC", "2026-07-01T02:00"),
        ("2026-03-29T02:30", "Europe/Berlin", None),  # left out
        ("2026-10-25T02:30", "Europe/Berlin", None),  # shown twice
        ("2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00"),
    ],
)
def test_instant_of_a_local_time_is_none_where_clocks_leave_it_out_or_show_it_twice(
    local: str, location: str, expected: str | None
) -> None:
    found = instant(datetime.fromisoformat(local), location)
    assert found == (None if expected is None else utc(expected))


def test_weekly_on_all_days_repeats_each_day_and_leaves_out_what_the_clocks_do() -> None:
    """01:30 to 03:30 in Berlin: from 00:30 UTC in winter, from 23:30 the day before in summer.

    On the 29th the clocks show 03:00 after 01:59, at 01:00 UTC: an hour is left of the two.
    """
    found = weekly(range(7), [(90, 210)], date(2026, 3, 27), date(2026, 3, 31), "Europe/Berlin")
    assert found == (
        Pattern(utc("2026-03-27T00:30"), 7200, DAY, 2),
        Pattern(utc("2026-03-29T00:30"), 1800, DAY, 1),
        Pattern(utc("2026-03-29T01:00"), 1800, DAY, 1),
        Pattern(utc("2026-03-29T23:30"), 7200, DAY, 2),
    )


def test_weekly_in_an_hour_that_comes_twice_is_both() -> None:
    """02:30 to 02:45 on the last Sunday of October: once at 02:00 of UTC+2, once of UTC+1."""
    day = date(2026, 10, 25)
    assert weekly([SUNDAY], [(150, 165)], day, day, "Europe/Berlin") == (
        Pattern(utc("2026-10-25T00:30"), 900, WEEK, 1),
        Pattern(utc("2026-10-25T01:30"), 900, WEEK, 1),
    )


def test_weekly_without_any_of_its_days_is_nothing() -> None:
    tuesday, sunday = date(2026, 11, 24), date(2026, 11, 29)
    assert weekly([MONDAY], [(0, 60)], tuesday, sunday, "UTC") == ()
    assert len(weekly([MONDAY], [(0, 60)], tuesday, date(2026, 11, 30), "UTC")) == 1
