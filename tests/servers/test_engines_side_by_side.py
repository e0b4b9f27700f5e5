"""VictoriaMetrics and vmalert with the compiled rules, and Prometheus with its own: one exporter.

One episode of about five minutes. A service begins to fail, so that its alerts must fire in both at
the same time; another loses most of its traffic, which must not look like errors in either.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cases import tool
from demo.servers import free_port, get_json, prometheus, victoriametrics, vmalert

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.source import SourceFile

SUITE = "forky"
PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  targets: [prometheus, victoriametrics]
  prometheus: {scrape_interval: 5s, evaluation_interval: 20s}
"""
MANIFEST = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme-sre}
spec:
  policies:
    - name: short
      tiers:
        - {name: page-fast, severity: page, budget_share: 0.1%, long_window: 3m, short_window: 1m}
        - {name: ticket, severity: ticket, budget_share: 0.1%, long_window: 4m, short_window: 2m}
      no_data_for: 1m
  defaults: {policy: short}
  channels: [{name: hook, webhook: {url: "http://hooks.internal/acme"}}]
  escalation:
    - {severity: page, notify: [hook]}
    - {severity: ticket, notify: [hook]}
  slos:
    - name: fails
      service: web
      objective: 99
      alerting: {min_errors: 5}
      sli: {ratio: {errors: 'requests_total{code="500"}', total: requests_total}}
    - name: drops
      service: mail
      objective: 99.9
      sli: {ratio: {good: 'mails_total{result="ok"}', total: mails_total}}
"""
RATIOS = ("1m", "2m", "3m", "4m")
HEALTHY, BROKEN, DROPPED = Fraction(1, 4096), Fraction(1, 2), Fraction(1, 16)
FILL_SECONDS, BURN_SECONDS = 100, 200
EQUAL = 1e-6
# Seconds between an alert of one engine and that of the other: an evaluation, two hops, a scrape.
APART = 20 + 2 * 5 + 5 + 5


@dataclass
class Traffic:
    """Counters as a function of time; they are sums of powers of two, so that no ratio is rounded.

    Requests fail from `broken_at` on, mails become fewer.
    """

    started: float = field(default_factory=time.time)
    broken_at: float = float("inf")

    def page(self) -> str:
        now = time.time()
        # As if it had run for long: Prometheus extrapolates young counters to zero, each by itself.
        before = 2**24 + _whole(min(now, self.broken_at) - self.started)
        after = _whole(max(0.0, now - self.broken_at))
        failed = before * HEALTHY + after * BROKEN
        mails = before + after * DROPPED
        series = {
            'requests_total{code="500",tenant="acme"}': failed,
            'requests_total{code="200",tenant="acme"}': before + after - failed,
            'mails_total{result="failed",tenant="acme"}': mails * HEALTHY,
            'mails_total{result="ok",tenant="acme"}': mails * (1 - HEALTHY),
        }
        kinds = "# TYPE requests_total counter\n", "# TYPE mails_total counter\n"
        lines = [f"{name} {float(value)!r}\n" for name, value in series.items()]
        return kinds[0] + "".join(lines[:2]) + kinds[1] + "".join(lines[2:])


def _whole(seconds: float) -> Fraction:
    return Fraction(int(seconds * 512))  # events


@contextmanager
def served(traffic: Traffic) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = traffic.page().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def query(url: str, promql: str, at: float | None = None) -> list[Any]:
    """Evaluate an instant query; VictoriaMetrics would answer with what it knew 30 s before."""
    asked = {"query": promql, "nocache": "1", "time": str(at or time.time())}
    answer = get_json(f"{url}/api/v1/query?{urllib.parse.urlencode(asked)}")
    result: list[Any] = answer["data"]["result"]
    return result


@dataclass
class Engine:
    """Where an engine shows its alerts and answers queries, and when each alert was first seen."""

    alerts_url: str
    query_url: str
    seen: dict[str, float] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)
    ratios: list[float] = field(default_factory=list)

    def look(self) -> None:
        """Note the alerts that fire, and the error ratios of what only drops."""
        for alert in get_json(f"{self.alerts_url}/api/v1/alerts")["data"]["alerts"]:
            labels = alert["labels"]
            name = "/".join((labels["alertname"], labels["slo"], labels["tier"]))
            if alert["state"] == "firing" and name not in self.seen:
                self.seen[name] = time.time()
                self.labels[name] = labels
                self.summaries[name] = alert["annotations"]["summary"]
        self.ratios += [
            float(sample["value"][1])
            for window in RATIOS
            for sample in query(self.query_url, f'slo:error_ratio:rate{window}{{slo="drops"}}')
        ]

    def ratio(self, window: str) -> float:
        """Give the error ratio of what fails."""
        (sample,) = query(self.query_url, f'slo:error_ratio:rate{window}{{slo="fails"}}')
        return float(sample["value"][1])


def scrapes(exporter: int, own: int) -> str:
    def job(name: str, port: int) -> dict[str, Any]:
        static = [{"targets": [f"127.0.0.1:{port}"]}]
        return {"job_name": name, "honor_labels": True, "static_configs": static}

    return json.dumps(
        {
            "global": {"scrape_interval": "5s"},
            "scrape_configs": [job("exporter", exporter), job("own", own)],
        }
    )


@contextmanager
def both(folder: Path, traffic: Traffic) -> Iterator[tuple[Engine, Engine]]:
    """Run both engines on what the compiler writes for them."""
    report = Report()
    settings = pipeline.parse_project(SourceFile("p", "p", PROJECT.encode()), folder, report)
    source = SourceFile("t.yaml", "t.yaml", MANIFEST.encode())
    for artefact in pipeline.compile_project(settings, [source], report).artefacts:
        path = folder / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    with ExitStack() as stack:
        exporter = stack.enter_context(served(traffic))
        ports = [free_port() for _ in range(3)]
        config = json.loads(scrapes(exporter, ports[0]))
        config["global"]["evaluation_interval"] = "20s"
        config["rule_files"] = [f"{folder}/prometheus/rules/*.yml"]
        (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
        (folder / "scrapes.yml").write_text(scrapes(exporter, ports[2]), encoding="utf-8")
        one = stack.enter_context(
            prometheus(
                tool(SUITE, "prometheus"),
                folder / "prometheus.yml",
                folder / "data-prometheus",
                port=ports[0],
            )
        )
        storage = stack.enter_context(
            victoriametrics(
                tool(SUITE, "victoria-metrics"),
                folder / "scrapes.yml",
                folder / "data-victoriametrics",
                port=ports[1],
            )
        )
        rules = stack.enter_context(
            vmalert(
                tool(SUITE, "vmalert"),
                f"{folder}/victoriametrics/rules/*.yml",
                folder / "victoriametrics/vmalert.env",
                folder / "data-vmalert",
                url=storage.url,
                port=ports[2],
            )
        )
        yield Engine(one.url, one.url), Engine(rules.url, storage.url)


@pytest.mark.skipif("ENGINES" not in os.environ, reason="takes five minutes: make engines")
@pytest.mark.timeout(900)
def test_vmalert_pages_when_prometheus_does_and_not_when_traffic_drops(tmp_path: Path) -> None:
    traffic = Traffic()
    with both(tmp_path, traffic) as (one, other):
        time.sleep(FILL_SECONDS)
        traffic.broken_at = time.time()
        while time.time() < traffic.broken_at + BURN_SECONDS:
            one.look()
            other.look()
            time.sleep(1)

        burns = {"SLOErrorBudgetBurn/fails/page-fast", "SLOErrorBudgetBurn/fails/ticket"}
        expected = burns | {"SLOWatchdog/watchdog/watchdog"}
        assert {*one.seen} == expected
        assert {*other.seen} == expected
        times = {name: (one.seen[name], other.seen[name]) for name in sorted(burns)}
        for first, second in times.values():
            assert abs(first - second) <= APART, times
        assert other.labels == one.labels  # and so their routes
        for engine in (one, other):
            assert all("unknown" not in engine.summaries[name] for name in burns)

        # Errors and events of what drops are of the same moment, at each evaluation.
        for ratios in (one.ratios, other.ratios):
            assert len(ratios) > 100
            assert [ratio for ratio in ratios if abs(ratio - HEALTHY) > EQUAL] == []
        for window in RATIOS[:3]:  # which hold nothing but failures by now
            assert one.ratio(window) == pytest.approx(float(BROKEN), abs=EQUAL)
            assert other.ratio(window) == pytest.approx(one.ratio(window), abs=EQUAL)

        checked, missed = hops_missed(other.query_url)
        assert checked > 15
        assert len(missed) <= checked // 5, missed  # on a busy machine, now and then

        failed = "vmalert_recording_rules_errors_total", "vmalert_alerting_rules_errors_total"
        for metric in (*failed, "vmalert_iteration_missed_total"):
            found = query(other.query_url, f'sum({metric}{{group=~"slo-acme-.*"}})')
            assert [float(each["value"][1]) for each in found] == [0.0]


def hops_missed(url: str) -> tuple[int, list[tuple[str, float, float, float]]]:
    """Evaluate each recorded ratio and burn rate again, when all that it reads is there.

    Gives how many there are, and those that were something else then: what they read was not there.
    """
    again = {
        "slo:error_ratio:rate2m": "sum_over_time(slo:errors:rate[100s]) / "
        "(sum_over_time(slo:events:rate[100s]) > 0)",
        "slo:burn_rate:ratio3m": "slo:error_ratio:rate3m / on (tenant, service, slo) group_left "
        "slo:error_budget:ratio",
    }
    checked, missed = 0, []
    for name, expression in again.items():
        (series,) = query(url, f'{name}{{slo="fails"}}[4m]')
        for at, value in series["values"]:
            results = query(url, expression, at)
            (now,) = (float(r["value"][1]) for r in results if r["metric"]["slo"] == "fails")
            checked += 1
            if now != pytest.approx(float(value), rel=1e-6):
                missed.append((name, at, float(value), now))
    return checked, missed
