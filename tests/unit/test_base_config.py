"""The platform's own Alertmanager configuration: merged as it is, or refused at its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import CompileError, Report, Severity
from slo_compiler.source import SourceFile

PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  prometheus: {external_labels: [LABELS]}
  alertmanager: {base: base.yml, templates: slo.tmpl, heartbeat: {webhook: {url: "http://127.0.0.1:9/beat"}}}
"""
TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: NAME, owner: NAME}
spec:
  channels: [{name: chat, webhook: {url: "http://127.0.0.1:9/NAME"}}]
  escalation:
    - {severity: page, notify: [chat]}
    - {severity: ticket, notify: [chat]}
  slos:
    - {name: ok, service: web, objective: 99.9, sli: {ratio: {errors: e_total, total: t_total}}}
"""
COMMON = """\
route: {receiver: platform}
receivers: [{name: platform}]
inhibit_rules:
"""


def merged(folder: Path, base: str, labels: str = "", alerting: str = "") -> str:
    """Compile two tenants into a base configuration; return the text of the result."""
    (folder / "base.yml").write_text(base, encoding="utf-8")
    report = Report()
    project = PROJECT.replace("LABELS", labels).encode()
    settings = pipeline.parse_project(SourceFile("p.yaml", "p.yaml", project), folder, report)
    text = TENANT.replace("web,", f"web, alerting: {{{alerting}}},")
    sources = [SourceFile(f"{n}.yaml", f"{n}.yaml", text.replace("NAME", n).encode()) for n in "ab"]
    done = pipeline.compile_project(settings, sources, report, jobs=1)
    return next(a.text for a in done.artefacts if a.path == naming.ALERTMANAGER_FILE)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("rule", "labels"),
    [
        (
            (
                "  - source_matchers: [severity=page]\n    target_matchers: [severity=ticket]\n"
                "    equal: [alertname, namespace]\n"
            ),
            "",
        ),
        ("  - source_match: {severity: page}\n    target_match_re: {severity: .*et}\n", ""),
        # Within one cluster it is what manifests want, but it is about all clusters.
        (
            (
                "  - source_matchers: [tier=page-fast]\n    target_matchers: [tier=page-slow]\n"
                "    equal: [tenant, service, slo, escalation]\n"
            ),
            "cluster",
        ),
    ],
)
def test_check_inhibitions_rule_about_ours_is_refused_and_its_hint_accepted(
    tmp_path: Path, rule: str, labels: str
) -> None:
    with pytest.raises(CompileError) as failed:
        merged(tmp_path, COMMON + rule, labels)
    (found,) = (d for d in failed.value.diagnostics if d.severity is Severity.ERROR)
    assert (found.id, found.position.line) == ("base-inhibition", 4)
    matcher = re.search("'.*?'", found.help)
    assert matcher is not None
    if found.help.startswith("add to it"):
        better = rule + f"    {found.help.removeprefix('add to it: ')}\n"
    else:
        better = rule.replace("target_matchers: [", f"target_matchers: [{matcher[0]}, ")
    assert yaml.safe_load(merged(tmp_path, COMMON + better, labels))["inhibit_rules"]


@pytest.mark.processes
@pytest.mark.parametrize(
    "rule",
    [
        "  - source_matchers: [alertname=Down]\n    target_matchers: [severity=~'page|ticket']\n",
        (
            "  - source_matchers: [tier=page-fast]\n    target_matchers: [tier=page-slow]\n"
            "    equal: [tenant, service, slo, escalation]\n"
        ),
    ],
)
def test_check_inhibitions_rule_that_manifests_want_or_of_other_sources_is_accepted(
    tmp_path: Path, rule: str
) -> None:
    assert yaml.safe_load(merged(tmp_path, COMMON + rule))["inhibit_rules"]


NAMED = "  - source_matchers: [severity=page]\n    target_matchers: [severity=none]\n"


@pytest.mark.processes
@pytest.mark.parametrize(
    "rule",
    [
        f"{NAMED}    equal: [alertname]\n",
        "  - source_matchers: [alertname=ClusterDown]\n    target_matchers: [job=node]\n",
        "  - source_match_re: {alertname: Cl.*}\n    target_matchers: ['slo=\"\"']\n",
    ],
)
def test_check_inhibitions_rule_that_takes_a_given_name_for_the_platforms_is_refused(
    rule: str, tmp_path: Path
) -> None:
    base = COMMON + rule
    with pytest.raises(CompileError) as failed:
        merged(tmp_path, base, alerting="name: ClusterDown")
    (found,) = (d for d in failed.value.diagnostics if d.severity is Severity.ERROR)
    assert (found.id, found.position.line) == ("base-inhibition", 4)
    matcher = re.search("'.*?'", found.help)
    assert matcher is not None
    if found.help.startswith("add to it"):
        better = base + f"    {found.help.removeprefix('add to it: ')}\n"
    else:
        better = base.replace("source_matchers: [", f"source_matchers: [{matcher[0]}, ")
    assert merged(tmp_path, better, alerting="name: ClusterDown")


@pytest.mark.processes
@pytest.mark.parametrize(
    "rule",
    [
        NAMED,  # under its usual name it would, too
        "  - source_matchers: [alertname=Other]\n    target_matchers: [job=node]\n",
        "  - source_matchers: [alertname=~Cl.*]\n    target_matchers: [slo=x]\n",
    ],
)
def test_check_inhibitions_rule_that_reads_no_given_name_or_is_about_slos_is_accepted(
    rule: str, tmp_path: Path
) -> None:
    assert merged(tmp_path, COMMON + rule, alerting="name: ClusterDown")


@pytest.mark.processes
def test_check_inhibitions_reads_the_labels_that_users_put_on_alerts(tmp_path: Path) -> None:
    rule = "  - source_matchers: [upkeep=yes]\n    target_matchers: ['severity=~\"page|ticket\"']\n"
    assert merged(tmp_path, COMMON + rule)
    with pytest.raises(CompileError) as failed:
        merged(tmp_path, COMMON + rule, alerting="labels: {upkeep: 'yes'}")
    assert "base-inhibition" in {d.id for d in failed.value.diagnostics}


@pytest.mark.processes
def test_merge_route_built_by_a_yaml_merge_keeps_its_values(tmp_path: Path) -> None:
    base = """\
route:
  <<: [{receiver: platform, group_wait: 7s}, {receiver: other, group_interval: 8m}]
  group_wait: 9s
  routes: [{receiver: platform, matchers: [team=x]}]
receivers: [{name: platform}]
"""
    route = yaml.safe_load(merged(tmp_path, base))["route"]
    assert (route["receiver"], route["group_wait"]) == ("platform", "9s")
    assert route["group_interval"] == "8m"
    assert [r["matchers"] for r in route["routes"]] == [['slo!=""', 'tenant!=""'], ["team=x"]]


@pytest.mark.processes
def test_merge_templates_are_read_before_those_of_the_platform(tmp_path: Path) -> None:
    base = "route: {receiver: platform}\nreceivers: [{name: platform}]\n"
    data = yaml.safe_load(merged(tmp_path, f"{base}templates: ['own/*.tmpl']\n"))
    assert data["templates"] == ["slo.tmpl", "own/*.tmpl"]
    assert yaml.safe_load(merged(tmp_path, base))["templates"] == ["slo.tmpl"]


def test_merge_templates_that_are_no_list_are_refused(tmp_path: Path) -> None:
    base = "route: {receiver: platform}\nreceivers: [{name: platform}]\ntemplates: own.tmpl\n"
    with pytest.raises(CompileError, match="templates is not a list"):
        merged(tmp_path, base)


@pytest.mark.processes
def test_merge_empty_lists_are_filled(tmp_path: Path) -> None:
    base = "route: {receiver: platform, routes: }\nreceivers: [{name: platform}]\ninhibit_rules:\n"
    data = yaml.safe_load(merged(tmp_path, base))
    assert data["route"]["routes"]
    assert data["inhibit_rules"]
