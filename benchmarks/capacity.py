"""How many SLOs one core evaluates: compiled rules as the rule groups of a real Prometheus."""
# ruff: noqa: INP001 - imported by a script

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from approaches import STEP, compiled
from demo.servers import free_port, prometheus, query, wait_until
from history import back_fill, tool
from load import application, bodies, filled

from slo_compiler.emit.prometheus import rules_text

CYCLE = 150  # seconds in which every group is evaluated, the slow ones once
_CONFIG = """\
global: {{scrape_interval: {step}s, evaluation_interval: {step}s}}
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: app
    honor_labels: true
    metrics_path: /0
    static_configs: [{{targets: ["127.0.0.1:{app}"]}}]
  - job_name: prometheus
    scrape_interval: 5s
    static_configs: [{{targets: ["127.0.0.1:{self}"]}}]
"""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the rules of some SLOs cost: shares of a core, by part of the rules and in all."""

    slos: int
    tenants: int
    series: int
    cores: Mapping[str, float]  # last duration / interval of the rule groups, by part
    process: float  # everything that the server does, scraping included
    slowest: float  # seconds of the longest evaluation of one group
    head: float  # series that the server holds in memory, its own among them
    memory: float  # bytes of the whole process
    samples: float  # that are written in a second


def measure(slos: int, tenants: int, series: int, folder: Path, seconds: int = CYCLE) -> Capacity:
    """Let a server evaluate the rules of many SLOs, spread over tenants, for some seconds."""
    jobs = {f"t{t}": [f"t{t}-web{j}" for j in range(slos // tenants)] for t in range(tenants)}
    (folder / "rules").mkdir()
    result = compiled(jobs)
    intervals = {
        rule.name: int(group.interval.seconds)
        for group in result.rules[0].groups
        for rule in group.rules
    }
    for rules in result.rules:
        (folder / "rules" / f"{rules.tenant}.yml").write_text(rules_text(rules), "utf-8")
    back_fill(_history(jobs, series, intervals, int(time.time())), folder / "data")
    config, port = folder / "prometheus.yml", free_port()
    with application(["".join(bodies(jobs, series))]) as (app, _):
        config.write_text(_CONFIG.format(step=STEP, app=app, self=port), encoding="utf-8")
        keep = ["--storage.tsdb.retention.time=60d"]
        with prometheus(
            tool("prometheus"), config, folder / "data", port=port, extra_args=keep
        ) as server:
            wait_until(lambda: query(server.url, "process_cpu_seconds_total"), what="a scrape")
            time.sleep(seconds + 5)

            def ask(promql: str) -> dict[str, float]:
                return {
                    row["metric"].get("part", ""): float(row["value"][1])
                    for row in query(server.url, promql)
                }

            failed = ask("sum(prometheus_rule_evaluation_failures_total)")[""]
            missed = ask("sum(prometheus_rule_group_iterations_missed_total)")[""]
            if failed or missed:
                raise RuntimeError(f"{failed:g} evaluations failed, {missed:g} were missed")
            last = "prometheus_rule_group_last_duration_seconds"
            share = f"{last} / prometheus_rule_group_interval_seconds"
            part = f'label_replace({share}, "part", "$1", "rule_group", ".*-([a-z]+)-[0-9]+")'
            return Capacity(
                slos,
                tenants,
                series,
                ask(f"sum by (part) ({part})"),
                ask(f"rate(process_cpu_seconds_total[{seconds}s])")[""],
                ask(f"max({last})")[""],
                ask("prometheus_tsdb_head_series")[""],
                ask("process_resident_memory_bytes")[""],
                ask(f"sum(rate(prometheus_tsdb_head_samples_appended_total[{seconds}s]))")[""],
            )


def _history(
    jobs: Mapping[str, list[str]], series: int, intervals: Mapping[str, int], now: int
) -> Iterator[str]:
    """Give raw counters of the last minutes, base rates of a day, and a month of tiles."""
    counters = "".join(bodies(jobs, series))
    for at in range(now - 300, now, STEP):
        yield filled(counters, at, f" {at}")
    for metric, days in (("rate", 1), ("increase2m30s", 4), ("increase10m", 31)):
        for counted, scale in (("events", 10.0), ("errors", 0.01)):
            name = f"slo:{counted}:{metric}"
            step = intervals[name]
            times = range((now - days * 86_400) // step * step, now, step)
            text = "".join(f"@ {scale * (1 + t * t % 10_007 / 1e5)!r} {t}\n" for t in times)
            for tenant, own in jobs.items():
                for job in own:
                    labels = f'tenant="{tenant}",service="{job}",slo="availability"'
                    yield text.replace("@", f"{name}{{{labels}}}")
