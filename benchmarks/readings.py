"""What a Prometheus that evaluates many rules took and did, interval by interval."""
# ruff: noqa: INP001 - imported by a script

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from demo.servers import Server, get_json, query
from load import Run

TRIES = 6  # of a query, 10 s each
_LAST = "max_over_time(prometheus_rule_group_last_duration_seconds[{every}s])"
_SHARE = f"{_LAST} / prometheus_rule_group_interval_seconds"
FIGURES = {  # by minute: what the server is asked
    "Go heap in use, MB": "go_memstats_heap_inuse_bytes / 1e6",
    "series in memory": "prometheus_tsdb_head_series",
    "samples read a second": "rate(prometheus_engine_query_samples_total[{rate}s])",
    "samples written a second": "sum(rate(prometheus_tsdb_head_samples_appended_total[{rate}s]))",
    "evaluation / interval, slowest group": f"max({_SHARE})",
    "evaluation / interval, 99 of 100 groups": f"quantile(0.99, {_SHARE})",
    "evaluation, slowest group, s": f"max({_LAST})",
    "scrape, slowest target, s": "max(max_over_time(scrape_duration_seconds[{every}s]))",
    "scrapes that failed": "sum(count_over_time(up[{every}s]) - sum_over_time(up[{every}s]))",
    "alerts that fire": "count(ALERTS{{alertstate='firing'}}) or vector(0)",
    "iterations missed": "sum(prometheus_rule_group_iterations_missed_total)",
    "evaluations failed": "sum(prometheus_rule_evaluation_failures_total)",
    "compactions": "prometheus_tsdb_compactions_total",
}
Figures = dict[str, float]


def cpu_seconds(pid: int) -> float:
    """Read the CPU time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """Read the CPU time of the whole machine."""
    fields = [*map(int, Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:9])]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> Mapping[str, float]:
    """Read the bytes that a process has in memory: its own, and those of files that it maps."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return {
        line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss")
    }


def size(folder: Path) -> int:
    """Add up the files of a folder, of which some may go meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def blocks(data: Path) -> dict[str, tuple[int, int]]:
    """Give the bytes and samples of each block."""
    found = {}
    for meta in data.glob("*/meta.json"):
        with suppress(FileNotFoundError):
            stats = json.loads(meta.read_text("utf-8"))["stats"]
            found[meta.parent.name] = size(meta.parent), stats["numSamples"]
    return found


def ask(url: str, promql: str) -> float:
    """Return the number that a query finds; a series that is missing must not count as zero."""

    def found() -> float:
        (row,) = query(url, promql)
        return float(row["value"][1])

    number: float = patiently(found)
    return number


def patiently(question: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON is any
    """Ask a server that may be busy, or may not have scraped itself twice."""
    for _ in range(TRIES - 1):
        with suppress(TimeoutError, ValueError):
            return question()
        time.sleep(1)
    return question()


class Meter:
    """Reads the figures of each interval."""

    def __init__(self, server: Server, app: int, data: Path, run: Run) -> None:
        self._server, self._app, self._data = server, app, data
        self._ranges = {"every": run.every, "rate": 3 * run.own}
        self._last = self._used()
        self._due = time.monotonic()

    def read(self, after: float) -> Figures:
        """Return the figures so many seconds after the last time."""
        self._due += after
        time.sleep(max(0, self._due - time.monotonic()))
        before, self._last = self._last, self._used()
        wall, *used = (b - a for a, b in zip(before, self._last, strict=True))
        busy, own, app = (seconds / wall for seconds in used)
        rss = memory(self._server.pid)
        return {
            "cores, the server": own,
            "cores, the application that it scrapes": app,
            "cores, other work on the machine": busy - own - app,
            "memory, without mapped files, MB": rss["RssAnon"] / 1e6,
            "memory, with mapped files, MB": sum(rss.values()) / 1e6,
            "disk, MB": size(self._data) / 1e6,
            **{
                name: ask(self._server.url, promql.format(**self._ranges))
                for name, promql in FIGURES.items()
            },
        }

    def _used(self) -> tuple[float, float, float, float]:
        return (
            *(time.monotonic(), busy_seconds()),
            *(cpu_seconds(self._server.pid), cpu_seconds(self._app)),
        )


def tiles_read(url: str, promql: str) -> float:
    """Count the samples that a query reads."""
    address = f"{url}/api/v1/query?{urlencode({'query': promql, 'stats': 'all'})}"
    answer = patiently(lambda: get_json(address))
    read: float = answer["data"]["stats"]["samples"]["totalQueryableSamples"]
    return read
