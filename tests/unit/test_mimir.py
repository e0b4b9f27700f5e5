"""The target `mimir`: organisations, limits, and rules that record and fire as Prometheus' do."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import CASES, compiled, tool
from loading import loaded

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Diagnostic, Report, Severity
from slo_compiler.emit import mimir
from slo_compiler.emit.emitter import Emission, ProjectContext, TenantContext
from slo_compiler.routing.matchers import parse_matchers
from slo_compiler.schema.project import MimirSpec

CASE = "mimir"
# Fields by which Mimir's files differ from those that promtool reads.
OF_MIMIR = ("namespace", "query_offset")


def without_keys(file: Mapping[str, Any]) -> dict[str, Any]:
    """Give a rule file as Prometheus 2.x reads it."""
    groups = [{k: v for k, v in group.items() if k not in OF_MIMIR} for group in file["groups"]]
    return {"groups": groups}


def orgs() -> Mapping[str, str]:
    return compiled(CASE).settings.spec.mimir.orgs


def emissions(case: str, spec: MimirSpec, report: Report) -> list[Emission]:
    """Emit a case with settings of its own."""
    whole = compiled(case)
    project = whole.settings.spec.model_copy(update={"mimir": spec})
    base = pipeline.read_shared(whole.settings, report).base
    found = [
        mimir.tenant(TenantContext(planned, rules, project, whole.tenants), report)
        for planned, rules in zip(whole.plan.tenants, whole.rules, strict=True)
    ]
    facts = [each.facts for each in found]
    context = ProjectContext(project, whole.settings.at("spec"), base)
    return [*found, mimir.project(facts, context, report)]


@cache
def emitted(case: str, limit: int = 20) -> dict[str, str]:
    """Give the files of a case, and check that it has no error."""
    report = Report()
    spec = MimirSpec(orgs=orgs(), rules_per_group=limit)
    found = emissions(case, spec, report)
    assert not report.failed, report.diagnostics
    return {a.path: a.text for emission in found for a in emission.artefacts}


def refused(case: str, spec: MimirSpec) -> list[Diagnostic]:
    """Give the errors of a case with these settings."""
    report = Report()
    emissions(case, spec, report)
    return [each for each in report.diagnostics if each.severity is Severity.ERROR]


def rules_of(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Give the rule file of each tenant."""
    return {
        tenant: loaded(text)
        for path, text in files.items()
        if (tenant := naming.tenant_of(path)) is not None
    }


def fed_exclusions(test: Mapping[str, Any]) -> bool:
    """Whether a unit test writes when exclusions are active."""
    return any(
        each["series"].startswith(naming.EXCLUSION_SCHEDULED) for each in test["input_series"]
    )


def proved(case: str, files: Mapping[str, str], folder: Path) -> Iterator[list[str | Path]]:
    """Write rules of Mimir and the proofs of a case; give the command of each proof."""
    (folder / "rules").mkdir()
    (folder / "tests").mkdir()
    order = {}
    for tenant, file in rules_of(files).items():
        (folder / f"rules/{tenant}.yml").write_text(yaml.safe_dump(without_keys(file)))
        order[tenant] = [group["name"] for group in file["groups"]]
    for artefact in compiled(case).artefacts:
        if artefact.path.startswith(naming.TESTS_FOLDER):
            proof = loaded(artefact.text)
            # These feed what a tenant has scheduled; each part has the calendar itself, see below.
            proof["tests"] = [test for test in proof["tests"] if not fed_exclusions(test)]
            tenants = [Path(name).stem for name in proof["rule_files"]]
            proof["group_eval_order"] = [name for each in tenants for name in order[each]]
            path = folder / "tests" / Path(artefact.path).name
            path.write_text(yaml.safe_dump(proof))
            yield [tool("forky", "promtool"), "test", "rules", path]


def groups_of(case: str, limit: int = 20) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each group of Mimir's files, with its tenant."""
    for tenant, file in rules_of(emitted(case, limit)).items():
        for group in file["groups"]:
            yield tenant, group


def of_prometheus(case: str) -> dict[str, list[dict[str, Any]]]:
    """Give the groups that Prometheus gets, without the alert that Mimir cannot fire."""
    found = {}
    for artefact in compiled(case).artefacts:
        if artefact.path.startswith(naming.RULES_FOLDER):
            groups = loaded(artefact.text)["groups"]
            for group in groups:
                group["rules"] = [r for r in group["rules"] if on_mimir(r)]
            found[Path(artefact.path).stem] = groups
    return found


def on_mimir(rule: Mapping[str, Any]) -> bool:
    return rule.get("alert") != naming.ALERT_RULES_FAILING


def as_text(data: object) -> str:
    return json.dumps(data, sort_keys=True)


def alerts(groups: Sequence[Mapping[str, Any]]) -> set[str]:
    return {as_text(r) for group in groups for r in group["rules"] if "alert" in r}


def records(groups: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Name what is recorded, with its own labels."""
    return {
        (r["record"], as_text(r.get("labels")))
        for group in groups
        for r in group["rules"]
        if "record" in r
    }


@pytest.mark.parametrize("case", CASES)
def test_mimir_gets_the_alerts_and_records_of_prometheus_within_the_limit(case: str) -> None:
    expected = of_prometheus(case)
    for tenant, file in rules_of(emitted(case)).items():
        assert file["namespace"] == f"slo-{tenant}"
        assert {group["query_offset"] for group in file["groups"]} == {"5s"}
        assert max(len(group["rules"]) for group in file["groups"]) <= 20
        assert alerts(file["groups"]) == alerts(expected[tenant])
        assert records(file["groups"]) == records(expected[tenant])
        if max(len(group["rules"]) for group in expected[tenant]) <= 20:
            assert without_keys(file)["groups"] == expected[tenant]


def recorded_before(
    groups: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Give each burn alert, and the rules before it in its group that record what it reads."""
    for group in groups:
        before: list[dict[str, Any]] = []
        for rule in group["rules"]:
            if "record" in rule:
                before.append(rule)
            elif "long_window" in rule["labels"]:
                read = set(re.findall(r"slo:\w+:\w+", rule["expr"]))
                yield rule, [each for each in before if each["record"] in read]


@pytest.mark.parametrize(("case", "limit"), [(CASE, 20), ("templates", 20), ("low-traffic", 12)])
def test_mimir_burn_alert_reads_in_its_own_group_what_it_reads_there_on_prometheus(
    case: str, limit: int
) -> None:
    expected = of_prometheus(case)
    for tenant, file in rules_of(emitted(case, limit)).items():
        there = {
            as_text(alert): {each["record"] for each in rules}
            for alert, rules in recorded_before(expected[tenant])
        }
        found = [*recorded_before(file["groups"])]
        assert found
        for alert, rules in found:
            id_ = {name: alert["labels"][name] for name in naming.IDENTITY}
            own = [each["record"] for each in rules if selects(each["expr"], id_)]
            assert sorted(own) == sorted(there[as_text(alert)])


def selects(expr: str, id_: Mapping[str, str]) -> bool:
    """Whether a selector of an expression matches the series of an SLO."""
    for matchers in re.findall(r"\{([^}]*)\}", expr):
        found = parse_matchers(matchers)
        if all(matcher.matches(id_) for matcher in found if matcher.name in id_):
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize(("case", "limit"), [(CASE, 20), ("low-traffic", 12)])
def test_mimir_split_groups_pass_the_proofs_of_prometheus(
    case: str, limit: int, tmp_path: Path
) -> None:
    assert any("-base-2" in group["name"] for _, group in groups_of(case, limit))
    commands = [*proved(case, emitted(case, limit), tmp_path)]
    assert commands
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_mimir_exclusion_of_a_split_group_has_the_calendar_of_the_tenant() -> None:
    """It is recorded once for the tenant, too, with the same expression, in another group."""
    rules = [rule for _, group in groups_of(CASE) for rule in group["rules"]]
    (scheduled,) = (r for r in rules if r.get("record") == naming.EXCLUSION_SCHEDULED)
    (active,) = (r for r in rules if r.get("record") == naming.EXCLUSION_ACTIVE)
    assert active["expr"] == scheduled["expr"]
    assert active["labels"] == {
        "tenant": "shop",
        "service": "pay",
        "slo": "latency",
        "exclusion": "db-upgrade",
    }


def test_mimir_windows_of_all_parts_are_of_each_slo_once() -> None:
    whole = compiled(CASE)
    ids = [slo.identity for slo in whole.plan.tenants[0].slos]
    renamed = [slo.former.old for slo in whole.plan.tenants[0].slos if slo.former]
    exprs = [
        rule["expr"]
        for tenant, group in groups_of(CASE, 16)
        for rule in group["rules"]
        if tenant == "shop" and rule.get("record") == "slo:events:increase2m30s"
    ]
    assert len(exprs) > 1
    for id_ in (*ids, *renamed):
        assert [selects(expr, dict(id_.labels)) for expr in exprs].count(True) == 1, id_


def test_mimir_slo_too_large_for_a_group_is_an_error_with_the_arithmetic() -> None:
    (found, *others) = refused(CASE, MimirSpec(orgs=orgs(), rules_per_group=7))
    assert found.id == "group-limit"
    assert found.message == (
        "the alerts of web/latency need a group of 8 rules (4 of their own, 4 for windows), "
        "and a group may have 7"
    )
    assert "mimir: {rules_per_group: 8}" in found.help
    assert found.position.text.strip() == "- name: latency"
    # A composite is refused where it is declared, with the SLOs that it is made of.
    composite = [each for each in others if "shop/journey" in each.message]
    assert {each.position.text.strip() for each in composite} == {"- name: journey"}


def test_mimir_organisation_with_too_many_groups_is_an_error_with_the_arithmetic() -> None:
    found = refused(CASE, MimirSpec(orgs=orgs(), groups=9))
    assert [each.id for each in found] == ["group-limit"] * 2
    shop, warehouse = found
    assert shop.message == (
        'the organisation "retail" would have 13 rule groups, and may have 9: this tenant 8 '
        "(1 info + 3 base + 2 tiles + 1 budget + 1 health), and other tenants 5"
    )
    assert "and other tenants 8" in warehouse.message
    assert shop.position == compiled(CASE).tenants[0].position


def test_mimir_without_limits_keeps_the_groups_of_prometheus() -> None:
    for tenant, file in rules_of(emitted(CASE, 0)).items():
        assert without_keys(file)["groups"] == of_prometheus(CASE)[tenant]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            MimirSpec(orgs={"shop": "warehouse"}),
            '"warehouse" is the organisation of the tenant "shop"',
        ),
        (MimirSpec(platform_org="status"), '"status" is the organisation of the platform'),
    ],
)
def test_mimir_tenant_called_like_an_organisation_of_others_is_refused(
    spec: MimirSpec, message: str
) -> None:
    (found,) = refused(CASE, spec)
    assert found.id == "org-taken"
    assert found.message == f"{message}, and would be this tenant's, too"


def test_mimir_tenants_that_the_project_gives_one_organisation_share_it() -> None:
    report = Report()
    found = emissions(CASE, MimirSpec(org="all"), report)
    assert not report.failed
    paths = {artefact.path for emission in found for artefact in emission.artefacts}
    assert paths == {
        *(f"mimir/all/rules/{tenant}.yaml" for tenant in ("shop", "status", "warehouse")),
        "mimir/all/alertmanager.yaml",
        "mimir/mimir/rules/_meta.yaml",
    }


def test_mimir_dependency_in_another_organisation_is_pointed_out_and_inhibits_nothing() -> None:
    report = Report()
    emissions(CASE, MimirSpec(orgs=orgs()), report)
    (found,) = (each for each in report.diagnostics if each.id == "dependency-elsewhere")
    assert found.position.text[found.position.column - 1 :].startswith("status/page/availability")
    config = loaded(emitted(CASE)["mimir/retail/alertmanager.yaml"])
    sources = [" ".join(rule["source_matchers"]) for rule in config["inhibit_rules"]]
    assert any('tenant="warehouse"' in source for source in sources)
    assert not any('tenant="status"' in source for source in sources)
