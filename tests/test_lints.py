"""Each lint's own examples: the first is found, at this place and in these words, the second not.

tests/lints/<ID>.txt holds the example in a whole manifest, and what is told of it;
`pytest --snapshot-update` writes it anew: read the diff.
"""

from __future__ import annotations

import re
import textwrap

import click
import pytest
from cases import ROOT
from click.testing import CliRunner
from linting import findings, told, wrapped

from slo_compiler import report as reporting
from slo_compiler.cli import main
from slo_compiler.lint import MODULES, RULES, document
from slo_compiler.lint.base import Rule

each_lint = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def example(rule: Rule, word: str) -> str:
    """Take an example out of a lint's docstring."""
    found = re.search(rf"(?m)^{word}:\n\n((?: {{4}}.*\n|\n(?= {{4}}))+)", rule.doc + "\n")
    assert found, f"{rule.id} has no {word}"
    return textwrap.dedent(found[1])


def test_the_manifest_around_the_examples_is_clean() -> None:
    assert told("") == []


@each_lint
def test_what_fails_is_found_with_these_words(rule: Rule, request: pytest.FixtureRequest) -> None:
    files = wrapped(example(rule, "Fails"))
    found = findings(files)
    assert {d.id for d in found} == {rule.id}
    assert {d.severity for d in found} == {rule.severity}
    text = "".join(f"-- {name} --\n{content}" for name, content in files.items())
    text += f"-- told --\n{click.unstyle(reporting.text(found))}"
    snapshot = ROOT / "tests" / "lints" / f"{rule.id}.txt"
    if request.config.getoption("update_snapshots"):
        snapshot.write_text(text, encoding="utf-8")
    assert text == snapshot.read_text(encoding="utf-8")


@each_lint
def test_what_passes_is_clean(rule: Rule) -> None:
    assert told(example(rule, "Passes")) == []


@each_lint
def test_each_finding_has_a_next_step(rule: Rule) -> None:
    for found in findings(wrapped(example(rule, "Fails"))):
        assert found.help
        assert not found.help.endswith(".")


def test_each_lint_is_a_module_of_its_name_and_registered_once() -> None:
    folder = ROOT / "slo_compiler" / "lint"
    others = {"__init__", "base", "queries", "switches", "document"}
    names = {path.stem for path in folder.glob("*.py")} - others
    assert sorted(m.__name__.rsplit(".", 1)[-1] for m in MODULES) == sorted(names)
    assert [rule.id.replace("-", "_") for rule in RULES] == [
        m.__name__.rsplit(".", 1)[-1] for m in MODULES
    ]
    assert {f"{rule.id}.txt" for rule in RULES} == {
        path.name for path in (ROOT / "tests" / "lints").iterdir()
    }


def test_the_page_is_up_to_date() -> None:
    """To write it: python -m slo_compiler.lint.document > docs/lints.md."""
    assert (ROOT / "docs" / "lints.md").read_text(encoding="utf-8") == document.markdown()


def test_the_command_lists_and_explains() -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["lints", *arguments], catch_exceptions=False)
        return done.exit_code, done.output

    code, listed = run()
    assert code == 0
    assert re.search(r"(?m)^page-muted +warning +Pages are muted at some hours", listed)
    assert len(listed.splitlines()) == len(RULES)
    code, one = run("page-muted")
    assert (code, one.splitlines()[0]) == (0, "page-muted (warning)")
    assert "Fails:\n\n    escalation:\n" in one
    code, wrong = run("page-mute")
    assert code == 2
    assert 'no lint "page-mute": did you mean "page-muted"?' in wrong
