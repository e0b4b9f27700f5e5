"""docs/speed.md: its plot is of its table."""

from __future__ import annotations

import re

import pytest
import speed_plot
from cases import ROOT

PAGE = (ROOT / "docs/speed.md").read_text(encoding="utf-8")
HEAD = "| tenants x SLOs | what | wall | CPU |\n|---|---|---:|---:|\n"


def test_plot_of_page_is_of_its_table() -> None:
    """To draw it: make docs."""
    assert (ROOT / "docs/speed.svg").read_text(encoding="utf-8") == speed_plot.drawn(PAGE)
    assert "(speed.svg)" in PAGE


def test_plot_has_four_curves_from_7_to_10_000_slos() -> None:
    curves = speed_plot.seconds(PAGE)
    assert [*curves] == [*speed_plot.CURVES]
    assert {tuple(found) for found in curves.values()} == {(7, 100, 1_000, 10_000)}


def test_plot_places_a_time_between_the_powers_of_ten_that_it_is_between() -> None:
    rows = [
        f"| {size} | {name} | {wall} s | 9.99 s |\n"
        for name in speed_plot.CURVES
        for size, wall in (("10 x 10", "0.10"), ("1 x 1000", "55.00"), ("100 x 100", "1.00"))
    ]
    drawn = speed_plot.drawn(HEAD + "".join(rows))
    curves = re.findall(r'points="([^ ]+) ([^ ]+)" fill="none" stroke="#(?!dddddd)', drawn)
    ends = [tuple(map(float, point.split(","))) for point in curves[0]]
    assert ends == [
        pytest.approx((speed_plot.x(100), speed_plot.y(0.1)), abs=0.1),
        pytest.approx((speed_plot.x(10_000), speed_plot.y(1)), abs=0.1),
    ]
    assert len(curves) == len(speed_plot.CURVES)
    assert speed_plot.y(0.1) - speed_plot.y(1) == pytest.approx(speed_plot.y(1) - speed_plot.y(10))
    assert speed_plot.x(100) - speed_plot.x(10) == pytest.approx(
        speed_plot.x(10_000) - speed_plot.x(1_000)
    )
