"""docs/same.md: imported examples alert as their tools do, and each difference has its reason."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import same
from cases import ROOT
from same import BEGIN, END, Condition, Example, examples, examples_of

from slo_compiler.duration import Duration

# Inputs whose windows are others, and those that cannot be expressed; all others are the same.
MOVED = {"pyrra-window-30d-window-30d", "openslo-ratio-with-alerts-answers"}
LOW = "sloth-low-objective-answers"  # of which a ratio above 1 would be needed
REFUSED = {"plugin", "victoria-metrics", "dynamic-burn-rate", "composite"}
EXPRESSED = [file for file in same.INPUTS if file.stem not in REFUSED]


def name_of(file: Path) -> str:
    return f"{file.parent.name}-{file.stem}"


@pytest.mark.parametrize("file", EXPRESSED, ids=name_of)
def test_examples_alert_at_the_thresholds_and_windows_of_their_tool(file: Path) -> None:
    for example in examples_of(file):
        assert [each.threshold for each in example.ours] == [
            each.threshold for each in example.expected if each.threshold < 1
        ], example.name
        assert example.same == (example.name not in MOVED | {LOW}), example.name


@pytest.mark.parametrize("file", EXPRESSED, ids=name_of)
def test_examples_read_what_their_tool_reads(file: Path) -> None:
    for example in examples_of(file):
        assert example.queries
        for tool, ours in example.queries:
            assert same.missing(tool, ours) == set(), (example.name, ours)


def test_windows_that_moved_are_off_by_less_than_half_a_percent() -> None:
    (moved,) = (each for each in examples() if each.name == "pyrra-window-30d-window-30d")
    for wanted, ours in zip(moved.expected, moved.ours, strict=True):
        for tool, own in zip(wanted.windows, ours.windows, strict=True):
            assert abs(Fraction(own.ms, tool.ms) - 1) < Fraction(1, 200)


def test_examples_that_cannot_be_expressed_are_those_of_the_page_with_a_reason() -> None:
    refused = [example for example in examples() if example.refused]
    assert {example.kind for example in refused} == REFUSED
    assert all(same.difference(example) for example in refused)


def test_each_input_has_a_row() -> None:
    files = {(file.parent.name, file.stem) for file in same.INPUTS}
    assert {(each.tool, each.kind) for each in examples()} == files


def test_page_has_the_table_of_now() -> None:
    page = (ROOT / "docs/same.md").read_text(encoding="utf-8")
    assert page.split(BEGIN)[1].split(END)[0] == same.table()


@pytest.mark.parametrize(
    ("tool", "ours"),
    [
        ('sum(rate(a_total{code="5"}[W]))', 'sum(rate(a_total{code="4",tenant="shop"}[1m15s]))'),
        ("sum(rate(a_total[W]))", 'sum(rate(b_total{tenant="shop"}[1m15s]))'),
        ('sum(rate(a_total{x="1"}[W]))', 'sum(rate(a_total{tenant="shop"}[1m15s]))'),
        ("sum(rate(a_total[W]))", 'sum(rate(a_total{tenant="shop"}[5m]))'),
    ],
)
def test_another_query_is_a_difference(tool: str, ours: str) -> None:
    assert same.missing(tool, ours)


def test_another_threshold_is_a_difference() -> None:
    windows = (Duration.of(hours=1), Duration.of(minutes=5))
    one, two = (Condition(Fraction(number, 1000), windows) for number in (14, 15))
    assert not Example("sloth", "x", "y", (one,), (two,), ()).same
