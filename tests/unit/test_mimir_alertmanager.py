"""Alertmanager configurations of Mimir's organisations, the platform's rules, and settings."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from cases import compiled, proofs_of, tool
from click.testing import CliRunner, Result
from linting import wrapped

from slo_compiler import naming, pipeline
from slo_compiler.cli import main
from slo_compiler.diagnostics import CompileError, Diagnostic, Report, Severity
from slo_compiler.source import SourceFile

CASE = "mimir"
ORGS = {"shop": "retail", "warehouse": "retail", "status": "status"}
PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  targets: [mimir]
  alertmanager: {BASE heartbeat: {webhook: {url: "http://127.0.0.1:9/beat"}}}
"""
TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme}
spec:
  channels: [{name: it, CHANNEL}]
  escalation:
    - {severity: page, notify: [it]}
    - {severity: ticket, notify: [it]}
  slos:
    - {name: ok, service: web, objective: 99.9, sli: {ratio: {errors: e_total, total: t_total}}}
"""
GLOBALS = """\
global:
  smtp_smarthost: "mail.internal:25"
  smtp_from: slo@platform.example
  smtp_auth_password_file: /etc/alertmanager/secrets/smtp
  slack_api_url_file: /etc/alertmanager/secrets/slack
  resolve_timeout: 7m
route: {receiver: platform}
receivers: [{name: platform}]
"""


def files(case: str = CASE) -> Mapping[str, str]:
    return {artefact.path: artefact.text for artefact in compiled(case).artefacts}


def compiled_channel(folder: Path, channel: str, base: str | None) -> str:
    """Compile one tenant with one channel; give the configuration of its organisation."""
    report = Report()
    project = PROJECT.replace("BASE", "base: base.yml," if base else "")
    if base:
        (folder / "base.yml").write_text(base, encoding="utf-8")
    settings = pipeline.parse_project(
        SourceFile("p.yaml", "p.yaml", project.encode()), folder, report
    )
    source = SourceFile("a.yaml", "a.yaml", TENANT.replace("CHANNEL", channel).encode())
    done = pipeline.compile_project(settings, [source], report, jobs=1)
    (text,) = (a.text for a in done.artefacts if a.path == "mimir/acme/alertmanager.yaml")
    return text


def refused(folder: Path, channel: str, base: str | None) -> list[Diagnostic]:
    with pytest.raises(CompileError) as caught:
        compiled_channel(folder, channel, base)
    return [each for each in caught.value.diagnostics if each.severity is Severity.ERROR]


def test_mimir_organisation_has_the_receivers_and_hours_of_its_tenants_alone() -> None:
    for org in ("retail", "status"):
        config = yaml.safe_load(files()[f"mimir/{org}/alertmanager.yaml"])
        own = [tenant for tenant, its in ORGS.items() if its == org]
        named = [
            *(receiver["name"] for receiver in config["receivers"]),
            *(interval["name"] for interval in config.get("time_intervals", ())),
        ]
        assert {name.split("/")[1] for name in named if "/" in name} == {*own}
        assert {name for name in named if "/" not in name} == {"slo-unrouted", "slo-heartbeat"}
        (tree,) = config["route"]["routes"]
        matched = [each["matchers"][0] for each in tree["routes"]]
        assert matched == ['severity="heartbeat"', *(f'tenant="{name}"' for name in own)]


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_mimir_organisation_routes_each_alert_as_the_manifests_want(
    suite: str, tmp_path: Path
) -> None:
    for expected in proofs_of(compiled(CASE)).routes:
        labels = dict(expected.labels)
        path = tmp_path / "alertmanager.yaml"
        path.write_text(files()[f"mimir/{ORGS[labels['tenant']]}/alertmanager.yaml"])
        command = [
            *(tool(suite, "amtool"), "config", "routes", "test", f"--config.file={path}"),
            f"--verify.receivers={','.join(expected.receivers)}",
            *(f"{name}={value}" for name, value in expected.labels),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (expected, done.stdout + done.stderr)


@pytest.mark.processes
def test_mimir_email_takes_the_servers_settings_of_the_platform(tmp_path: Path) -> None:
    text = compiled_channel(tmp_path, "email: {to: [a@acme.example]}", GLOBALS)
    assert yaml.safe_load(text)["global"] == {
        "smtp_smarthost": "mail.internal:25",
        "smtp_from": "slo@platform.example",
        "smtp_auth_password_file": "/etc/alertmanager/secrets/smtp",
    }


@pytest.mark.processes
def test_mimir_channel_with_settings_of_its_own_takes_none_of_the_platform(tmp_path: Path) -> None:
    channel = 'slack: {channel: "#a", api_url_file: /etc/alertmanager/secrets/acme}'
    assert "global" not in yaml.safe_load(compiled_channel(tmp_path, channel, GLOBALS))


def test_mimir_channel_without_a_setting_is_an_error_at_its_line(tmp_path: Path) -> None:
    found = refused(tmp_path, 'slack: {channel: "#a"}', None)
    assert [each.id for each in found] == ["missing-global"]
    assert found[0].position.line == 5


@pytest.mark.processes
def test_mimir_platform_rules_fire_for_each_failure_and_else_not(tmp_path: Path) -> None:
    """The number of rules that each organisation should have is that of its files."""
    meta = yaml.safe_load(files()["mimir/mimir/rules/_meta.yaml"])
    groups = [{k: v for k, v in g.items() if k != "query_offset"} for g in meta["groups"]]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
    loaded = {
        org: {
            group["name"]: len(group["rules"])
            for path, text in files().items()
            if path.startswith(f"mimir/{org}/rules/")
            for group in yaml.safe_load(text)["groups"]
        }
        for org in {*ORGS.values()}
    }
    good = [
        (
            f'cortex_prometheus_rule_group_rules{{user="{org}",rule_group="/rules/{org}/slo;{name}"}}',
            f"{n}x30",
        )
        for org, of in loaded.items()
        for name, n in of.items()
    ]
    healthy = [
        *good,
        *(
            (f'{metric}{{user="{org}"{more}}}', values)
            for org in loaded
            for metric, more, values in (
                (
                    "cortex_prometheus_rule_evaluation_failures_total",
                    f',rule_group="/rules/{org}/slo;slo-shop-base-1",reason="user"',
                    "3x30",
                ),
                ("cortex_prometheus_notifications_dropped_total", "", "3x30"),
                ("cortex_alertmanager_config_last_reload_successful", "", "1x30"),
                (
                    "cortex_alertmanager_notifications_failed_total",
                    ',integration="slack"',
                    "3x30",
                ),
            )
        ),
    ]
    others = [
        # Of an organisation and of groups that are not ours.
        (
            'cortex_prometheus_rule_evaluation_failures_total{user="x",rule_group="/x/y;z"}',
            "0+1x30",
        ),
        ('cortex_alertmanager_config_last_reload_successful{user="x"}', "0x30"),
    ]
    rule = '{user="retail",rule_group="/rules/retail/slo-shop;slo-shop-tiles-2"'
    failing = {
        (
            "cortex_prometheus_rule_evaluation_failures_total" + rule + ',reason="operator"}',
            "0+1x30",
        ): (
            "SLORuleGroupFailing",
            {
                "user": "retail",
                "tenant": "shop",
                "rule_group": "/rules/retail/slo-shop;slo-shop-tiles-2",
                "reason": "operator",
                "service": "slo-compiler",
                "slo": "rules",
            },
        ),
        ("cortex_prometheus_rule_group_iterations_missed_total" + rule + "}", "0+1x30"): (
            "SLORuleGroupFailing",
            {
                "user": "retail",
                "tenant": "shop",
                "rule_group": "/rules/retail/slo-shop;slo-shop-tiles-2",
                "service": "slo-compiler",
                "slo": "rules",
            },
        ),
        ('cortex_prometheus_notifications_dropped_total{user="status"}', "0+1x30"): (
            "SLOAlertsDropped",
            {"user": "status"},
        ),
        ('cortex_alertmanager_config_last_reload_successful{user="status"}', "0x30"): (
            "SLOAlertmanagerConfigFailing",
            {"user": "status"},
        ),
        (
            'cortex_alertmanager_notifications_failed_total{user="retail",integration="slack"}',
            "0+1x30",
        ): (
            "SLONotificationsFailing",
            {"user": "retail", "integration": "slack"},
        ),
    }
    half = [(series, values) for series, values in good if "-tiles-" not in series]
    cases = [
        ("nothing", [*healthy, *others], {}),
        (
            "half of the groups",
            half,
            {"SLORulesIncomplete": [{"user": u} for u in ("retail", "status")]},
        ),
        *(
            (series[0], [*good, series], {name: [labels]})
            for series, (name, labels) in failing.items()
        ),
    ]
    alerts = {rule["alert"]: rule for group in groups for rule in group["rules"]}
    assert {name for _, _, fire in cases for name in fire} == {*alerts}
    tests = [
        {
            "name": name,
            "interval": "1m",
            "input_series": [{"series": s, "values": v} for s, v in series],
            "promql_expr_test": [
                {
                    "expr": 'ALERTS{alertstate="firing"}',
                    "eval_time": "20m",
                    "exp_samples": [
                        {
                            "labels": "ALERTS"
                            + written(
                                {
                                    "alertname": alert,
                                    "alertstate": "firing",
                                    "severity": "page",
                                    **labels,
                                }
                            ),
                            "value": 1,
                        }
                        for alert, each in fire.items()
                        for labels in each
                    ],
                }
            ],
        }
        for name, series, fire in cases
    ]
    path = tmp_path / "tests.yml"
    path.write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests})
    )
    command = [tool("forky", "promtool"), "test", "rules", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def written(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


@pytest.mark.parametrize(
    "text",
    [
        "{org: ../x}",
        "{org: .x}",
        "{orgs: {shop: 'a/b'}}",
        "{orgs: {Shop: x}}",
        "{rules_per_group: -1}",
        "{groups: many}",
        "{query_offset: soon}",
        "{query_ofset: 5s}",
        "{platform_org: ''}",
    ],
)
def test_mimir_settings_are_checked(text: str) -> None:
    project = wrapped("")["slo-compiler.yaml"] + f"  mimir: {text}\n"
    report = Report()
    with pytest.raises(CompileError) as caught:
        pipeline.parse_project(
            SourceFile("p.yaml", "p.yaml", project.encode()),
            compiled("ratio").settings.root,
            report,
        )
    found = [*report.diagnostics, *caught.value.diagnostics]
    assert {each.position.line for each in found} == {len(project.splitlines())}


def test_mimir_file_of_rules_names_its_tenant_and_that_of_the_platform_none() -> None:
    assert naming.tenant_of(naming.mimir_rules_file("retail", "shop")) == "shop"
    assert naming.tenant_of(naming.mimir_meta_file("retail")) is None
    assert naming.tenant_of(naming.mimir_alertmanager_file("retail")) is None


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one tenant and the target mimir, compiled."""
    (tmp_path / "tenants").mkdir()
    channel = 'webhook: {url: "http://127.0.0.1:9/"}'
    (tmp_path / "tenants/acme.yaml").write_text(TENANT.replace("CHANNEL", channel))
    (tmp_path / "slo-compiler.yaml").write_text(PROJECT.replace("BASE", ""))
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["compile"]).exit_code == 0
    return tmp_path


def configure(repo: Path, settings: str) -> Result:
    """Compile with other settings of Mimir, where no person confirms what is removed."""
    text = PROJECT.replace("BASE", "") + f"  mimir: {settings}\n"
    (repo / "slo-compiler.yaml").write_text(text)
    return CliRunner().invoke(main, ["compile"], env={"CI": "1"})


@pytest.mark.processes
def test_mimir_tenant_that_moves_to_another_organisation_is_not_taken_for_a_removed_one(
    repo: Path,
) -> None:
    done = configure(repo, "{orgs: {acme: other}}")
    assert done.exit_code == 0, done.stderr
    found = sorted(p.relative_to(repo).as_posix() for p in repo.glob("generated/mimir/**/*.yaml"))
    assert found == [
        "generated/mimir/mimir/rules/_meta.yaml",
        "generated/mimir/other/alertmanager.yaml",
        "generated/mimir/other/rules/acme.yaml",
    ]


@pytest.mark.processes
def test_mimir_file_of_others_among_the_rules_is_an_error_of_compile_check(repo: Path) -> None:
    (repo / "generated/mimir/acme/rules/own.yaml").write_text("groups: []\n")
    done = CliRunner().invoke(main, ["compile", "--check"])
    assert done.exit_code == 1
    assert "generated/mimir/acme/rules/own.yaml:1:1: error[foreign-rules]" in done.stderr


@pytest.mark.processes
def test_mimir_organisation_of_a_tenant_that_is_not_there_is_an_error(repo: Path) -> None:
    done = configure(repo, "{orgs: {acne: other}}")
    assert done.exit_code == 1
    assert 'slo-compiler.yaml:6:18: error[unknown-tenant] no tenant "acne"' in done.stderr
    assert 'did you mean "acme"?' in done.stderr
