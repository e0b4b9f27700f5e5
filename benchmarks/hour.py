"""How 10,000 SLOs fare on one real Prometheus for an hour, with a month of history behind them.

`make bench-hour` prints the table of docs/scale.md. Each minute the server is asked what it did,
and the system what the server took.
"""
# ruff: noqa: INP001, T201 - a script that prints

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from eval import printed
from load import Run, running, write_history, write_rules
from readings import Figures, Meter, blocks, size, tiles_read

_THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of a start and of each interval after it, and of the end."""

    rules_read: float  # seconds until the server has read its rules
    start: Figures
    readings: Sequence[Figures]
    filled: float  # MB of disk before the start
    cut: tuple[int, int]  # bytes and samples of the blocks that were written meanwhile
    tiles: float  # that a sum over the period of an SLO reads, where fewest


def measure(
    run: Run, folder: Path, flags: Sequence[str], report: Callable[[Figures], None]
) -> Outcome:
    """Start all that is needed, and read the figures; `report` gets each as it is read."""
    jobs, data = run.jobs, folder / "data"
    periods = write_rules(jobs, folder / "rules")
    write_history(run, data, int(time.time()))
    filled, old = size(data) / 1e6, blocks(data)
    prefer(run.nice)
    started = time.monotonic()
    with running(run, folder, flags) as (server, app):
        ready = time.monotonic() - started
        meter = Meter(server, app, data, run)
        start = meter.read(after=run.settle)
        report(start)
        readings = []
        for _ in range(round(run.minutes * 60 / run.every)):
            readings.append(meter.read(after=run.every))
            report(readings[-1])
        new = [found for name, found in blocks(data).items() if name not in old]
        cut = sum(taken for taken, _ in new), sum(samples for _, samples in new)
        some = [*jobs][:: max(1, len(jobs) // 5)]
        tiles = min(tiles_read(server.url, periods[tenant]) / len(jobs[tenant]) for tenant in some)
    return Outcome(ready, start, readings, filled, cut, tiles)


def prefer(nice: int) -> None:
    """Set the priority of what starts from here on, and of this session where Linux groups them."""
    os.nice(nice)
    group = Path("/proc/self/autogroup")
    if nice and group.exists():
        group.write_text(str(nice), "ascii")


# --- the report


def table(run: Run, readings: Sequence[Figures]) -> Iterator[Sequence[str]]:
    """Give the mean and the maximum of each figure."""
    yield f"{run.slos:,} SLOs, {run.tenants:,} tenants, {run.minutes:g} minutes", "mean", "max"
    for name in readings[0]:
        values = [reading[name] for reading in readings]
        yield name, figure(mean(values)), figure(max(values))


def figure(number: float) -> str:
    """Print three digits, or all before the point."""
    return f"{number:.3g}" if float(f"{number:.3g}") < _THOUSAND else f"{number:,.0f}"


def sentences(run: Run, found: Outcome) -> Iterator[str]:
    """Give what a mean does not show."""
    first, last = found.start, found.readings[-1]
    missed, failed = "iterations missed", "evaluations failed"
    yield (
        f"Start: rules read after {found.rules_read:.0f} s; {first[missed]:g} iterations missed "
        f"and {first[failed]:g} evaluations failed in the {run.settle:g} s after it."
    )
    late = sum(reading["evaluation / interval, slowest group"] > 1 for reading in found.readings)
    yield (
        f"Afterwards: {last[missed] - first[missed]:g} iterations missed, "
        f"{last[failed] - first[failed]:g} evaluations failed, "
        f"{late} of {len(found.readings)} readings with a group that took longer than its interval."
    )
    grown = (last["disk, MB"] - first["disk, MB"]) / run.minutes * 60
    yield (
        f"Disk: {found.filled:,.0f} MB of history, {last['disk, MB']:,.0f} MB at the end, "
        f"growing by {grown:,.0f} MB an hour."
    )
    taken, samples = found.cut
    if samples:
        yield f"Blocks of the run: {taken / samples:.2f} bytes a sample, of {samples:,} samples."
    yield f"A sum over the period read {found.tiles:,.0f} tiles, or more, of each SLO."
    cores = mean(reading["cores, the server"] for reading in found.readings)
    yield f"A core carries {run.slos / cores:,.0f} SLOs, scraping and storing included."


def main() -> None:
    """Run, print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--slos", type=int, default=10_000)
    options.add_argument("--tenants", type=int, default=1_000)
    options.add_argument("--series", type=int, default=20, help="raw series of each SLO")
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--every", type=int, default=60, help="seconds between two readings")
    options.add_argument("--settle", type=float, default=180, help="seconds before the first")
    options.add_argument("--retention", type=int, default=365, help="days; sets the size of blocks")
    options.add_argument("--nice", type=int, default=0, help="priority; below 0 needs root")
    options.add_argument("--flag", action="append", default=[], help="of Prometheus; repeatable")
    options.add_argument("--json", type=Path, help="where each reading is added as a line")
    given = options.parse_args()
    run = Run(*(getattr(given, name) for name in Run.__slots__))

    def report(figures: Figures) -> None:
        if given.json:
            with given.json.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"time": int(time.time()), **figures}) + "\n")
        if sys.stderr.isatty():
            shown = (f"{name} {figure(value)}" for name, value in figures.items())
            print("; ".join(shown), file=sys.stderr)

    with tempfile.TemporaryDirectory() as folder:
        found = measure(run, Path(folder), given.flag, report)
    print(printed(table(run, found.readings)))
    print("\n".join(sentences(run, found)))


if __name__ == "__main__":
    main()
