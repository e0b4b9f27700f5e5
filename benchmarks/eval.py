"""What it costs a real Prometheus to evaluate an SLO's rules: ours beside Sloth's and Pyrra's.

`make bench-eval` prints the tables of docs/cost.md and draws docs/cost.svg.

One server holds a month of data. It is asked every rule of each approach at the same moments, and
says itself how many samples it loaded and how long it took. A second server evaluates the compiled
rules of many tenants as its own rule groups.
"""
# ruff: noqa: INP001, T201 - a script that prints

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from math import log10
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import capacity
from approaches import STEP, Approach, ours, pyrra, sloth
from demo.servers import free_port, get_json, prometheus
from history import NOW, back_fill, history, tool

SLOS = 10  # of a tenant whose vectorised rules serve several


def compare(sizes: Sequence[int], days: int, rounds: int, folder: Path) -> list[Approach]:
    """Ask one server all rules of all approaches, in turns, at `rounds` moments."""
    approaches = [
        approach
        for n in sizes
        for approach in (ours(n), ours(n, SLOS), sloth(n), pyrra(n))
    ]
    back_fill(history(approaches, days), folder / "data")
    config = folder / "prometheus.yml"
    config.write_text("{}", encoding="utf-8")
    keep = ["--storage.tsdb.retention.time=100y"]
    with prometheus(
        tool("prometheus"), config, folder / "data", port=free_port(), extra_args=keep
    ) as server:
        for moment in range(-1, rounds):  # the first warms up
            for approach in approaches:
                for rule in approach.rules:
                    at = {"time": NOW - max(moment, 0) * STEP, "stats": "all", "query": rule.expr}
                    answer = get_json(f"{server.url}/api/v1/query?{urlencode(at)}")["data"]
                    if not rule.alert and not answer["result"]:
                        raise RuntimeError(f"{approach.name}: {rule.name} has no result")
                    if moment >= 0:
                        rule.samples.append(answer["stats"]["samples"]["totalQueryableSamples"])
                        rule.seconds.append(answer["stats"]["timings"]["evalTotalTime"])
    return approaches


# --- telling


def table(approaches: Sequence[Approach]) -> Iterator[Sequence[str]]:
    """Give the figures of each approach, and how many times those of our first they are."""
    yield "raw series", "rules", "samples", "ms", f"samples/{STEP}s", f"ms/{STEP}s", *("x",) * 4
    for approach in approaches:
        first = next(a for a in approaches if a.series == approach.series)
        figures = [_figures(a) for a in (approach, first)]
        times = (theirs / own for theirs, own in zip(*figures, strict=True))
        samples, seconds, per_samples, per_seconds = figures[0]
        yield (
            f"{approach.series}",
            f"{approach.name} ({len(approach.rules)})",
            *(f"{samples:,.0f}", f"{1000 * seconds:,.2f}"),
            *(f"{per_samples:,.0f}", f"{1000 * per_seconds:,.2f}"),
            *(f"{ratio:,.1f}" for ratio in times),
        )


def _figures(approach: Approach) -> tuple[float, float, float, float]:
    return (
        *(approach.samples(), approach.seconds()),
        *(approach.samples(every=STEP), approach.seconds(every=STEP)),
    )


def dearest(approach: Approach, count: int = 4) -> Iterator[Sequence[str]]:
    """Give the rules that load most."""
    yield approach.name, "every", "samples", "ms"
    for rule in sorted(approach.rules, key=lambda r: -median(r.samples))[:count]:
        cost = f"{median(rule.samples):,.0f}", f"{1000 * median(rule.seconds):.2f}"
        yield f"`{rule.name}`", f"{rule.interval}s", *cost


def printed(rows: Iterator[Sequence[str]]) -> str:
    """Align a table, in Markdown."""
    cells = [*rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * (width - 1) + ":" if n else "-" * width for n, width in enumerate(widths)]
    lines = (
        " | ".join(c.rjust(w) if n else c.ljust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in (cells[0], rule, *cells[1:])
    )
    return "".join(f"| {line} |\n" for line in lines)
