"""What the compile of a very large tenant takes, and which of them are refused.

`make bench-hostile` prints the table of docs/cost.md.
"""
# ruff: noqa: INP001, T201 - a script that prints

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from multiprocessing import Process
from pathlib import Path

from compile import NO_TOOLS, PROGRAM
from large_tenants import MANY, PAGE, TICKET, budgets, levels, manifest

BOTH = (PAGE, TICKET)
MEGABYTE = 1_000_000
TENANTS: dict[str, Callable[[], str]] = {
    "1,000 SLOs": lambda: manifest(1000),
    "500 SLOs on one counter": lambda: manifest(500, counter="x_total"),
    "200 budget steps x 50 SLOs": lambda: manifest(50, [*BOTH, *budgets(200)]),
    "60 steps of 500 channels x 50 SLOs": lambda: manifest(
        50, [*BOTH, *levels(60, [f"c{n}" for n in range(500)])], MANY
    ),
    "200 budget steps x 1,000 SLOs": lambda: manifest(1000, [*BOTH, *budgets(200)]),
    "60 levels x 1,000 SLOs": lambda: manifest(1000, [*BOTH, *levels(60)]),
    "5,000 levels x 500 SLOs": lambda: manifest(500, [*BOTH, *levels(5000)]),
    "a file of 50 MB": lambda: manifest(1) + "# " + "x" * 50 * MEGABYTE,
}


def measure(folder: Path) -> str:
    """Compile acme.yaml without tools; gives the result, CPU time and memory as a table's cells."""
    program = [*PROGRAM, "--no-cache", "--format", "json", "-o", "out", "acme.yaml"]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            program, cwd=folder, stdout=output, stderr=output, env={**os.environ, **NO_TOOLS}
        )
        _, status, used = os.wait4(process.pid, 0)
        output.seek(0)
        result = _size(folder / "out") if not status else _refused(output.read().decode())
    return f"{result} | {used.ru_utime + used.ru_stime:.1f} s | {used.ru_maxrss / 1024:.0f} MB"


def _size(folder: Path) -> str:
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{total / MEGABYTE:.1f} MB of files"


def _refused(findings: str) -> str:
    """Give the figure of the one error; anything else is no result."""
    (error,) = [found for found in json.loads(findings) if found["severity"] == "error"]
    figure = re.search(r"[0-9,]+ (alerts|expected routes|bytes)", error["message"])
    return f"{error['id']}: {figure[0] if figure else error['message']}"


def _write(path: Path, text: Callable[[], str]) -> None:
    path.write_text(text(), encoding="utf-8")


def main() -> None:
    """Measure and print."""
    print("| one tenant | result | CPU time | memory |")
    print("|---|---|---:|---:|")
    for name, text in TENANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            writer = Process(target=_write, args=(Path(folder) / "acme.yaml", text))
            writer.start()  # a child's peak memory counts what its parent has when it begins
            writer.join()
            print(f"| {name} | {measure(Path(folder))} |", flush=True)


if __name__ == "__main__":
    main()
