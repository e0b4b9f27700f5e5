"""How long the proofs of many SLOs take: a repo is written, compiled, and `slo-compiler test` run.

`make bench-proofs` prints the table of docs/cost.md.
"""
# ruff: noqa: INP001, T201 - a script that prints

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from approaches import manifest

_PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec: {sources: [tenants/], output: generated/}
"""


def write(folder: Path, tenants: int, slos: int) -> None:
    """Write a repo of so many tenants, with so many SLOs each."""
    (folder / "tenants").mkdir()
    (folder / "slo-compiler.yaml").write_text(_PROJECT, encoding="utf-8")
    for number in range(tenants):
        text = manifest(f"t{number}", [f"t{number}-web{n}" for n in range(slos)])
        (folder / "tenants" / f"t{number}.yaml").write_text(text, encoding="utf-8")


def timed(folder: Path, command: str) -> tuple[float, float, str]:
    """Run a command of the compiler in a repo: its seconds, those of all its CPUs, its output."""

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    before, started = used(), time.monotonic()
    program = [sys.executable, "-c", "from slo_compiler.cli import main; main()", command]
    env = {"SLO_COMPILER_TOOLS": str(Path(".tools").absolute()), **os.environ}
    done = subprocess.run(program, cwd=folder, check=True, capture_output=True, text=True, env=env)
    return time.monotonic() - started, used() - before, done.stdout


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--repo", nargs="+", default=["10x10", "100x1"], help="tenants x SLOs each"
    )
    given = options.parse_args()
    print(f"| tenants x SLOs | compile | test, on {os.cpu_count()} cores | its CPU time |")
    print("|---|---:|---:|---:|")
    for size in given.repo:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write(folder, *map(int, size.split("x")))
            compiled, _, _ = timed(folder, "compile")
            tested, cpu, told = timed(folder, "test")
        print(f"| {size.replace('x', ' x ')} | {compiled:.0f} s | {tested:.0f} s | {cpu:.0f} s |")
        print("\n".join(f"<!-- {line} -->" for line in told.splitlines()))


if __name__ == "__main__":
    main()
