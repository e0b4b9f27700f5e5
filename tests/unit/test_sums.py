"""Lists of queries and `minus` in a ratio: what is missing is zero, and lints send sums there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cases import compiled, tool
from linting import findings, told, wrapped

from slo_compiler.proofs import run as prove

RATE = "sum(rate({}_total[$window]))"
A, B, C = map(RATE.format, "abc")


def ratio(errors: str, total: str, *more: str) -> str:
    lines = (f"errors: '{errors}'", f"total: '{total}'", *more)
    return "ratio:\n" + "".join(f"  {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("fragment", "help_"),
    [
        (ratio("e_total", f"{A} + {B}"), f"write total: ['{A}', '{B}']"),
        (ratio("e_total", f"sum(({A} + {B}))"), f"write total: ['{A}', '{B}']"),
        (ratio(f"{A} + {B} + {C}", "t_total"), f"write errors: ['{A}', '{B}', '{C}']"),
        (ratio("e_total", f"{A} - {B}"), f"write total: '{A}' and minus: '{B}'"),
        (ratio("e_total", f"{A} - ({B} - {C})"), f"write total: ['{A}', '{C}'] and minus: '{B}'"),
        (ratio(f"{A} - {B}", "t_total"), f"write errors: '{A} - ({B} or 0 * {A})'"),
        (
            ratio("e_total", f"{A} - {B} - {C}", "minus: d_total"),
            f"write total: '{A} - ({B} or 0 * {A}) - ({C} or 0 * {A})'",
        ),
        (
            ratio(
                "sum by (region) (rate(a_total[$window])) - rate(b_total[$window])",
                "t_total",
                "by: [region]",
            ),
            (
                "write errors: 'sum by (region) (rate(a_total[$window])) - (sum by (region) "
                "(rate(b_total[$window])) or 0 * sum by (region) (rate(a_total[$window])))'"
            ),
        ),
        (
            ratio("sum(rate(a_total{x=~\"it''s\"}[$window])) + " + B, "t_total"),
            f"write errors: ['sum(rate(a_total{{x=~\"it''s\"}}[$window]))', '{B}']",
        ),
    ],
)
def test_sum_with_a_side_that_may_be_missing_is_sent_to_what_works(
    fragment: str, help_: str
) -> None:
    """The hint, put in the place of what was written, is clean of this lint."""
    found = [d for d in findings(wrapped(fragment)) if d.id == "missing-side"]
    assert [d.help for d in found] == [help_]
    written = re.fullmatch(
        r"write (?P<key>\w+): (?P<value>.*?)(?: and (?P<minus>minus: .*))?", help_
    )
    assert written
    key, value, minus = written["key"], written["value"], written["minus"]
    followed = re.sub(rf"(?m)^  {key}: .*$", lambda _: f"  {key}: {value}", fragment)
    followed += f"  {minus}\n" if minus else ""
    ids = {d.id for d in findings(wrapped(followed))}
    assert "missing-side" not in ids
    assert ids <= {"regex-no-effect"}


@pytest.mark.parametrize(
    "total",
    [
        "t_total",
        f"{A} / {B}",
        f"{A} or {B}",
        f"{A} + 1",
        f"{A} - ({B} or 0 * {A})",
        f"{A} + ({B} or 0 * {A})",
        "sum(rate(a_total[$window]) + on (x) group_left () rate(b_total[$window]))",
    ],
)
def test_query_that_lacks_nothing_is_left_alone(total: str) -> None:
    assert "missing-side" not in {d.id for d in findings(wrapped(ratio("e_total", total)))}


def test_finding_in_a_list_is_at_its_query() -> None:
    fragment = "ratio:\n  errors: [e_total, 'sum(rate(x_total[$window])']\n  total: t_total\n"
    assert [line.split(" ")[:2] for line in told(fragment)] == [["17:33", "promql-syntax"]]
    fragment = f"ratio:\n  errors: e_total\n  total:\n    - t_total\n    - '{A} + {B}'\n"
    assert told(fragment) == [f'20:16 missing-side "{A} + {B}"']


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ("[]", "expected 1 to 16 queries, found none"),
        (f"[{', '.join(['a_total'] * 17)}]", "expected 1 to 16 queries, found 17"),
        ("[a_total, 5]", "expected text, found 5"),
        ("{a: b}", "expected text, found a mapping"),
        ('""', "the text is empty"),
    ],
)
def test_list_of_something_else_is_refused(errors: str, message: str) -> None:
    found = findings(wrapped(f"ratio:\n  errors: {errors}\n  total: t_total\n"))
    assert [d.message for d in found] == [message]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("written", "mutated"),
    [
        ('"__term__", "2"', '"__term__", "1"'),  # `or` leaves the second one out
        ("or\n              0 * sum by (region)", "and\n              0 * sum by (region)"),
        ("rate(queue_cancelled_total", "2 * rate(queue_cancelled_total"),
    ],
)
def test_proofs_fail_where_a_side_is_lost(written: str, mutated: str, tmp_path: Path) -> None:
    changed = 0
    for artefact in compiled("sums").artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = artefact.text
        if "/rules/" in artefact.path:
            text, changed = text.replace(written, mutated), text.count(written)
        if artefact.path.endswith(("rules/sums.yml", "sums_1m.yml")):
            path.write_text(text, encoding="utf-8")
    assert changed
    file = tmp_path / "prometheus/tests/sums_1m.yml"
    result = prove.unit_job(tool("forky", "promtool"), file)()
    assert any("queue/messages: with" in str(failure) for failure in result.failures)
