"""The cost that `slo-compiler cost` estimates is what a real Prometheus reports of its rules."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from cases import tool
from click.testing import CliRunner
from demo.servers import free_port, get_json, prometheus, query, wait_until

from slo_compiler import pipeline
from slo_compiler.cli import main
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.pipeline import Planned
from slo_compiler.reading import read_sources

STEP, SLOW = 4, 20  # seconds between scrapes and evaluations, and between those of slow groups
TOLERANCE = 0.2
PROJECT = f"""\
apiVersion: slo-compiler/v1
kind: Project
spec:
  targets: [prometheus]
  prometheus: {{version: "3.5", scrape_interval: {STEP}s, evaluation_interval: {STEP}s}}
"""
TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: {0}, owner: {0}-sre}}
spec:
  defaults: {{objective: 99, period: 7d}}
  channels: [{{name: hook, webhook: {{url: "http://127.0.0.1:9/{0}"}}}}]
  escalation:
    - {{severity: page, notify: [hook]}}
    - {{severity: ticket, notify: [hook]}}
    - {{budget_below: 20%, notify: [hook]}}
    - {{exhausted_within: 6h, notify: [hook]}}
  slos:
"""
RATIO = "ratio: {errors: 'http_requests_total{code=\"500\"}', total: http_requests_total"
SLICES = "timeslices: {slice: 1m, target: 95, idle: bad}"
PARTS = "slos: [{slo: web/regions}, {slo: web/month}]"
SLOS = {
    "plain": f"""\
    - {{name: answers, service: web, sli: {{{RATIO}}}}}}}
    - name: guarded
      service: web
      alerting: {{min_errors: 3, min_events: 10}}
      sli: {{{RATIO}}}}}
    - {{name: shadow, service: web, stage: shadow, sli: {{{RATIO}}}}}}}
""",
    "parts": f"""\
    - {{name: regions, service: web, sli: {{{RATIO}, by: [region]}}}}}}
    - {{name: month, service: web, period: {{calendar: month}}, sli: {{{RATIO}}}}}}}
    - {{name: both, service: web, sli: {{composite: {{{PARTS}}}}}}}
""",
    "others": f"""\
    - {{name: slices, service: web, budgeting: {{{SLICES}}}, sli: {{{RATIO}}}}}}}
    - name: value
      service: web
      sli: {{threshold: {{query: temperature, op: "<", value: 60, by: [region]}}}}
    - name: fast
      service: web
      sli: {{latency: {{histogram: latency_seconds, threshold: 500ms}}}}
""",
}
REGIONS = ("east", "north", "south")
BY_REGION = {"regions", "value"}
INSTANCES = 6
SPANS = {"rate": 7 * 3600, "increase20s": 31 * 3600, "increase30m": 31 * 86_400}  # seconds
REST = 7 * 86_400


def raw_series() -> list[str]:
    """Give the raw series of all tenants; `@` is for the labels, a counter's growth comes after."""
    names = []
    for tenant in SLOS:
        for n in range(INSTANCES):
            own = f'tenant="{tenant}",region="{REGIONS[n % 3]}",instance="{n}"'
            names += [f'http_requests_total{{{own},code="{code}"}}' for code in ("200", "500")]
            names += [f'latency_seconds_bucket{{{own},le="{le}"}}' for le in ("0.5", "1", "+Inf")]
            names += [f"latency_seconds_count{{{own}}}", f"temperature{{{own}}}"]
    return names


def scraped(now: float) -> Iterator[tuple[str, float]]:
    """Give the value of each raw series at a time."""
    for name in raw_series():
        if name.startswith("temperature"):
            yield name, 50.0
        else:
            rare = 'code="500"' in name
            yield name, int(now - 1.7e9) * (0.1 if rare else 10)


@contextmanager
def exporter() -> Iterator[int]:
    """Serve the raw series."""

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = "".join(f"{name} {value}\n" for name, value in scraped(time.time())).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def history(planned: Planned, now: int) -> Iterator[str]:
    """Give raw samples of some minutes, and what rules have recorded that others read."""
    for at in range(now - 300, now, STEP):
        yield from (f"{name} {value} {at}\n" for name, value in scraped(at))
    for tenant, rules in zip(planned.plan.tenants, planned.rules, strict=True):
        names = {rule.name for group in rules.groups for rule in group.rules if not rule.alert}
        for name in sorted(names):
            found = re.fullmatch(r"slo:(sliced_)?(events|errors):(rate|increase(20s|5m|30m))", name)
            if not found:
                continue
            span = SPANS.get(found[3], REST)
            every = STEP if found[3] == "rate" else int(Duration.parse(found[4]).seconds)
            for slo in tenant.slos:
                if found[1] and slo.identity.slo != "slices":
                    continue
                own = ",".join(f'{k}="{v}"' for k, v in slo.identity.labels)
                for region in REGIONS if slo.identity.slo in BY_REGION else ("",):
                    labels = own + (f',region="{region}"' if region else "")
                    value = 2.0 if found[2] == "events" else 0.01
                    for at in range((now - span) // every * every, now, every):
                        yield f"{name}{{{labels}}} {value} {at}\n"
    yield "# EOF\n"


def compiled(folder: Path) -> Planned:
    """Write the project and its rules; give their plan."""
    (folder / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "tenants").mkdir()
    for name, slos in SLOS.items():
        text = TENANT.format(name) + slos
        (folder / "tenants" / f"{name}.yaml").write_text(text, encoding="utf-8")
    project = folder / "slo-compiler.yaml"
    done = CliRunner().invoke(main, ["compile", "--no-cache", "--project", str(project)])
    assert done.exit_code == 0, done.output
    settings = pipeline.read_project(project, Report())
    sources = read_sources([str(folder / "tenants")], folder, Report())
    return pipeline.plan_project(settings, sources, Report())


def back_fill(planned: Planned, folder: Path) -> None:
    text = folder / "history.om"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(history(planned, int(time.time())))
    create = ("tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1458h", "--quiet")
    promtool = tool("forky", "promtool")
    subprocess.run([promtool, *create, text, folder / "data"], check=True, capture_output=True)


def estimated(folder: Path, *options: str) -> dict[str, Any]:
    project = str(folder / "slo-compiler.yaml")
    done = CliRunner().invoke(main, ["cost", "--project", project, "--format", "json", *options])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def reported(url: str) -> dict[str, Mapping[str, float]]:
    """Return what Prometheus measures of each tenant's rules: it counts the samples itself."""
    found: dict[str, dict[str, float]] = {}
    for group in get_json(f"{url}/api/v1/rules")["data"]["groups"]:
        tenant = Path(group["file"]).stem
        usage = found.setdefault(tenant, dict.fromkeys(FIGURES, 0.0))
        usage["groups"] += 1
        for rule in group["rules"]:
            usage[f"{rule['type']}_rules"] += 1
            parameters = urlencode({"query": rule["query"], "stats": "all"})
            answer = get_json(f"{url}/api/v1/query?{parameters}")["data"]
            samples = answer["stats"]["samples"]["totalQueryableSamples"]
            usage["samples_per_second"] += samples / group["interval"]
            assert rule["health"] == "ok", rule
    for row in query(url, 'count by (tenant) ({__name__=~"slo:.*|slo_info"})'):
        found[row["metric"]["tenant"]]["series"] = float(row["value"][1])
    return {**found}


FIGURES = ("recording_rules", "alerting_rules", "groups", "series", "samples_per_second")


def test_costs_are_within_a_fifth_of_what_prometheus_reports(
    tmp_path: Path,
) -> None:
    planned = compiled(tmp_path)
    back_fill(planned, tmp_path)
    config, port = tmp_path / "prometheus.yml", free_port()
    with exporter() as app:
        config.write_text(
            f"global: {{scrape_interval: {STEP}s, evaluation_interval: {STEP}s}}\n"
            f"rule_files: [{tmp_path}/generated/prometheus/rules/*.yml]\n"
            "scrape_configs:\n"
            f'  - {{job_name: app, static_configs: [{{targets: ["127.0.0.1:{app}"]}}]}}\n'
            f'  - {{job_name: self, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}\n',
            encoding="utf-8",
        )
        keep = ["--storage.tsdb.retention.time=60d"]
        with prometheus(
            tool("forky", "prometheus"), config, tmp_path / "data", port=port, extra_args=keep
        ) as server:
            wait_until(lambda: query(server.url, "slo:burn_rate:ratio3d"), 60, what="slow rules")
            time.sleep(SLOW + STEP)  # each group has had its turn, and those after it theirs
            seen = reported(server.url)
            found = estimated(tmp_path, "--live", server.url)
            share = query(
                server.url,
                "sum(prometheus_rule_group_last_duration_seconds"
                " / prometheus_rule_group_interval_seconds)",
            )
    costs = {each["tenant"]: each for each in found["tenants"]}
    table = [f"{'':10}{'':20}{'estimated':>12}{'reported':>12}"]
    table += [
        f"{tenant:10}{figure:20}{costs[tenant][figure]:12.1f}{seen[tenant][figure]:12.1f}"
        for tenant in SLOS
        for figure in FIGURES
    ]
    table.append(f"CPU: estimated {found['total']['cpu_ratio']:.4f}, measured {share[0]['value']}")
    shown = "\n".join(table)
    assert {*costs} == {*seen} == {*SLOS}
    for tenant, usage in seen.items():
        for figure in ("recording_rules", "alerting_rules", "groups"):
            assert costs[tenant][figure] == usage[figure], shown
        for figure in ("series", "samples_per_second"):
            assert costs[tenant][figure] == pytest.approx(usage[figure], rel=TOLERANCE), shown
