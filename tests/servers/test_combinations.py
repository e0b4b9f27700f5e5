"""Features beside each other: the proofs of each manifest in tests/servers/combinations hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from cases import ROOT, tool

from slo_compiler import pipeline
from slo_compiler.diagnostics import CompileError, Report, Severity
from slo_compiler.duration import Duration
from slo_compiler.proofs import run as prove
from slo_compiler.reading import read_sources
from slo_compiler.view.resolved import as_yaml

FOLDER = ROOT / "tests/servers/combinations"


def compiled(case: str, folder: Path) -> Path:
    """Compile a case into a folder; it has no errors."""
    report = Report()
    settings = pipeline.read_project(FOLDER / "slo-compiler.yaml", report)
    sources = read_sources([str(FOLDER / f"{case}.yaml")], settings.root, report)
    for artefact in pipeline.compile_project(settings, sources, report).artefacts:
        path = folder / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    return folder


CASES = sorted(p.stem for p in FOLDER.glob("*.yaml") if p.stem != "slo-compiler")


@pytest.mark.parametrize("suite", ["bookworm", "forky"])
@pytest.mark.parametrize("case", CASES)
def test_the_proofs_of_features_beside_each_other_hold(
    case: str, suite: str, tmp_path: Path
) -> None:
    folder = compiled(case, tmp_path)
    work = prove.jobs(folder, tool(suite, "promtool"), tool(suite, "amtool"))
    results = [*prove.run(work)]
    assert [failure for result in results for failure in result.failures] == []
    assert {result.kind for result in results} == {"unit tests", "routes"}


def test_a_slice_that_does_not_fit_has_a_hint_of_what_does(tmp_path: Path) -> None:
    manifest = (FOLDER / "sliced-excluded.yaml").read_text(encoding="utf-8")
    (tmp_path / "sliced.yaml").write_text(manifest, encoding="utf-8")
    report = Report()
    settings = pipeline.read_project(FOLDER / "slo-compiler.yaml", report)
    prometheus = settings.spec.prometheus.model_copy(
        update={"scrape_interval": Duration.of(seconds=30)}
    )
    settings = pipeline.with_overrides(settings, {"prometheus": prometheus})
    sources = read_sources([str(tmp_path / "sliced.yaml")], settings.root, report)
    with pytest.raises(CompileError) as raised:
        pipeline.compile_project(settings, sources, report)
    reported = [(d.id, d.help) for d in raised.value.diagnostics if d.severity is Severity.ERROR]
    assert reported == [("slice", "such as 2m or 4m"), ("slice", "such as 2m or 4m")]


@pytest.mark.parametrize("case", CASES)
def test_resolved_slos_stand_each_for_itself(case: str) -> None:
    report = Report()
    settings = pipeline.read_project(FOLDER / "slo-compiler.yaml", report)
    sources = read_sources([str(FOLDER / f"{case}.yaml")], settings.root, report)
    tenants = pipeline.plan_project(settings, sources, report).tenants
    assert "&id" not in as_yaml([slo for tenant in tenants for slo in tenant.slos])


def test_a_window_that_is_a_period_of_others_takes_in_their_former_names(tmp_path: Path) -> None:
    """Its rule is their ratio, too; a window that a renamed SLO does not have leaves it out."""
    folder = compiled("renamed-week", tmp_path)
    text = (folder / "prometheus" / "rules" / "renamed-week.yml").read_text(encoding="utf-8")
    rules = {
        rule["record"]: rule["expr"]
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    assert "old-success" in rules["slo:error_ratio:rate7d"]
    assert "old-success" in rules["slo:error_ratio:rate1h"]
    assert "old-success" not in rules["slo:error_ratio:rate12h"]
