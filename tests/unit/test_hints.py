"""Hints that say what to write are followed to the letter: what comes out has no finding."""

from __future__ import annotations

import re
import textwrap

import pytest
import yaml
from linting import findings, wrapped

from slo_compiler.diagnostics import Diagnostic, Severity
from slo_compiler.lint import RULES, Lint

ROUNDS = 6  # after which hints lead nowhere
MATCHER = re.compile(r'write (\w+(?:=~|!~|!=|=)"(?:[^"\\]|\\.)*")')
FUNCTION = re.compile(r"write (\w+)\(\.\.\.\[\$window\]\)")
CALL = re.compile(r"write (\w+\(\w+\[\$window\]\))")
AGGREGATION = re.compile(r"write (sum|avg|min|max|count) by \(([\w, ]+)\) \(\.\.\.\)")
QUERY = re.compile(r"write (errors|good|total): (.+?)(?: and (minus): (.+))?$")
RANGE = re.compile(r"write \[\$window\]")
ALERTING = re.compile(r"(?:write|add) alerting: (\{.*\})")
WRITTEN_MATCHER = re.compile(r'\w+\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"')


def fails(rule: Lint) -> str:
    found = re.search(r"(?m)^Fails:\n\n((?: {4}.*\n|\n(?= {4}))+)", rule.doc + "\n")
    assert found
    return textwrap.dedent(found[1])


def follow(text: str, found: Diagnostic) -> str | None:
    """Rewrite a file as a hint says; None if it does not say what to write."""
    lines = text.splitlines(keepends=True)
    at, begin = found.position.line - 1, found.position.column - 1
    line, end = lines[at], begin + found.position.width
    if said := MATCHER.search(found.help):
        # The value is marked; what is replaced is the matcher around it.
        whole = next(m for m in WRITTEN_MATCHER.finditer(line) if m.start() <= begin < m.end())
        lines[at] = line[: whole.start()] + said[1] + line[whole.end() :]
    elif said := AGGREGATION.search(found.help):
        rest = line[end:].lstrip()
        lines[at] = f"{line[:begin]}{said[1]} by ({said[2]}) {rest}"
    elif said := FUNCTION.search(found.help):
        # The function is marked, or what it is of.
        calls = [m for m in re.finditer(r"\w+(?=\()", line) if m.start() <= begin]
        lines[at] = line[: calls[-1].start()] + said[1] + line[calls[-1].end() :]
    elif said := CALL.search(found.help):
        lines[at] = line[:begin] + said[1] + line[end:]
    elif said := QUERY.search(found.help):
        indent = line[: len(line) - len(line.lstrip())]
        lines[at] = f"{indent}{said[1]}: {said[2]}\n"
        lines[at] += f"{indent}{said[3]}: {said[4]}\n" if said[3] else ""
    elif RANGE.search(found.help):
        lines[at] = line[:begin] + "$window" + line[end:]
    elif said := ALERTING.search(found.help):
        place = next(n for n, each in enumerate(lines) if each.lstrip().startswith("alerting:"))
        there = yaml.safe_load(lines[place])["alerting"]
        wanted = yaml.safe_load(said[1])
        tiers = {**there.pop("tiers", {}), **wanted.pop("tiers", {})}
        joined = {**there, **wanted, **({"tiers": tiers} if tiers else {})}
        flow = yaml.safe_dump({"alerting": joined}, default_flow_style=True, width=1000).strip()
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        lines[place] = f"{indent}{flow[1:-1]}\n"
    else:
        return None
    return "".join(lines)


def mechanical(rule: Lint) -> bool:
    """Whether the hint on a lint's failing example says what to write."""
    files = wrapped(fails(rule))
    return any(
        follow(files[found.position.path], found) is not None
        for found in findings(files)
        if found.id == rule.id
    )


FOLLOWED = [rule for rule in RULES if mechanical(rule)]


def test_many_hints_can_be_followed() -> None:
    assert {rule.id for rule in FOLLOWED} >= {
        "counter-without-rate",
        "guard-out-of-reach",
        "hard-coded-window",
        "impossible-le",
        "increase-not-rate",
        "invented-events",
        "missing-side",
        "one-error-breaks-objective",
        "regex-anchored-twice",
        "regex-as-literal",
        "sum-of-irate",
    }


@pytest.mark.parametrize("rule", FOLLOWED, ids=lambda rule: rule.id)
def test_hint_of_a_failing_example_when_followed_leaves_no_finding(rule: Lint) -> None:
    files = wrapped(fails(rule))
    for _ in range(ROUNDS):
        left = [found for found in findings(files) if found.severity is not Severity.INFO]
        if not left:
            return
        found = next((each for each in left if each.id == rule.id), left[0])
        text = follow(files[found.position.path], found)
        assert text is not None, f"{rule.id}: the hint leads to {found.id}: {found.help}"
        assert text != files[found.position.path]
        files[found.position.path] = text
    pytest.fail(f"{rule.id}: the hints go round in a circle: {left}")
