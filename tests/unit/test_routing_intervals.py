"""The routing model's time intervals: which instants are within, and which fields are refused."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.routing import ConfigError, TimeInterval


def within(at: str, **fields: object) -> bool:
    return TimeInterval.read(fields).contains(datetime.fromisoformat(at))


@pytest.mark.parametrize(
    ("at", "fields", "expected"),
    [
        ("2026-11-23T09:00:00Z", {"times": [{"start_time": "09:00", "end_time": "17:00"}]}, True),
        ("2026-11-23T16:59:59Z", {"times": [{"start_time": "09:00", "end_time": "17:00"}]}, True),
        ("2026-11-23T17:00:00Z", {"times": [{"start_time": "09:00", "end_time": "17:00"}]}, False),
        ("2026-11-23T23:59:59Z", {"times": [{"start_time": "23:00", "end_time": "24:00"}]}, True),
        ("2026-11-23T12:00:00Z", {"weekdays": ["Monday:Friday"]}, True),
        ("2026-11-22T12:00:00Z", {"weekdays": ["monday:saturday"]}, False),
        ("2026-11-22T12:00:00Z", {"weekdays": ["sunday", "tuesday"]}, True),
        ("2026-11-22T23:30:00Z", {"weekdays": ["monday"], "location": "Europe/Berlin"}, True),
        ("2026-11-23T04:30:00Z", {"weekdays": ["sunday"], "location": "America/New_York"}, True),
        (
            "2026-07-01T07:00:00+02:00",
            {"times": [{"start_time": "05:00", "end_time": "05:01"}]},
            True,
        ),
        ("2026-02-28T12:00:00Z", {"days_of_month": ["-1"]}, True),
        ("2028-02-28T12:00:00Z", {"days_of_month": ["-1"]}, False),
        ("2026-02-28T12:00:00Z", {"days_of_month": ["28:31"]}, True),
        ("2026-02-28T12:00:00Z", {"days_of_month": ["29:31"]}, False),
        ("2026-02-01T12:00:00Z", {"days_of_month": ["-31:-28"]}, True),
        ("2026-11-28T12:00:00Z", {"days_of_month": ["1:-3"]}, True),
        ("2026-11-29T12:00:00Z", {"days_of_month": ["1:-3"]}, False),
        # Clocks go forward on the 29th: 0.25 to 0.34 take this month for one of 30 days.
        ("2026-03-31T12:00:00Z", {"days_of_month": ["-1"], "location": "Europe/Berlin"}, True),
        ("2026-11-23T12:00:00Z", {"months": ["october:december"], "years": ["2026"]}, True),
        ("2026-11-23T12:00:00Z", {"months": ["1:10", "12"]}, False),
        ("2026-11-23T12:00:00Z", {"years": ["2020:2025"]}, False),
        ("2026-11-23T12:00:00Z", {"weekdays": ["monday"], "months": ["12"]}, False),
        ("2026-11-23T12:00:00Z", {"weekdays": []}, False),
        ("2026-11-23T12:00:00Z", {}, True),
    ],
)
def test_an_instant_is_within_an_interval_if_it_is_within_each_field(
    at: str, fields: dict[str, object], *, expected: bool
) -> None:
    assert within(at, **fields) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_last_day_is_the_one_before_another_month(at: datetime) -> None:
    if at.year < MAXYEAR:
        last = (at + timedelta(days=1)).month != at.month
        assert TimeInterval.read({"days_of_month": ["-1"]}).contains(at) == last


@pytest.mark.parametrize(
    "fields",
    [
        {"times": [{"start_time": "22:00", "end_time": "06:00"}]},
        {"times": [{"start_time": "9:00", "end_time": "17:00"}]},
        {"times": [{"start_time": "09:00"}]},
        {"weekdays": ["saturday:sunday"]},
        {"weekdays": ["caturday"]},
        {"weekdays": "monday"},
        {"days_of_month": ["0"]},
        {"days_of_month": ["-1:5"]},
        {"days_of_month": ["30:-1"]},
        {"days_of_month": ["1:2:3"]},
        {"months": ["december:january"]},
        {"months": ["1:2:3"]},
        {"years": ["next"]},
        {"location": "Local"},
        {"location": "Europe/Atlantis"},
        {"hours": ["9"]},
    ],
)
def test_an_interval_that_alertmanager_refuses_or_that_depends_on_it_is_refused(
    fields: dict[str, object],
) -> None:
    with pytest.raises(ConfigError):
        TimeInterval.read(fields)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        TimeInterval().contains(datetime(2026, 11, 23))  # noqa: DTZ001
