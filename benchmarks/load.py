"""Many SLOs on one Prometheus: their rules, a month of history, and an application to scrape."""
# ruff: noqa: INP001 - imported by a script

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path

from approaches import STEP, compiled, raw
from blocks import Metric, write_blocks
from demo.servers import Server, free_port, prometheus
from history import tool

from slo_compiler.emit.prometheus import rules_text

BLOCK = "30m"  # of the head, in place of 2h: an hour then has its compactions
TARGET = 10_000  # series that one target serves
BROKEN = 100  # of so many SLOs one fails from the start of the run
PATIENCE = 600.0  # seconds until the server has read its rules
PERIOD = "slo:events:increase30d"
_CONFIG = """\
global: {{scrape_interval: {step}s, scrape_timeout: {step}s, evaluation_interval: {step}s}}
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: app
    honor_labels: true
    static_configs:
{targets}
  - job_name: prometheus
    scrape_interval: {own}s
    scrape_timeout: {own}s
    static_configs: [{{targets: ["127.0.0.1:{self}"]}}]
"""
_TARGET = """\
      - {{targets: ["127.0.0.1:{app}"], labels: {{instance: app{n}, __metrics_path__: /{n}}}}}"""


@dataclass(frozen=True, slots=True)
class Run:
    """What is run: SLOs in tenants, each with raw series, and how long."""

    slos: int
    tenants: int
    series: int
    minutes: float
    every: int
    settle: float
    retention: int
    nice: int

    @property
    def own(self) -> int:
        """Seconds between two scrapes of the server's own series."""
        return min(STEP, max(1, self.every // 2))

    @property
    def jobs(self) -> Mapping[str, list[str]]:
        """The services of each tenant, one for each SLO."""
        size = self.slos // self.tenants
        return {f"t{t}": [f"t{t}-web{j}" for j in range(size)] for t in range(self.tenants)}


# --- rules and history


def write_rules(jobs: Mapping[str, list[str]], folder: Path) -> Mapping[str, str]:
    """Write the rules of all tenants, and return how each tenant sums its period."""
    folder.mkdir()
    periods = {}
    for tenant, own in jobs.items():
        (rules,) = compiled({tenant: own}).rules
        (folder / f"{tenant}.yml").write_text(rules_text(rules), "utf-8")
        every = [rule for group in rules.groups for rule in group.rules]
        periods[tenant] = next(rule.expr for rule in every if rule.name == PERIOD)
    return periods


def write_history(run: Run, data: Path, now: int) -> None:
    """Write what rules read of the past: base rates of 7 hours, tiles of 4 days and of a month."""
    metrics = [
        Metric(f"slo:{counted}:{metric}", every, now - hours * 3600, value)
        for metric, every, seconds, hours in (
            ("rate", STEP, 1, 7),
            ("increase2m30s", 150, 150, 4 * 24),
            ("increase10m", 150, 600, 31 * 24),
        )
        for counted, value in (
            ("events", lambda at, s=seconds: s * (200 + at * at % 10_007 / 97)),
            ("errors", lambda at, s=seconds: s * (at * at % 10_007 % 3) / 30),
        )
    ]
    identities = [
        {"tenant": tenant, "service": job, "slo": "availability"}
        for tenant, own in run.jobs.items()
        for job in own
    ]
    write_blocks(data, metrics, identities, now, run.retention)


# --- the application


def bodies(jobs: Mapping[str, list[str]], series: int, broken: int = 0) -> list[str]:
    """Give the text of each target: a line for each raw series, with a mark as its value.

    @ is for requests, ! for errors, ~ for errors of an outage, which one SLO of `broken` has.
    """
    services = [(tenant, job) for tenant, own in jobs.items() for job in own]
    lines = [
        raw(tenant, job, f'instance="{i}"', f'code="{code}"') + f" {value}\n"
        for n, (tenant, job) in enumerate(services)
        for i in range(series // 2)
        for code, value in (("200", "@"), ("500", "~" if broken and n % broken == 0 else "!"))
    ]
    return ["".join(lines[n : n + TARGET]) for n in range(0, len(lines), TARGET)]


def filled(text: str, now: int, end: str = "") -> str:
    """Put the counters of a moment in place of their marks: some 20 requests a second."""
    for mark, value in (("@", now * 20 + now * now % 101), ("!", now // 100), ("~", now * 2)):
        text = text.replace(mark, f"{value}{end}")
    return text


def serve(texts: Sequence[str], port: int) -> None:
    """Serve each text with the counters as they are at each scrape."""

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = filled(texts[int(self.path[1:])], int(time.time())).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Metrics).serve_forever()


@contextmanager
def application(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Serve texts from a process of its own; give its port and its process."""
    port = free_port()
    process = get_context("fork").Process(target=serve, args=(texts, port), daemon=True)
    process.start()
    try:
        yield port, process.pid or 0
    finally:
        process.terminate()
        process.join()


# --- the server


@contextmanager
def running(run: Run, folder: Path, flags: Sequence[str]) -> Iterator[tuple[Server, int]]:
    """Run the application and the server; give the server and the process of the application."""
    texts, config, port = (
        bodies(run.jobs, run.series, BROKEN),
        folder / "prometheus.yml",
        free_port(),
    )
    ends = [f"--storage.tsdb.{end}-block-duration={BLOCK}" for end in ("min", "max")]
    with application(texts) as (app, pid):
        targets = "\n".join(_TARGET.format(app=app, n=n) for n in range(len(texts)))
        text = _CONFIG.format(step=STEP, own=run.own, targets=targets, self=port)
        config.write_text(text, encoding="utf-8")
        with prometheus(
            *(tool("prometheus"), config, folder / "data"),
            port=port,
            extra_args=[f"--storage.tsdb.retention.time={run.retention}d", *ends, *flags],
            patience=PATIENCE,
        ) as server:
            yield server, pid
