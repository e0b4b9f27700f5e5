"""How long a compile takes: repos of 7 to 10,000 SLOs, cold and with one tenant changed.

`make bench-compile` prints the table of docs/speed.md. Where the variable SLOTH names a binary of
Sloth, `sloth generate` on equivalent specs runs beside it: the same queries, labels and objectives.
"""
# ruff: noqa: INP001, T201 - a script that prints

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

PROGRAM = [sys.executable, "-c", "from slo_compiler.cli import main; main()", "compile"]
NO_TOOLS = {"SLO_COMPILER_TOOLS": "/nonexistent", "PATH": "/nonexistent"}
CHECKED = "cold, and promtool and amtool"
AGAIN = "one tenant changed, and promtool and amtool"
MOST_RUNS, REPEATED_SECONDS = 5, 3  # of each row: no more than these
SIZES = ("7x1", "10x10", "100x10", "1x1000", "1000x10")
_PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  sources: [tenants/]
  alertmanager: {{heartbeat: {{webhook: {{url: "http://deadman.internal/"}}}}}}
  targets: [{targets}]
"""
_TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: {name}, owner: {name}-sre}}
spec:
  defaults: {{period: 30d, objective: 99.9}}
  channels:
    - {{name: oncall, pagerduty: {{routing_key_file: /etc/alertmanager/secrets/{name}/pagerduty}}}}
    - {{name: chat, webhook: {{url: "http://chat.internal/{name}"}}}}
  escalation:
    - {{severity: page, notify: [oncall, chat]}}
    - {{severity: ticket, notify: [chat]}}
  slos:
"""
_SLO = """\
    - name: availability-{number}
      service: service-{number}
      description: Requests of service {number} answered without a server error
      sli:
        ratio:
          errors: http_requests_total{{job="job-{number}", code=~"5.."}}
          total: http_requests_total{{job="job-{number}"}}
      alerting: {{runbook: "https://runbooks.example/service-{number}"}}
"""
_SLOTH = """\
version: "prometheus/v1"
service: "{name}"
labels: {{owner: "{name}-sre"}}
slos:
"""
_SLOTH_SLO = """\
  - name: "availability-{number}"
    objective: 99.9
    description: "Requests of service {number} answered without a server error"
    sli:
      events:
        error_query: sum(rate(http_requests_total{{tenant="{name}", job="job-{number}", code=~"5.."}}[{{{{.window}}}}]))
        total_query: sum(rate(http_requests_total{{tenant="{name}", job="job-{number}"}}[{{{{.window}}}}]))
    alerting:
      name: Burn{number}
      annotations: {{runbook: "https://runbooks.example/service-{number}"}}
      page_alert: {{labels: {{severity: page}}}}
      ticket_alert: {{labels: {{severity: ticket}}}}
"""  # noqa: E501  (a query is one line)


@dataclass(frozen=True)
class Usage:
    """What one command took: seconds by the clock, seconds of all its CPUs, MB at most."""

    wall: float
    cpu: float
    megabytes: float


def write(folder: Path, tenants: int, slos: int, targets: str) -> None:
    """Write a repo, and the same SLOs for Sloth beside it."""
    for part in ("tenants", "sloth", "sloth-out"):
        (folder / part).mkdir(parents=True)
    (folder / "slo-compiler.yaml").write_text(_PROJECT.format(targets=targets), encoding="utf-8")
    for tenant in range(tenants):
        name = f"tenant-{tenant:04}"
        for part, head, body in (("tenants", _TENANT, _SLO), ("sloth", _SLOTH, _SLOTH_SLO)):
            text = head.format(name=name)
            text += "".join(body.format(name=name, number=number) for number in range(slos))
            (folder / part / f"{name}.yaml").write_text(text, encoding="utf-8")


def timed(command: Sequence[str], folder: Path, **environment: str) -> Usage:
    """Run a command to its end, and ask the system what it used."""
    started = time.monotonic()
    env = {**os.environ, **environment}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # modules are compiled once, as for any user
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, env=env)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        if status:
            output.seek(0)
            raise SystemExit(output.read().decode())
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def row(size: str, what: str, usage: Usage, sloth: Usage | None) -> str:
    """Print one row of the table."""
    beside = f"{usage.wall / sloth.wall:.1f}" if sloth else "-"
    return (
        f"| {size} | {what} | {usage.wall:.2f} s | {usage.cpu:.2f} s | {usage.megabytes:.0f} MB "
        f"| {beside} |"
    )


def least(run: Callable[[], Usage]) -> Usage:
    """Repeat what takes little time, and give the quickest run, which differs least."""
    runs = [run()]
    while len(runs) < MOST_RUNS and sum(each.wall for each in runs) < REPEATED_SECONDS:
        runs.append(run())
    return min(runs, key=lambda each: each.wall)


def measure(size: str, sloth_binary: str, tools: str) -> None:
    """Measure one size of a repo, in one run after another."""
    tenants, slos = map(int, size.split("x"))
    shown = f"{tenants} x {slos}"
    for targets in ("prometheus, alertmanager", "prometheus, alertmanager, proofs"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "repo"
            write(folder, tenants, slos, targets)
            sloth = None
            if sloth_binary:
                generate = [sloth_binary, "generate", "-i", "sloth", "-o", "sloth-out"]
                sloth = least(partial(timed, generate, folder))
                if "proofs" not in targets:
                    print(row(shown, "sloth generate", sloth, sloth))
            kind = "with proofs" if "proofs" in targets else "rules and routes"
            cold = least(partial(cleared, PROGRAM, folder, **NO_TOOLS))
            print(row(shown, f"{kind}, cold", cold, sloth))
            objectives = (f"99.{number}" for number in count(50))
            change = partial(edited, folder, objectives)
            print(row(shown, f"{kind}, one tenant changed", least(change), sloth))
            if tools and "proofs" not in targets:
                for what, run in ((CHECKED, partial(cleared, PROGRAM, folder)), (AGAIN, change)):
                    checked = least(partial(run, SLO_COMPILER_TOOLS=tools))
                    print(row(shown, f"{kind}, {what}", checked, sloth))


def cleared(command: Sequence[str], folder: Path, **environment: str) -> Usage:
    """Run a command where there is neither output nor cache."""
    for part in ("generated", ".slo-compiler-cache"):
        shutil.rmtree(folder / part, ignore_errors=True)
    return timed(command, folder, **environment)


def edited(folder: Path, objectives: Iterator[str], **environment: str) -> Usage:
    """Compile after one tenant got an objective that it has not had before."""
    first = folder / "tenants" / "tenant-0000.yaml"
    objective = f"objective: {next(objectives)}"
    text = re.sub(r"objective: [0-9.]+", objective, first.read_text("utf-8"))
    first.write_text(text, encoding="utf-8")
    return timed(PROGRAM, folder, **(environment or NO_TOOLS))


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--repo", nargs="+", default=SIZES, help="tenants x SLOs each")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:  # the first run compiles Python's modules
        write(Path(name) / "repo", 1, 1, "prometheus, alertmanager, proofs")
        timed(PROGRAM, Path(name) / "repo", **NO_TOOLS)
    print("| tenants x SLOs | what | wall | CPU | peak memory | times Sloth |")
    print("|---|---|---:|---:|---:|---:|")
    for size in given.repo:
        measure(size, os.environ.get("SLOTH", ""), os.environ.get("SLO_COMPILER_TOOLS", ""))


if __name__ == "__main__":
    main()
