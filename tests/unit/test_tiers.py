"""Tiers and slices that cannot work: what is wrong, where, and advice that works."""

from __future__ import annotations

import re

import pytest
from linting import findings, told, wrapped

POLICY = """\
policies:
  - name: own
    tiers:
      - {{name: one, severity: page, budget_share: 2%, long_window: 1h, short_window: 5m}}
      - name: {name}
        severity: page
        budget_share: 5%
        long_window: {long}
        short_window: {short}
escalation: [{{severity: page, notify: [chat]}}]
alerting: {{policy: own, runbook: "https://runbooks.example/checkout"}}
"""


def policy(name: str = "two", long: str = "6h", short: str = "30m") -> str:
    return POLICY.format(name=name, long=long, short=short)


def of_tiles(long: str, short: str) -> list[tuple[str, str]]:
    """Give message and help of what is found about windows and their tiles."""
    found = findings(wrapped(policy(long=long, short=short)))
    return [(d.message, d.help) for d in found if d.id == "window-tiles"]


def test_check_tiers_with_a_name_twice_marks_the_second_one() -> None:
    assert told(policy()) == []
    assert told(policy(name="one")) == ['9:17 duplicate-tier "one"']
    (found,) = findings(wrapped(policy(name="one")))
    assert found.message == 'two tiers of own are called "one"'


@pytest.mark.parametrize(
    ("long", "short", "message", "advice"),
    [
        ("6h1m", "30m", "the window 6h1m is no multiple of its tiles, 2m30s", "6h or 6h2m30s"),
        ("8d", "6h4m", "the window 6h4m is no multiple of its tiles, 2m30s", "6h2m30s or 6h5m"),
        ("8d1m", "6h", "the window 8d1m is no multiple of its tiles, 5m", "8d or 8d5m"),
    ],
)
def test_check_tiers_with_a_window_between_tiles_names_those_beside_it(
    long: str, short: str, message: str, advice: str
) -> None:
    """Windows above 6h are summed of tiles of 2m30s; above 4320 of them, 7d12h, of tiles of 5m."""
    assert of_tiles(long, short) == [(message, f"write {advice}")]
    wrong = re.search(r"window (\w+) is", message)
    assert wrong
    for window in advice.split(" or "):
        right = [window if each == wrong[1] else each for each in (long, short)]
        assert of_tiles(*right) == []


def test_check_slices_where_no_slice_fits_says_what_to_change() -> None:
    """Four scrapes of 15s are a minute; whole scrapes and evaluations of 35s meet each 1m45s.

    No number of minutes that divides an hour is a multiple of that: 60m are 34.3 of them.
    """
    text = "budgeting: {timeslices: {slice: 1m, target: 95%, idle: good}}\n"
    project = "prometheus: {evaluation_interval: 35s, retention: 400d}\n"
    (found,) = (d for d in findings(wrapped(project + text)) if d.id == "slice")
    assert found.message == (
        "a slice of 1m does not fit: it must divide 1h and be a multiple of 1m45s, which is what "
        "one sample of events holds"
    )
    assert found.help == (
        "none is: such scrape and evaluation intervals as divide a minute have some"
    )
    followed = findings(wrapped(project.replace("35s", "30s") + text))
    assert "slice" not in {d.id for d in followed}
