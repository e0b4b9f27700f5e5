"""Which feature works on which engine: the table of docs/engines.md is what the emitters do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from cases import ROOT, WORDS, compiled

from slo_compiler.diagnostics import Report, Severity
from slo_compiler.emit import mimir, operator, thanos, victoriametrics
from slo_compiler.emit.emitter import Emitter, TenantContext

PAGE = ROOT / "docs/engines.md"
BEGIN, END = "<!-- matrix: tests/unit/test_matrix.py -->\n", "<!-- end of matrix -->\n"
EMITTERS = (thanos.EMITTER, operator.EMITTER, mimir.EMITTER, victoriametrics.EMITTER)
WITHOUT = "SLORuleGroupFailing"  # which is in the rules of the platform, on Mimir


def outcome(word: str, emitter: Emitter) -> str:
    """Emit the tenants of a word, and compare their rules with those of Prometheus."""
    whole, report = compiled(word), Report()
    assert emitter.tenant is not None
    spec = whole.settings.spec.model_copy(update={"targets": [emitter.name]})
    same, groups = True, True
    for planned, rules in zip(whole.plan.tenants, whole.rules, strict=True):
        found = emitter.tenant(TenantContext(planned, rules, spec, whole.tenants), report)
        if any(d.severity is Severity.ERROR for d in report.diagnostics):
            return f"refused: `{report.diagnostics[0].id}`"
        own = [g for a in found.artefacts for g in yaml.safe_load(a.checked)["groups"]]
        theirs = prometheus(word, planned.name)
        same = same and rules_of(own) == rules_of(theirs)
        groups = groups and [g["name"] for g in own] == [g["name"] for g in theirs]
    if report.diagnostics:
        return f"as is, but for `{report.diagnostics[0].id}`"
    return "as is" if same and groups else "groups split" if emitter is mimir.EMITTER else "adapted"


def prometheus(word: str, tenant: str) -> list[dict[str, Any]]:
    path = f"prometheus/rules/{tenant}.yml"
    (text,) = (a.text for a in compiled(word).artefacts if a.path == path)
    groups: list[dict[str, Any]] = yaml.safe_load(text)["groups"]
    return groups


def rules_of(groups: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    return [rule for g in groups for rule in g["rules"] if rule.get("alert") != WITHOUT]


def matrix() -> str:
    lines = [
        "| Manifest | " + " | ".join(f"`{each.name}`" for each in EMITTERS) + " |",
        "|---|" + "---|" * len(EMITTERS),
    ]
    for word in WORDS:
        cells = " | ".join(outcome(word, emitter) for emitter in EMITTERS)
        lines.append(f"| `{word}` | {cells} |")
    return "\n".join(lines) + "\n"


@pytest.mark.processes
def test_the_table_is_what_the_emitters_do() -> None:
    before, begun, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    assert begun, "the page has lost its table"
    table, ended, _ = rest.partition(END)
    assert ended
    assert before
    assert table == matrix()
