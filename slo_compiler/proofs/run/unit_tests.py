"""Unit tests of the rules, run by promtool, and its report read back to the manifest's lines."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from slo_compiler.proofs.run.result import Failure, Job, Result, call

_FAILED_EXPRESSION = re.compile(
    r'^\s*expr: "(?P<expr>(?:[^"\\]|\\.)*)", time: (?P<time>[^,]+),\s*$'
)


def unit_job(promtool: Path, file: Path) -> Job:
    """Prepare one file of unit tests."""
    return lambda: _unit_tests(promtool, file)


def _unit_tests(promtool: Path, file: Path) -> Result:
    started = time.monotonic()
    code, output = call([promtool.absolute(), "test", "rules", file.name], file.parent)
    seconds = time.monotonic() - started
    tests = yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
    checks = sum(len(test["promql_expr_test"]) for test in tests)
    names = tuple(test["name"] for test in tests)
    failures = tuple(_failures(output, tests)) if code else ()
    if code and not failures:
        failures = (Failure(file.name, output.strip()),)
    return Result(file.name, "unit tests", names, checks, seconds, failures)


def _failures(output: str, tests: Sequence[Any]) -> Iterator[Failure]:
    """Read promtool's report; it names the query and the time, and the query names its line."""
    lines = output.splitlines()
    for number, line in enumerate(lines):
        match = _FAILED_EXPRESSION.match(line)
        if match is None:
            continue
        expr = re.sub(r"\\(.)", r"\1", match["expr"])
        _, _, origin = expr.partition("  # ")
        wanted = (expr, match["time"])
        names = [
            test["name"]
            for test in tests
            if any((c["expr"], c["eval_time"]) == wanted for c in test["promql_expr_test"])
        ]
        details = " ".join(part.strip() for part in lines[number + 1 : number + 3])
        yield Failure(" or ".join(names) or "?", f"at {match['time']}: {details}", origin)
