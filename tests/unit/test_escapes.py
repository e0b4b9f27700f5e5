"""Each hostile manifest of tests/unit/escapes is refused at its place, or confined."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest
from cases import ROOT
from confinement import ALERTMANAGER, check_routing, check_rules, check_shared, parts_of
from escapes import HOSTILE, OTHER, Case, classes, page

from slo_compiler.api import Result
from slo_compiler.diagnostics import Severity
from slo_compiler.lint.errors import errors

CASES = [pytest.param(case, id=f"{one.id}: {case.case}") for one in classes() for case in one.cases]
LEAST = 100  # cases


RULES = f"prometheus/rules/{HOSTILE}.yml"


@cache
def benign() -> Result:
    """Compile a manifest of good will beside the other tenant's."""
    result = Case("good will").compiled()
    assert result.ok, result.diagnostics
    return result


def check_all(files: Mapping[str, str]) -> None:
    """Check that the output of a tenant is confined."""
    check_rules(files, HOSTILE)
    check_shared(files, HOSTILE, OTHER)
    check_routing(files, HOSTILE, OTHER)
    assert parts_of(files, OTHER) == parts_of(benign().artefacts, OTHER)


@pytest.mark.processes
@pytest.mark.parametrize("case", CASES)
def test_hostile_manifest_is_refused_at_its_place_or_confined(case: Case) -> None:
    result = case.compiled()
    found = [each for each in result.diagnostics if each.severity is Severity.ERROR]
    if case.refused:
        marked = []
        for each in found:
            at = each.position
            line = case.sources.get(at.path, "").split("\n")[at.line - 1]
            marked.append((each.id, line[at.column - 1 : at.column - 1 + at.width]))
        assert (case.refused, case.at) in marked, found
        assert case.refused in errors()
        assert not result.artefacts
    else:
        assert not found
        check_all(result.artefacts)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (RULES, 'rate(requests_total{tenant="alpha"}', "rate(requests_total{}"),
        (RULES, 'rate(requests_total{tenant="alpha"}', 'rate(requests_total{tenant="beta"}'),
        (RULES, 'rate(requests_total{tenant="alpha"}', 'rate(requests_total{tenant=~"alpha"}'),
        (RULES, 'tenant: "alpha"', 'tenant: "beta"'),
        (RULES, 'ratio{tenant=\\\\\\"alpha\\\\\\",', "ratio{"),
        (RULES, "Requests answered", "{{ query `up` }}"),
        (RULES, 'class: "gold"', 'class: "{{ query `up` }}"'),
        (ALERTMANAGER, 'receiver: "slo/alpha/page"', 'receiver: "slo/beta/page"'),
        (ALERTMANAGER, "/secrets/alpha/", "/secrets/beta/"),
        (ALERTMANAGER, "equal: [tenant, service", "equal: [service"),
    ],
)
def test_confinement_of_output_that_escapes_is_not_shown(file: str, old: str, new: str) -> None:
    files = dict(benign().artefacts)
    assert old in files[file]
    files[file] = files[file].replace(old, new)
    with pytest.raises((AssertionError, ValueError)):
        check_all(files)


def test_escapes_are_a_hundred_cases_of_different_names() -> None:
    names = [case.case for one in classes() for case in one.cases]
    assert len(names) >= LEAST
    assert len({*names}) == len(names)


def test_page_on_security_lists_the_escapes() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    assert text == page(text), "make docs"
