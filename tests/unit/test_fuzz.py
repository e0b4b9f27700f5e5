"""Of hostile texts of all kinds nothing raises, hangs, or gets out; `make fuzz` draws more."""

from __future__ import annotations

from collections import Counter

import pytest
from fuzz_properties import (
    SHORT,
    Property,
    check_confined,
    draw,
    folder_of,
    outcome,
    project_is_refused_or_confined,
    query_is_refused_or_confined,
)
from fuzzing import FILES, TENANT, Project, manifests

from slo_compiler import promql
from slo_compiler.promql import QueryError
from slo_compiler.promql.syntax import PANIC

EXAMPLES = 20  # of each property
SILENT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: alpha, owner: x}
spec:
  slos:
    - {name: up, service: web, objective: 99, sli: {availability: {gauge: up}}, alerting: none}
"""


@pytest.mark.processes
@pytest.mark.parametrize("holds", SHORT, ids=lambda function: function.__name__)
def test_property_of_hostile_texts_holds(holds: Property) -> None:
    draw(holds, EXAMPLES, counts := Counter())
    assert counts["executions"] > 0


@pytest.mark.processes
def test_manifests_of_good_will_compile_and_are_confined() -> None:
    compiled, some = 0, manifests()[::4]
    for text in some:
        with folder_of(FILES | {TENANT: text}) as folder:
            files = outcome(folder)
        if isinstance(files, dict):
            check_confined(files)
            compiled += 1
    assert compiled > len(some) * 2 // 3


def test_tenant_without_alerts_beside_another_is_confined() -> None:
    assert project_is_refused_or_confined(Project(TENANT, FILES | {TENANT: SILENT}))


def test_panic_of_the_parser_is_a_finding_and_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def panics(*_: object) -> str:
        raise QueryError("promql-syntax", PANIC)

    monkeypatch.setattr(promql, "samples", panics)
    with pytest.raises(AssertionError, match="the parser panicked"):
        query_is_refused_or_confined("up")
