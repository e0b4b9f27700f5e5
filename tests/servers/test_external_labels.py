"""Several clusters send to one Alertmanager: no cluster's alert inhibits or joins another's."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from alertmanagers import every_version, running
from cases import tool
from demo.servers import wait_until

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.pipeline import Compiled
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.proofs import run as prove
from slo_compiler.source import SourceFile

PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  prometheus: {{external_labels: {labels}}}
  alertmanager: {{heartbeat: {{webhook: {{url: "http://127.0.0.1:9/beat"}}}}, group_wait: 1s}}
"""
TENANTS = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: acme, owner: acme{more}}}
spec:
  channels: [{{name: chat, webhook: {{url: "http://127.0.0.1:9/acme"}}}}]
  escalation:
    - {{severity: page, notify: [chat]}}
    - {{severity: ticket, notify: [chat]}}
  slos:
    - name: ok
      service: db
      objective: 99.9
      sli: {{ratio: {{errors: e_total, total: t_total}}}}
    - name: ok
      service: web
      objective: 99.9
      depends_on: [db/ok]
      sli: {{ratio: {{errors: f_total, total: u_total}}}}
"""


def compiled(labels: str = "[cluster]", more: str = "", tenants: str = TENANTS) -> Compiled:
    report = Report()
    file = SourceFile("p.yaml", "p.yaml", PROJECT.format(labels=labels).encode())
    settings = pipeline.parse_project(file, Path(), report)
    source = SourceFile("acme.yaml", "acme.yaml", tenants.format(more=more).encode())
    return pipeline.compile_project(settings, [source], report)


def text_of(done: Compiled, path: str) -> str:
    return next(artefact.text for artefact in done.artefacts if artefact.path == path)


def burning(cluster: str, service: str, tier: str, window: str) -> Pairs:
    severity = tier.partition("-")[0]
    labels = {"alertname": naming.ALERT_BURN, "tenant": "acme", "service": service, "slo": "ok"}
    labels |= {"severity": severity, "tier": tier, "long_window": window, "cluster": cluster}
    return tuple(sorted(labels.items()))


FAST = burning("eu-1", "db", "page-fast", "1h")
INHIBITED = (
    burning("eu-1", "db", "page-slow", "6h"),  # the same SLO's longer window
    burning("eu-1", "web", "page-fast", "1h"),  # depends on it
)
FREE = (
    burning("us-1", "db", "ticket-fast", "1d"),
    burning("us-1", "web", "page-fast", "1h"),
)


@every_version
def test_alertmanager_two_clusters_inhibits_and_groups_within_each(
    suite: str, tmp_path: Path
) -> None:
    text = text_of(compiled(), naming.ALERTMANAGER_FILE)
    with running(suite, tmp_path) as real:
        real.load(text)
        real.fire([FAST])
        time.sleep(0.2)  # Alertmanager 0.25 reads sources from a queue
        real.fire([*INHIBITED, *FREE])

        def states() -> dict[Pairs, bool]:
            return {labels: bool(a["status"]["inhibitedBy"]) for labels, a in real.alerts().items()}

        wanted = {FAST: False, **dict.fromkeys(INHIBITED, True), **dict.fromkeys(FREE, False)}
        wait_until(lambda: states() == wanted, 10, what="one cluster's alerts inhibited")

        def groups() -> list[Any]:
            heartbeat = naming.RECEIVER_HEARTBEAT
            return [g for g in real.groups() if g["receiver"]["name"] != heartbeat]

        def grouped() -> bool:  # which comes after an alert is known
            return sum(len(group["alerts"]) for group in groups()) == len(wanted)

        wait_until(grouped, 10)
        clusters = [{a["labels"]["cluster"] for a in group["alerts"]} for group in groups()]
        assert sorted(map(sorted, clusters)) == [["eu-1"], ["eu-1"], ["us-1"], ["us-1"]]
        assert all("cluster" in group["labels"] for group in groups())


def failures(folder: Path, config: str, routes: str) -> list[str]:
    (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
    (folder / "routes.yml").write_text(routes, encoding="utf-8")
    paths = (folder / "alertmanager.yml", folder / "routes.yml")
    jobs = prove.route_jobs(tool("forky", "amtool"), *paths)
    return [failure.message for job in jobs for failure in job().failures]


def test_route_proofs_configuration_without_the_label_fails(tmp_path: Path) -> None:
    done = compiled()
    config, routes = (text_of(done, n) for n in (naming.ALERTMANAGER_FILE, naming.ROUTES_FILE))
    assert failures(tmp_path, config, routes) == []
    data = yaml.safe_load(config)
    for rule in data["inhibit_rules"]:
        rule["equal"] = [name for name in rule.get("equal", []) if name != "cluster"]
    assert any("cluster=decoy inhibits" in m for m in failures(tmp_path, yaml.dump(data), routes))
    data = yaml.safe_load(config)
    data["route"]["routes"][0]["group_by"].remove("cluster")
    assert any("grouped without cluster" in m for m in failures(tmp_path, yaml.dump(data), routes))


def test_notification_title_names_the_cluster() -> None:
    slack = 'slack: {{channel: "#acme", api_url_file: /secrets/slack}}'
    chat = 'webhook: {{url: "http://127.0.0.1:9/acme"}}'
    config = text_of(compiled(tenants=TENANTS.replace(chat, slack)), naming.ALERTMANAGER_FILE)
    receivers = {r["name"]: r for r in yaml.safe_load(config)["receivers"]}
    title = receivers["slo/acme/page"]["slack_configs"][0]["title"]
    assert "{{ with .GroupLabels.cluster }} cluster={{ . }}{{ end }}" in title


def test_check_labels_user_label_with_an_external_name_is_refused() -> None:
    with pytest.raises(CompileError) as failed:
        compiled(more=", labels: {cluster: mine}")
    found = [(d.id, d.position.line) for d in failed.value.diagnostics]
    assert ("label-clash", 3) in found


@pytest.mark.parametrize(
    ("labels", "finding"),
    [("[cluster, cluster]", "duplicate-label"), ("[tenant]", "reserved-label")],
)
def test_project_bad_external_labels_are_refused(labels: str, finding: str) -> None:
    with pytest.raises(CompileError) as failed:
        compiled(labels)
    assert [found.id for found in failed.value.diagnostics] == [finding]
