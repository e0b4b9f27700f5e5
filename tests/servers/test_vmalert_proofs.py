"""The target victoriametrics, with the real vmalert-tool: what it writes loads, and is right."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cases import WORDS, compiled, tool

from slo_compiler.diagnostics import Report
from slo_compiler.emit import victoriametrics
from slo_compiler.emit.emitter import ProjectContext, TenantContext

NATIVE = "native-histograms"  # which the target refuses


def written(case: str, folder: Path) -> Path:
    """Write what the target makes of a case; gives its folder."""
    whole, report = compiled(case), Report()
    spec = whole.settings.spec.model_copy(update={"targets": ["proofs", "victoriametrics"]})
    emissions = [
        victoriametrics.tenant(TenantContext(planned, rules, spec, whole.tenants), report)
        for planned, rules in zip(whole.plan.tenants, whole.rules, strict=True)
    ]
    facts = [emission.facts for emission in emissions]
    context = ProjectContext(spec, whole.settings.at("spec"))
    emissions.append(victoriametrics.project(facts, context, report))
    assert not report.diagnostics
    for emission in emissions:
        for artefact in emission.artefacts:
            path = folder / artefact.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(artefact.text, encoding="utf-8")
    return folder / "victoriametrics"


def passes(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("word", "interval"),
    [
        *((word, "1m") for word in WORDS if word != NATIVE),
        *(("calendar", interval) for interval in ("5m", "1h", "1d")),
        *(("composite", interval) for interval in ("4m", "5m", "1h")),
        *(("ratio", interval) for interval in ("5m", "1h")),
        ("compat", "1m"),
    ],
)
def test_the_proofs_of_each_word_hold_in_vmalert(word: str, interval: str, tmp_path: Path) -> None:
    files = sorted((written(word, tmp_path) / "tests").glob(f"*_{interval}.yml"))
    assert files
    for file in files:
        passes([tool("forky", "vmalert-tool"), "unittest", f"--files={file}"])


def test_tenants_are_isolated_from_each_other_in_vmalert(tmp_path: Path) -> None:
    tests = written("examples", tmp_path) / "tests"
    files = sorted(tests.glob("_isolation_*.yml"))
    assert files
    for file in files:
        passes([tool("forky", "vmalert-tool"), "unittest", f"--files={file}"])


def test_a_vanished_value_is_seen_in_vmalert(tmp_path: Path) -> None:
    file = written("by", tmp_path) / "tests/by_4m.yml"
    passes([tool("forky", "vmalert-tool"), "unittest", f"--files={file}"])


def test_an_older_vmalert_tool_gives_the_same(tmp_path: Path) -> None:
    file = written("ratio", tmp_path) / "tests/ratio_1m.yml"
    passes([tool("trixie", "vmalert-tool"), "unittest", f"--files={file}"])


@pytest.mark.parametrize("suite", ["trixie", "forky"])
def test_vmalert_loads_the_rules_of_all_words(suite: str, tmp_path: Path) -> None:
    for word in WORDS:
        if word != NATIVE:
            rules = written(word, tmp_path / word) / "rules/*.yml"
            passes([tool(suite, "vmalert"), "-dryRun", f"-rule={rules}"])


def test_a_wrong_proof_fails_in_vmalert(tmp_path: Path) -> None:
    """Else the tests above would show nothing."""
    file = written("ratio", tmp_path) / "tests/ratio_1m.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("value: 1}", "value: 2}"), encoding="utf-8")
    command = [tool("forky", "vmalert-tool"), "unittest", f"--files={file}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "got:" in done.stdout + done.stderr
