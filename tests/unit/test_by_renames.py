"""`by: {upstream: service}`: a query's label is recorded by another name, never as an identity."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cases import Whole, compile_whole, proofs_of, tool
from linting import findings

from slo_compiler import pipeline
from slo_compiler.diagnostics import CompileError, Report, Severity
from slo_compiler.proofs import run as prove
from slo_compiler.source import SourceFile

HEAD = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme-sre}
spec:
  channels: [{name: hook, webhook: {url: "http://hooks.internal/acme"}}]
  escalation:
    - {severity: page, notify: [hook]}
    - {severity: ticket, notify: [hook]}
  slos:
"""
PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  isolation: {label: namespace}
  prometheus: {external_labels: [cluster]}
"""


def manifest(*slis: str) -> str:
    return HEAD + "".join(
        f"    - {{name: slo-{n}, service: web, objective: 99, sli: {sli}}}\n"
        for n, sli in enumerate(slis)
    )


def compiled(text: str, project: Path | None = None) -> Whole:
    report = Report()
    settings = pipeline.read_project(project, report)
    return compile_whole(settings, [SourceFile("a.yaml", "a.yaml", text.encode())], report)


def expressions(found: Whole, name: str) -> list[str]:
    rules = (rule for tenant in found.rules for group in tenant.groups for rule in group.rules)
    return [rule.expr for rule in rules if rule.name == name]


def refused(text: str, project: Path | None = None) -> dict[str, str]:
    with pytest.raises(CompileError) as raised:
        compiled(text, project)
    return {d.id: d.help for d in raised.value.diagnostics if d.severity is Severity.ERROR}


def ratio(by: str) -> str:
    return f"{{ratio: {{errors: 'e_total{{code=\"5\"}}', total: e_total, by: {by}}}}}"


RENAMED = (
    ratio("{upstream: service, region: region}"),
    "{ratio: {errors: [a_total, b_total], total: c_total, by: {upstream: service}}}",
    "{ratio: {errors: h_total, total: 'sum by (slo) (rate(i_total[$window]))', by: {of: slo}}}",
    "{ratio: {good: 'g_total{code=\"2\"}', total: g_total, by: {upstream: service, of: tenant}}}",
    "{latency: {histogram: d_seconds, threshold: 300ms, by: {upstream: service}}}",
    "{availability: {gauge: probe_success, by: {upstream: service}}}",
    "{threshold: {query: age_seconds, op: '<', value: 9, by: {upstream: slo}}}",
    "{raw: {error_ratio: failing, by: {upstream: service}}}",
)


@pytest.mark.processes
def test_renamed_label_is_summed_by_its_own_name_and_recorded_by_the_new() -> None:
    (events,) = expressions(compiled(manifest(RENAMED[0])), "slo:events:rate")
    assert events == (
        "sum by (upstream, region) (label_replace(sum by (service, region) (\n"
        '  rate(e_total{tenant="acme"}[1m15s])\n'
        '), "upstream", "$1", "service", "(.*)"))'
    )


@pytest.mark.processes
def test_by_as_a_mapping_without_new_names_is_the_list() -> None:
    pairs, listed = (
        expressions(compiled(manifest(ratio(by))), "slo:events:rate")
        for by in ("{region: region, zone: zone}", "[region, zone]")
    )
    assert pairs == listed


@pytest.mark.processes
@pytest.mark.parametrize("name", ["service", "tenant", "slo", "severity"])
def test_reserved_label_in_by_is_refused_with_a_hint_that_works(name: str) -> None:
    hint = refused(manifest(ratio(f"[{name}]")))["reserved-label"]
    by = hint.removeprefix("record it by another name, such as by: ")
    assert by == f"{{query_{name}: {name}}}"
    compiled(manifest(ratio(by)))


@pytest.mark.parametrize("new", ["tenant", "service", "slo", "le", "severity"])
def test_rename_to_a_reserved_label_is_refused(new: str) -> None:
    assert set(refused(manifest(ratio(f"{{{new}: region}}")))) == {"reserved-label"}


@pytest.mark.parametrize(
    ("new", "id_"), [("namespace", "isolation-label"), ("cluster", "label-clash")]
)
def test_rename_to_a_label_of_the_platform_is_refused(new: str, id_: str, tmp_path: Path) -> None:
    project = tmp_path / "slo-compiler.yaml"
    project.write_text(PROJECT, encoding="utf-8")
    assert id_ in refused(manifest(ratio(f"{{{new}: region}}")), project)


@pytest.mark.parametrize(
    "by", ["{a: b, b: c}", "{a: b, b: a}", "{a: region, b: region}"], ids=["chain", "swap", "twice"]
)
def test_renames_that_depend_on_each_other_are_refused(by: str) -> None:
    assert set(refused(manifest(ratio(by)))) == {"by-rename"}


def test_rename_in_a_composite_is_refused() -> None:
    composite = "{composite: {slos: [{slo: web/slo-0}, {slo: web/slo-1}], by: {x: region}}}"
    hint = refused(manifest(ratio("[region]"), ratio("[region]"), composite))
    assert hint["by-rename"] == "rename them there, and write by: [x]"


@pytest.mark.parametrize("new", ['"a\\"}) or x{b=\\"y"', '"{{ x }}"', '"a b"', "__name__"])
def test_rename_to_what_is_no_label_name_is_refused(new: str) -> None:
    assert "label-name" in refused(manifest(ratio(f"{{{new}: region}}")))


@pytest.mark.processes
def test_proofs_of_renamed_labels_start_from_raw_series_and_hold(tmp_path: Path) -> None:
    found = compiled(manifest(*RENAMED))
    for artefact in found.artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    series = {s for f in proofs_of(found).unit_tests for t in f.tests for s, _ in t.series}
    assert any(s.startswith("e_total{") and 'service="proof"' in s for s in series)
    work = prove.jobs(tmp_path, tool("forky", "promtool"), tool("forky", "amtool"))
    results = [*prove.run(work)]
    assert [failure for result in results for failure in result.failures] == []


@pytest.mark.processes
def test_promtool_evaluates_a_rename_of_series_that_have_the_new_label_too(tmp_path: Path) -> None:
    """Two series that differ in a label `upstream` of their own are one upstream all the same."""
    (events,) = expressions(compiled(manifest(ratio("{upstream: service}"))), "slo:events:rate")
    test = tmp_path / "t.yml"
    test.write_text(
        "evaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n"
        + "".join(
            f'      - {{series: \'e_total{{tenant="acme",service="a",upstream="{own}"}}\','
            " values: '0+60x9'}\n"
            for own in "xy"
        )
        + "    promql_expr_test:\n      - eval_time: 5m\n        expr: '"
        + events.replace("[1m15s]", "[2m]").replace("\n", " ")
        + "'\n        exp_samples: [{labels: '{upstream=\"a\"}', value: 2}]\n",
        encoding="utf-8",
    )
    run = [str(tool("forky", "promtool")), "test", "rules", str(test)]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def _sides(errors: str, total: str) -> list[tuple[str, str]]:
    text = manifest(f"{{ratio: {{errors: '{errors}', total: '{total}'}}}}")
    found = findings({"a.yaml": text})
    return [(d.help, text) for d in found if d.id == "sides-aggregate-differently"]


@pytest.mark.processes
def test_lint_of_sides_proposes_a_new_name_for_a_reserved_label() -> None:
    one = "sum by (service, region) (rate({}_total[$window]))"
    ((hint, text),) = _sides(one.format("e"), one.format("t"))
    by = "{region: region, query_service: service}"
    assert hint == f"add it to by, or leave it out: by: {by}"
    compiled(text.replace("[$window]))'}", f"[$window]))', by: {by}}}"))


def test_lint_of_sides_proposes_a_count_beside_a_count() -> None:
    count = "count by (region) (rate(t_total[$window]) > 0)"
    ((hint, _),) = _sides("sum(rate(e_total[$window]))", count)
    assert hint == "aggregate both by the same labels: count by (region)(...)"
