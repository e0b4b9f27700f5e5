"""Front ends: a made-up format, read by one more entry of the registry."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from slo_compiler import frontend, pipeline
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.frontend.base import FrontEnd
from slo_compiler.frontend.translate import From, replaced, translated
from slo_compiler.source import Document, SourceFile

FOREIGN = """\
apiVersion: toy.example/v1
kind: Objective
team: {id: customer-b, mail: sre@customer-b.example}
chat: "http://chat.internal/"
goal: 99.9
of: checkout
bad: |
  sum(rate(http_requests_total{code=~"5.."}[RANGE]))
all: sum(rate(http_requests_total[RANGE]))
"""


def read(document: Document, _report: Report) -> Iterable[Document]:
    """Read one objective as a tenant with one ratio SLO."""
    data = document.data

    def copied(*loc: str) -> From:
        value = data
        for step in loc:
            value = value.get(step, {})
        return From(value, loc)

    slo = {
        "name": "availability",
        "service": copied("of"),
        "objective": copied("goal"),
        "sli": {
            "ratio": {
                "errors": replaced(document, ("bad",), "RANGE", "$window"),
                "total": replaced(document, ("all",), "RANGE", "$window"),
            }
        },
    }
    channel = {"name": "chat", "webhook": {"url": copied("chat")}}
    yield translated(
        document,
        {
            "apiVersion": "slo-compiler/v1",
            "kind": "Tenant",
            "metadata": {"name": copied("team", "id"), "owner": copied("team", "mail")},
            "spec": {
                "channels": [channel],
                "escalation": [
                    {"severity": severity, "notify": ["chat"]} for severity in ("page", "ticket")
                ],
                "slos": [From(slo, ("goal",))],
            },
        },
    )


TOY = FrontEnd("toy.example/v1", "Objective", "made up", read)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend, "FRONT_ENDS", (*frontend.FRONT_ENDS, TOY))


def compiled(text: str) -> pipeline.Compiled:
    file = SourceFile("toy.yaml", "toy.yaml", text.encode())
    report = Report()
    return pipeline.compile_project(pipeline.read_project(None, report), [file], report)


def planned(report: Report | None = None) -> pipeline.Planned:
    report = report or Report()
    file = SourceFile("toy.yaml", "toy.yaml", FOREIGN.encode())
    return pipeline.plan_project(pipeline.read_project(None, report), [file], report)


def findings(text: str) -> list[tuple[int, int, int, str]]:
    with pytest.raises(CompileError) as raised:
        compiled(text)
    errors = [d for d in raised.value.diagnostics if d.severity == "error"]
    assert {d.position.path for d in errors} == {"toy.yaml"}
    return [(d.position.line, d.position.column, d.position.width, d.id) for d in errors]


@pytest.mark.processes
def test_front_end_foreign_document_compiles_to_rules_of_its_tenant() -> None:
    result = compiled(FOREIGN)
    (tenant,) = planned().tenants
    (slo,) = tenant.slos
    assert (tenant.name, slo.spec.service, str(slo.objective)) == ("customer-b", "checkout", "99.9")
    rules = next(a.text for a in result.artefacts if a.path.endswith("customer-b.yml"))
    assert 'http_requests_total{code=~"5..",tenant="customer-b"}[1m15s]' in rules


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("goal: 99.9", "goal: 0.999", (5, 7, 5, "objective")),
        ("id: customer-b", "id: Customer_B", (3, 12, 10, "name")),
        ("http://chat.internal/", "chat", (4, 7, 6, "url")),
        ("of: checkout", "of: 5", (6, 5, 1, "type")),
        ("all: sum(", "all: sun(", (9, 6, 3, "promql-syntax")),
        ("total[RANGE]))\n", "total[RANGE] offset 1x))\n", (9, 49, 2, "promql-span")),
        ("http_requests_total{code", '{job="x",code', (8, 12, 1, "no-metric-name")),
        ('=~"5.."', '=~"5..",tenant="c"', (8, 52, 1, "other-tenant")),
    ],
)
def test_front_end_wrong_value_is_reported_at_its_foreign_place(
    old: str, new: str, expected: tuple[int, int, int, str]
) -> None:
    assert old in FOREIGN
    assert findings(FOREIGN.replace(old, new)) == [expected]


def test_front_end_lint_is_reported_at_foreign_lines() -> None:
    report = Report()
    planned(report)
    assert {(d.position.path, d.position.line) for d in report.diagnostics} == {
        ("toy.yaml", 3),
        ("toy.yaml", 5),
    }


def test_front_ends_have_different_keys() -> None:
    keys = [(each.api_version, each.kind) for each in frontend.FRONT_ENDS]
    assert len(keys) == len({*keys})
