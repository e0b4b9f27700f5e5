"""Targets beside Prometheus: the same rules, in each engine's own envelope."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases import CASES, compiled
from linting import wrapped
from loading import loaded

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import CompileError, Diagnostic, Report
from slo_compiler.emit import alertmanager, operator, operator_secret, thanos
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, ProjectContext, TenantContext
from slo_compiler.schema.project import OperatorSpec
from slo_compiler.source import SourceFile

SPEC = OperatorSpec(namespace="monitoring", labels={"release": "main", "example.com/role": "slo"})


def emissions(case: str, emitter: Emitter) -> list[Emission]:
    whole = compiled(case)
    spec = whole.settings.spec.model_copy(update={"operator": SPEC})
    assert emitter.tenant is not None
    found, report = [], Report()
    for planned, rules in zip(whole.plan.tenants, whole.rules, strict=True):
        found.append(emitter.tenant(TenantContext(planned, rules, spec, whole.tenants), report))
    assert not report.diagnostics
    if emitter.project is not None:
        at = whole.settings.at("spec")
        facts = [each.facts for each in found]
        found.append(emitter.project(facts, ProjectContext(spec, at), report))
    return found


def files(case: str, emitter: Emitter) -> dict[str, Artefact]:
    return {a.path: a for emission in emissions(case, emitter) for a in emission.artefacts}


@cache
def groups(case: str) -> dict[str, list[dict[str, Any]]]:
    """Give the groups of each tenant, as Prometheus gets them."""
    found = compiled(case).artefacts
    return {
        a.path.rpartition("/")[2].removesuffix(".yml"): loaded(a.text)["groups"]
        for a in found
        if a.path.startswith("prometheus/rules/")
    }


@pytest.mark.parametrize("case", CASES)
def test_thanos_gets_the_rules_of_prometheus_and_a_strategy(case: str) -> None:
    for path, artefact in files(case, thanos.EMITTER).items():
        tenant = path.removeprefix("thanos/rules/").removesuffix(".yml")
        expected = [
            {"name": group["name"], "partial_response_strategy": "abort", **group}
            for group in groups(case)[tenant]
        ]
        assert loaded(artefact.text) == {"groups": expected}
        assert loaded(artefact.checked) == {"groups": groups(case)[tenant]}


@pytest.mark.parametrize("case", CASES)
def test_operator_gets_the_rules_of_prometheus_in_valid_objects(case: str) -> None:
    # Its import takes a second: only the process that runs this test pays it.
    from cloudcoil.models.prometheus_operator.v1 import PrometheusRule  # noqa: PLC0415

    found = files(case, operator.EMITTER)
    kustomization = loaded(found.pop("operator/kustomization.yaml").text)
    assert [f"operator/{name}" for name in kustomization["resources"]] == sorted(found)
    for path, artefact in found.items():
        data = loaded(artefact.text)
        rule = PrometheusRule.model_validate(data)
        tenant = path.removeprefix("operator/slo-").removesuffix(".yaml")
        assert rule.metadata is not None
        assert rule.metadata.name == f"slo-{tenant}"
        assert rule.metadata.namespace == "monitoring"
        assert rule.metadata.labels == {**SPEC.labels, "tenant": tenant}
        assert data["spec"]["groups"] == groups(case)[tenant]
        assert loaded(artefact.checked)["groups"] == groups(case)[tenant]


def test_operator_splits_a_large_tenant_between_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    (tenant,) = groups("ratio")
    monkeypatch.setattr(operator, "LIMIT", 20_000)
    found = files("ratio", operator.EMITTER)
    kustomization = loaded(found.pop("operator/kustomization.yaml").text)
    assert len(found) > 1
    assert kustomization["resources"] == sorted(path.removeprefix("operator/") for path in found)
    names = [f"operator/slo-{tenant}.yaml"]
    names += [f"operator/slo-{tenant}.{number}.yaml" for number in range(2, len(found) + 1)]
    assert [*found] == names
    joined = [g for name in names for g in loaded(found[name].text)["spec"]["groups"]]
    assert joined == groups("ratio")[tenant]
    assert all(len(found[name].text.encode()) < 20_000 for name in names)


def test_operator_refuses_a_group_too_large_for_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator, "LIMIT", 6_000)
    whole, report = compiled("ratio"), Report()
    context = TenantContext(
        whole.plan.tenants[0], whole.rules[0], whole.settings.spec, whole.tenants
    )
    operator.tenant(context, report)
    (found, *_) = report.diagnostics
    assert found.id == "object-too-large"
    assert "a PrometheusRule holds 6,000" in found.message
    assert found.position == whole.tenants[0].position


def test_operator_keeps_a_line_separator_in_a_query() -> None:
    """U+2028 ends a line for Python, and is a character like others for YAML's blocks."""
    whole = compiled("ratio")
    (group, *others) = whole.rules[0].groups
    odd = replace(group.rules[0], expr="a\u2028b\n\nc")
    rules = replace(whole.rules[0], groups=(replace(group, rules=(odd,)), *others))
    context = TenantContext(whole.plan.tenants[0], rules, whole.settings.spec, whole.tenants)
    (artefact, *_) = operator.tenant(context, Report()).artefacts
    written = loaded(artefact.text)["spec"]["groups"][0]["rules"][0]["expr"]
    assert written == loaded(artefact.checked)["groups"][0]["rules"][0]["expr"]


@pytest.mark.parametrize(
    ("operator_spec", "id_"),
    [
        ("{labels: {'no label': x}}", "labels"),
        ("{labels: {release: 'a b'}}", "labels"),
        ("{namespace: Monitoring}", "name"),
        ("{namspace: monitoring}", "unknown-key"),
    ],
)
def test_operator_settings_are_checked(operator_spec: str, id_: str) -> None:
    text = wrapped("")["slo-compiler.yaml"] + f"  operator: {operator_spec}\n"
    report = Report()
    with pytest.raises(CompileError) as caught:
        pipeline.parse_project(
            SourceFile("p.yaml", "p.yaml", text.encode()), compiled("ratio").settings.root, report
        )
    found = [*report.diagnostics, *caught.value.diagnostics]
    assert {each.position.line for each in found} == {len(text.splitlines())}
    if id_ != "labels":
        assert id_ in {each.id for each in found}


def secret_of(case: str, **spec: object) -> tuple[dict[str, Artefact], list[Diagnostic]]:
    """Emit a case for the operator with a Secret, after Alertmanager's own target."""
    whole, report = compiled(case), Report()
    project = whole.settings.spec.model_copy(
        update={"operator": SPEC.model_copy(update={"config_secret": "slo-am"}), **spec}
    )
    base = pipeline.read_shared(whole.settings, Report()).base
    context = ProjectContext(project, whole.settings.at("spec"), base)
    found: list[Artefact] = []
    for emitter in (alertmanager.EMITTER, operator.EMITTER):
        assert emitter.tenant is not None
        assert emitter.project is not None
        emissions = [
            emitter.tenant(TenantContext(planned, rules, project, whole.tenants), report)
            for planned, rules in zip(whole.plan.tenants, whole.rules, strict=True)
        ]
        facts = [each.facts for each in emissions]
        found += emitter.project(facts, context, report).artefacts
    return {artefact.path: artefact for artefact in found}, report.diagnostics


@pytest.mark.parametrize("case", CASES)
def test_operator_secret_contains_the_configuration_of_the_target_alertmanager(case: str) -> None:
    found, diagnostics = secret_of(case)
    assert not diagnostics
    artefact = found["operator/alertmanager-secret.yaml"]
    (expected,) = (
        each.text for each in compiled(case).artefacts if each.path == naming.ALERTMANAGER_FILE
    )
    secret = loaded(artefact.text)
    assert (secret["kind"], secret["type"]) == ("Secret", "Opaque")
    assert secret["metadata"] == {
        "name": "slo-am",
        "namespace": "monitoring",
        "labels": dict(SPEC.labels),
    }
    assert secret["stringData"].pop("alertmanager.yaml") == expected.strip()
    assert [*secret["stringData"]] == ["slo.tmpl"] * (naming.TEMPLATES_FILE in found)
    assert (artefact.checker, artefact.checked) == ("amtool", expected)
    kustomization = loaded(found["operator/kustomization.yaml"].text)
    assert "alertmanager-secret.yaml" in kustomization["resources"]


def test_operator_secret_names_the_secrets_to_mount_and_contains_none() -> None:
    found, _ = secret_of("mimir")
    text = found["operator/alertmanager-secret.yaml"].text
    assert text.startswith(naming.MARK)
    assert "\n# These the Alertmanager object mounts: secrets: [shop, warehouse]\n" in text
    assert "routing_key_file" in text


def test_operator_secret_that_is_too_large_is_an_error_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operator_secret, "LIMIT", 1_000)
    _, (found,) = secret_of("ratio")
    assert found.id == "object-too-large"
    assert "a Secret holds 1,000" in found.message
    assert "alertmanager: {templates: /etc/alertmanager/config/slo.tmpl}" in found.help


def test_operator_without_a_name_for_it_writes_no_secret() -> None:
    found = files("ratio", operator.EMITTER)
    assert "operator/alertmanager-secret.yaml" not in found


@pytest.mark.processes
def test_operator_secret_passes_amtool_when_compiled(tmp_path: Path) -> None:
    project = wrapped("")["slo-compiler.yaml"] + (
        "  targets: [alertmanager, operator]\n  operator: {config_secret: slo}\n"
    )
    (tmp_path / "base.yml").write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    project = project.replace("alertmanager: {", "alertmanager: {base: base.yml, ", 1)
    report = Report()
    settings = pipeline.parse_project(
        SourceFile("p.yaml", "p.yaml", project.encode()), tmp_path, report
    )
    sources = [SourceFile("t.yaml", "t.yaml", wrapped("")["customer-b.yaml"].encode())]
    done = pipeline.compile_project(settings, sources, report, jobs=1)
    assert "amtool" in done.verification.ran
    texts = {artefact.path: artefact.text for artefact in done.artefacts}
    secret = loaded(texts["operator/alertmanager-secret.yaml"])
    config = loaded(secret["stringData"]["alertmanager.yaml"])
    assert config == loaded(texts[naming.ALERTMANAGER_FILE])
    assert [each["name"] for each in config["receivers"]].count("slo-heartbeat") == 1
