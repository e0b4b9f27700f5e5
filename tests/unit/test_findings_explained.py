"""Every ID that can be printed is explained."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from cases import ROOT
from click.testing import CliRunner

from slo_compiler.cli import main
from slo_compiler.lint import RULES
from slo_compiler.lint.errors import errors

ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# What makes a finding, and which of its arguments is the ID.
MAKERS = {"error": 1, "warning": 1, "info": 1, "QueryError": 0, "invalid": 0}
LISTS = {"cls": 1, "_TooMuchError": 0}  # of load.py and source.py
MADE = {  # put together at run time: f"needs-{engine}" and such
    *("needs-prometheus", "needs-alertmanager", "unknown-slo", "unknown-tenant"),
    *("missing-label", "duplicate-component", "composite-of-composite", "live-matcher"),
}


def literals(node: ast.expr) -> Iterator[str]:
    """Give the texts that an argument may be."""
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def ids_in_the_code() -> set[str]:
    found = set()
    for path in (ROOT / "slo_compiler").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            places = MAKERS | (LISTS if path.name in {"load.py", "source.py"} else {})
            if name in places and len(node.args) > places[name]:
                found |= {*filter(ID.fullmatch, literals(node.args[places[name]]))}
    return found


def ids_in_the_tests() -> set[str]:
    texts = (
        path.read_text(encoding="utf-8") for path in (ROOT / "tests/unit/bad_input").glob("*.txt")
    )
    return {found for text in texts for found in re.findall(r"(?:error|warning)\[([^]]+)]", text)}


def test_every_id_that_can_be_printed_has_an_explanation() -> None:
    known = {*errors(), *(rule.id for rule in RULES)}
    printed = ids_in_the_code() | ids_in_the_tests() | MADE
    assert len(printed) > 100
    assert printed - known == set()


def test_no_error_is_explained_twice_or_as_a_lint() -> None:
    text = (ROOT / "slo_compiler/lint/errors.txt").read_text(encoding="utf-8")
    ids = [line.partition(": ")[0] for line in text.splitlines()]
    assert ids == sorted({*ids} - {rule.id for rule in RULES})
    for line in text.splitlines():
        assert re.fullmatch(r"[a-z0-9-]+: \S.* .*[.*]", line), line


@pytest.mark.parametrize("id_", ["unknown-key", "fires-within-budget", "live-by"])
def test_lints_explains_an_id(id_: str) -> None:
    done = CliRunner().invoke(main, ["lints", id_])
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{id_} (")


def test_lints_of_a_misspelled_error_names_the_nearest() -> None:
    done = CliRunner().invoke(main, ["lints", "unknown-keys"])
    assert done.exit_code == 2
    assert 'did you mean "unknown-key"?' in done.stderr
