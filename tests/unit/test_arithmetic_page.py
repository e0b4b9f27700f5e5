"""docs/arithmetic.md: its plots and numbers are those of the compiler's own arithmetic."""

from __future__ import annotations

import textwrap
from decimal import Decimal
from fractions import Fraction

import plots
import pytest
from cases import EXAMPLES, ROOT, compiled
from pages import blocks

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn

PAGE = ROOT / "docs/arithmetic.md"
TEXT = PAGE.read_text(encoding="utf-8")


def explained() -> list[list[str]]:
    """Give the table of a real SLO's explanation, which another module computes."""
    lines = (ROOT / "tests/unit/explained/customer-b.txt").read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.split()[:1] == ["tier"])
    return [line.split() for line in lines[start + 1 : start + 5]]


def test_plots_and_numbers_of_page_are_those_of_the_compiler() -> None:
    """To write them: make docs."""
    for path, content in plots.files(ROOT / "docs"):
        assert path.read_text(encoding="utf-8") == content, path.name


def test_worked_numbers_are_those_that_explain_prints() -> None:
    (table,) = [block for language, block in blocks(TEXT) if language == "text"]
    for row, line in zip(explained(), table.splitlines()[1:], strict=True):
        name, threshold, at_once, ends = row[0], row[6], row[-3], row[-1]
        assert {name, threshold, at_once, ends} <= {*line.split()}


@pytest.mark.processes
def test_page_rule_is_in_the_compiled_rules() -> None:
    (quoted,) = [block for language, block in blocks(TEXT) if language == "yaml"]
    path = naming.rules_file("customer-b")
    (rules,) = (a.text for a in compiled(EXAMPLES).artefacts if a.path == path)
    assert textwrap.indent(quoted, " " * 6) in rules


def test_page_numbers_of_budgets_are_right() -> None:
    budget = burn.error_budget(Decimal("99.9"))
    factor = burn.burn_factor(Decimal(2), plots.PERIOD, Duration.of(hours=1))
    assert f"error budget = 1 - objective = {burn.literal(budget)}\n" in TEXT
    spent = Fraction(plots.PERIOD.ms, 3_600_000) / factor
    assert f"At 14.4 it is spent in 30d / {burn.literal(factor)} = {spent}h, or" in TEXT
    assert "lasts 30d x 0.5 / 3 = 5d." in TEXT
    assert Fraction(30) * Fraction("0.5") / 3 == 5


def test_page_ratios_of_a_day_are_right() -> None:
    right, wrong = plots.day()
    assert f"50 / (8 x 100 + 16 x 1000)  = 50 / 16800 = {burn.percent(right)}\n" in TEXT
    assert f"50% / 24                               = {burn.percent(wrong)}\n" in TEXT
    assert (right, wrong) == (Fraction(50, 8 * 100 + 16 * 1000), Fraction(1, 2) / 24)
    assert wrong / right == 7  # "seven times as high"
    one_percent = Fraction(1, 100)
    assert right / one_percent < Fraction(1, 3)  # "less than a third of it is"
    assert wrong / one_percent > 2  # "spent twice over"
