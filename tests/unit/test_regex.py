"""Regular expressions match as Prometheus' own do, in little time."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from cases import tool
from hypothesis import given, settings
from hypothesis import strategies as st

from slo_compiler.promql import MAX_LENGTH, Matcher
from slo_compiler.promql.examples import examples
from slo_compiler.regex import RegexError, check_regex, matches_whole, matches_whole_line
from slo_compiler.templating import promql_string

quick = settings(max_examples=150)
letters = st.text("abc1.-é", min_size=1, max_size=3)


def _patterns() -> st.SearchStrategy[str]:
    """Patterns of every part of RE2's syntax."""
    parts = (
        ".",
        "[a-c]",
        "[^a]",
        r"\d",
        r"\w",
        r"\S",
        r"\.",
        "[[:alpha:]]",
        r"\x61",
        r"\Qa.b\E",
        r"\pL",
    )
    atoms = st.one_of(letters, st.sampled_from(parts))
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map("|".join),
            st.lists(inner, min_size=2, max_size=3).map("".join),
            st.builds("({})".format, inner),
            st.builds("(?i:{})".format, inner),
            st.builds(
                "(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "*?"])
            ),
        ),
        max_leaves=5,
    )


@quick
@given(_patterns())
def test_examples_of_a_simple_pattern_are_some_and_match(pattern: str) -> None:
    found = [*examples(pattern)]
    assert found
    assert all(matches_whole(pattern, text) for text in found)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("5..", ["500"]),
        ("[45]..|3", ["400", "3"]),
        ("a|b|", ["a", "b", ""]),
        ("(a|b)c", ["ac", "bc"]),
        ("x{2,}", ["xx", "xxx"]),
        ("x{2}y?", ["xx", "xxy"]),
        (r"\Qa.b\E+", ["a.b", "a.bb"]),
        (r"[^/]+\d", ["x0", "xx0"]),
        (r"[\]a]", ["]"]),
        (r"\x41\x{42}\103", ["ABC"]),
        ("(?i)a(?P<n>b)", ["ab"]),
        (r"^a\b$", ["a"]),
        ("", [""]),
        ("{x}", ["{x}"]),
        ("(", []),
        (r"a\bb", []),  # matches nothing
        ("x{1000}" * 3, []),  # too long for a label
        ("(" * 200 + ")" * 200, []),
    ],
)
def test_examples_of_each_part_of_the_syntax(pattern: str, expected: list[str]) -> None:
    assert [*examples(pattern)] == expected


HOSTILE = (
    "(x+x+)+y|x{40}z",
    "(a*)*" * (MAX_LENGTH // 5),
    "x{1000}" * (MAX_LENGTH // 7),
    "(" * (MAX_LENGTH // 2) + ")" * (MAX_LENGTH // 2),
    "|".join(f"value{n}.*" for n in range(MAX_LENGTH // 12)),
    r"\pL{900}" * (MAX_LENGTH // 8),
    "(.*)" * (MAX_LENGTH // 4) + "x",
    "(?i)" + "[a-zé]" * (MAX_LENGTH // 6),
)


@pytest.mark.parametrize("pattern", HOSTILE, ids=lambda pattern: pattern[:12])
def test_regex_up_to_the_length_limit_is_answered_in_seconds(pattern: str) -> None:
    """At most 0.3 s each, where nothing else runs; without bounds it would be minutes or hours."""
    start = time.process_time()
    try:
        for text in ("", "x" * 40, "x" * 1_000, *examples(pattern)):
            matches_whole(pattern, text)
    except RegexError:
        assert not [*examples(pattern)]
    assert time.process_time() - start < 10


def test_regex_of_prometheus_lets_a_dot_match_a_line_feed_and_of_alertmanager_does_not() -> None:
    assert matches_whole("a.b", "a\nb")
    assert not matches_whole_line("a.b", "a\nb")
    assert matches_whole("a$", "a")
    assert not matches_whole("a$", "a\n")


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        ("a(b", "a(b"),
        ("ab{1001}c", "{1001}"),
        (r"a\C", r"\C"),
        ("a**b", "**"),
        ("a\ud800", "\ud800"),
    ],
)
def test_check_regex_with_what_re2_refuses_names_the_part(
    pattern: str, part: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RegexError) as refused:
        check_regex(pattern)
    assert pattern[refused.value.offset : refused.value.offset + refused.value.width] == part
    assert capfd.readouterr() == ("", "")  # RE2 logs nothing


def _drawn() -> list[tuple[str, str]]:
    """Draw patterns and texts; the same in every run."""
    found: list[tuple[str, str]] = []

    @settings(max_examples=120, derandomize=True, database=None)
    @given(_patterns(), st.text("abcABC1.-é_ ", max_size=4))
    def collect(pattern: str, text: str) -> None:
        found.extend((pattern, value) for value in (text, *list(examples(pattern))[:3]))

    collect()
    return [pair for pair in dict.fromkeys(found) if pair[1]]


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_matcher_accepts_what_promtool_selects(suite: str, tmp_path: Path) -> None:
    """One file with a series for each pair, and a query for each that counts what it selects."""
    pairs = _drawn()
    accepted = [Matcher("v", "=~", pattern).accepts({"v": text}) for pattern, text in pairs]
    assert len(pairs) > 100
    assert {True, False} == {*accepted}
    series = [
        {"series": f'x{{n="{n}",v={promql_string(text)}}}', "values": "1x1"}
        for n, (_, text) in enumerate(pairs)
    ]
    checks = [
        {
            "expr": f'count(x{{n="{n}",v=~{promql_string(pattern)}}}) or vector(0)',
            "eval_time": "0m",
            "exp_samples": [{"labels": "{}", "value": int(found)}],
        }
        for n, ((pattern, _), found) in enumerate(zip(pairs, accepted, strict=True))
    ]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": checks}
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [], "tests": [test]}), encoding="utf-8")
    done = subprocess.run(
        [tool(suite, "promtool"), "test", "rules", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:3_000]
