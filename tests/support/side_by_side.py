"""Prometheus, and vmalert with VictoriaMetrics in several versions, on one exporter at one time.

The scene is that of the examples: their seven tenants, their objectives and SLIs. Only the policies
are others, with windows of two minutes, so that an episode fits into a test.
"""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cases import ROOT, tool
from demo.exporter import Exporter
from demo.servers import free_port, get_json, prometheus, victoriametrics, vmalert

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.source import SourceFile

SCRAPE, EVALUATION = 5, 20  # seconds; four hops of vmalert need an evaluation of 20 s
WINDOWS = ("1m", "1m20s", "2m")
PROJECT = f"""\
apiVersion: slo-compiler/v1
kind: Project
spec:
  targets: [prometheus, victoriametrics]
  prometheus: {{scrape_interval: {SCRAPE}s, evaluation_interval: {EVALUATION}s}}
  tenants:
    internal-api: {{matchers: {{namespace: internal-api}}}}
  defaults: {{policy: demo}}
  hours:
    business: [{{weekdays: ["sunday:saturday"], times: ["00:00-24:00"]}}]
"""

# The budget shares give the same burn rates in each period, 25 and 31: see the test.
TIERS = (("page", "1m20s", "1m"), ("ticket", "2m", "1m20s"))
SHARES = {
    "demo": ("0.07716%", "0.14352%"),  # of 30d
    "week": ("0.33069%", "0.61508%"),
    "batch": ("0.08267%", "0.15377%"),  # of 28d
}

Labels = frozenset[tuple[str, str]]


@dataclass
class Engine:
    """Where an engine shows its alerts and answers queries, and when each alert was first seen."""

    name: str
    alerts_url: str
    query_url: str
    seen: dict[Labels, float] = field(default_factory=dict)
    summaries: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Note the alerts that fire."""
        for alert in get_json(f"{self.alerts_url}/api/v1/alerts")["data"]["alerts"]:
            labels = frozenset(alert["labels"].items())
            if alert["state"] == "firing" and labels not in self.seen:
                self.seen[labels] = time.time()
                self.summaries.append(alert["annotations"]["summary"])

    def query(self, promql: str, at: float | None = None) -> list[Any]:
        """Evaluate an instant query; VictoriaMetrics would answer with what it knew 30 s before."""
        parameters = {"query": promql, "nocache": "1", "time": str(at or time.time())}
        answer = get_json(f"{self.query_url}/api/v1/query?{urllib.parse.urlencode(parameters)}")
        result: list[Any] = answer["data"]["result"]
        return result

    def ratios(self, window: str, *, without: str) -> dict[Labels, float]:
        """Return the recorded error ratios of a window, by their labels, of all tenants but one."""
        found = self.query(f'slo:error_ratio:rate{window}{{tenant!="{without}"}}')
        return {
            frozenset((k, v) for k, v in each["metric"].items() if k != "__name__"): float(
                each["value"][1]
            )
            for each in found
        }


class Clock:
    """Nanoseconds that pass in steps of a scrape, after a hundred days at the exporter's start.

    Each step counts whole events and whole errors, so that no recorded ratio depends on when an
    engine scrapes. Prometheus extrapolates young counters to zero, each by itself: these are old.
    """

    STEP_NS, AGE_NS = SCRAPE * 10**9, 100 * 86400 * 10**9

    def __init__(self) -> None:
        self._started_ns: int | None = None

    def __call__(self) -> int:
        if self._started_ns is None:  # the exporter is made
            self._started_ns = time.monotonic_ns()
            return 0
        passed = time.monotonic_ns() - self._started_ns
        return self.AGE_NS + passed // self.STEP_NS * self.STEP_NS


def manifests() -> Iterator[SourceFile]:
    """Yield the manifests of the examples, with policies whose windows are short."""
    for path in sorted((ROOT / "examples/tenants").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        own = text.find("  policies:\n")
        if own >= 0:
            text = text[:own] + text[text.index("  channels:\n") :]
        # What is left of a budget follows in minutes, by its own rules: an alert of hours and days.
        text = re.sub(r"    - \{budget_below: .*\n", "", text)
        text = text.replace("policy: sre-workbook-7d", "policy: week")
        yield SourceFile(path.name, path.name, text.encode())


def policies() -> str:
    """Return policies in the place of those that the examples name."""
    return yaml.safe_dump_all(
        {
            "apiVersion": "slo-compiler/v1",
            "kind": "AlertPolicy",
            "metadata": {"name": name},
            "spec": {
                "no_data_for": "1m",
                "tiers": [
                    {
                        "name": f"{severity}-fast",
                        "severity": severity,
                        "budget_share": share,
                        "long_window": long,
                        "short_window": short,
                    }
                    for (severity, long, short), share in zip(TIERS, shares, strict=True)
                    if not (name == "batch" and severity == "page")
                ],
            },
        }
        for name, shares in SHARES.items()
    )


def compiled(folder: Path) -> None:
    """Compile the scene into a folder, for both engines."""
    report = Report()
    (folder / "policies.yaml").write_text(policies(), encoding="utf-8")
    text = PROJECT + "  policies: [policies.yaml]\n"
    settings = pipeline.parse_project(SourceFile("p", "p", text.encode()), folder, report)
    compilation = pipeline.compile_project(settings, [*manifests()], report)
    for artefact in compilation.artefacts:
        path = folder / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")


def scrapes(*ports: int) -> dict[str, Any]:
    """Return a configuration that scrapes these ports, whose series name their own jobs."""
    return {
        "global": {"scrape_interval": f"{SCRAPE}s"},
        "scrape_configs": [
            {
                "job_name": f"job-{number}",
                "honor_labels": True,
                "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
            }
            for number, port in enumerate(ports)
        ],
    }


@contextmanager
def side_by_side(
    folder: Path, exporter: Exporter, prometheus_of: str, suites: Sequence[str]
) -> Iterator[list[Engine]]:
    """Run the engines on what the compiler writes for them: Prometheus first.

    Args:
        folder: where all of it is.
        exporter: which they scrape.
        prometheus_of: the suite of the Prometheus.
        suites: those of VictoriaMetrics and vmalert.
    """
    compiled(folder)
    with ExitStack() as stack:
        storages = []
        for suite in suites:
            of_suite, port, rules_port = folder / suite, free_port(), free_port()
            of_suite.mkdir()
            config = of_suite / "scrapes.yml"
            config.write_text(json.dumps(scrapes(exporter.port, rules_port)), encoding="utf-8")
            binary = tool(suite, "victoria-metrics")
            running = victoriametrics(binary, config, of_suite / "storage", port=port)
            storages.append((suite, stack.enter_context(running).url, rules_port))
        port = free_port()
        config = folder / "prometheus.yml"
        whole = scrapes(exporter.port, port) | {"rule_files": [f"{folder}/prometheus/rules/*.yml"]}
        config.write_text(json.dumps(whole), encoding="utf-8")
        binary = tool(prometheus_of, "prometheus")
        server = stack.enter_context(prometheus(binary, config, folder / "data", port=port))
        engines = [Engine(f"Prometheus of {prometheus_of}", server.url, server.url)]
        for suite, url, rules_port in storages:
            running = vmalert(
                tool(suite, "vmalert"),
                f"{folder}/victoriametrics/rules/*.yml",
                folder / "victoriametrics/vmalert.env",
                folder / suite / "rules",
                url=url,
                port=rules_port,
            )
            rules = stack.enter_context(running)
            engines.append(Engine(f"vmalert of {suite}", rules.url, url))
        yield engines
