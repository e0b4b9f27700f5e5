"""Each cell of the matrix of docs/engines.md, by the engine's own checker.

vmalert and vmalert-tool check theirs in test_vmalert_proofs.py, models of the Prometheus Operator
its objects in test_engines.py. Thanos and Mimir read rules with Prometheus' own code, and promtool
is that code; keys that only they know are left out for it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cases import WORDS, compiled, tool

from slo_compiler.diagnostics import Report, Severity
from slo_compiler.emit import mimir, operator, thanos, victoriametrics
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emitter, ProjectContext, TenantContext

EMITTERS = (thanos.EMITTER, operator.EMITTER, mimir.EMITTER, victoriametrics.EMITTER)
REFUSED = {("native-histograms", "victoriametrics")}


def emitted(word: str, emitter: Emitter) -> Sequence[Artefact]:
    """Return all that a target writes for a word, or nothing if it refuses it."""
    whole, report = compiled(word), Report()
    spec = whole.settings.spec.model_copy(update={"targets": [emitter.name]})
    assert emitter.tenant is not None
    emissions = [
        emitter.tenant(TenantContext(planned, rules, spec, whole.tenants), report)
        for planned, rules in zip(whole.plan.tenants, whole.rules, strict=True)
    ]
    refused = any(found.severity is Severity.ERROR for found in report.diagnostics)
    assert refused == ((word, emitter.name) in REFUSED)
    if refused:
        return ()
    if emitter.project is not None:
        context = ProjectContext(spec, whole.settings.at("spec"))
        facts = [emission.facts for emission in emissions]
        emissions.append(emitter.project(facts, context, report))
    return [artefact for emission in emissions for artefact in emission.artefacts]


def run(command: Sequence[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("emitter", EMITTERS, ids=lambda emitter: emitter.name)
def test_every_word_passes_the_checker_of_each_target(emitter: Emitter, tmp_path: Path) -> None:
    found: dict[str, list[Path]] = {"promtool": [], "amtool": []}
    for word in WORDS:
        artefacts = emitted(word, emitter)
        checked = [each for each in artefacts if each.checker]
        assert bool(checked) != ((word, emitter.name) in REFUSED)
        for number, artefact in enumerate(checked):
            path = tmp_path / f"{word}-{number}.yml"
            path.write_text(artefact.checked, encoding="utf-8")
            found[str(artefact.checker)].append(path)
    assert len(found["promtool"]) >= len(WORDS) - len(REFUSED)
    for suite in ("bookworm", "forky"):
        rules = [tool(suite, "promtool"), "check", "rules", "--lint=all", "--lint-fatal"]
        assert run([*rules, *found["promtool"]]) == ""
        for config in found["amtool"]:
            assert run([tool(suite, "amtool"), "check-config", config]) == ""


def test_a_wrong_rule_of_each_target_fails_its_checker(tmp_path: Path) -> None:
    """Else the tests above would show nothing."""
    for emitter in EMITTERS:
        artefact = next(a for a in emitted("ratio", emitter) if "sum(" in a.checked)
        assert artefact.checker == "promtool"
        path = tmp_path / f"{emitter.name}.yml"
        path.write_text(artefact.checked.replace("sum(", "summ(", 1), encoding="utf-8")
        assert "summ" in run([tool("forky", "promtool"), "check", "rules", path])
