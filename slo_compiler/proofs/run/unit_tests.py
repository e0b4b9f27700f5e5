"""Unit tests of the rules, run by promtool, and its report read back to the manifest's lines."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from slo_compiler.diagnostics import Report
from slo_compiler.proofs.run import files
from slo_compiler.proofs.run.cache import ProofCache
from slo_compiler.proofs.run.result import UNIT_TESTS_SECONDS, Failure, Job, ProofResult, Tool, call
from slo_compiler.proofs.run.wanted import Wanted

_FAILED_EXPRESSION = re.compile(
    r'^\s*expr: "(?P<expr>(?:[^"\\]|\\.)*)", time: (?P<time>[^,]+),\s*$'
)


def prepare(
    promtool: Tool, path: Path, report: Report, wanted: Wanted, cache: ProofCache
) -> Job | None:
    """Prepare one file of unit tests; None if it is damaged, or contains none that is wanted."""
    file = files.read_yaml(path, files.UnitTestsFile, report)
    if file is None:
        return None
    if not any(wanted.tenant(Path(name).stem) for name in file.rule_files):
        return None
    files.missing_rules(path, file, report)
    tests = [test for test in file.tests if wanted.test(test.name)]
    if not tests:
        return None
    chosen = file.model_copy(update={"tests": tests})
    return lambda: _unit_tests(promtool, path, chosen, whole=tests == file.tests, cache=cache)


def _unit_tests(
    promtool: Tool, path: Path, file: files.UnitTestsFile, *, whole: bool, cache: ProofCache
) -> ProofResult:
    started = time.monotonic()
    names = tuple(test.name for test in file.tests)
    checks = sum(len(test.promql_expr_test) for test in file.tests)
    rules = files.contents(path, file.rule_files)
    key = cache.key(["unit", promtool.identity, path.read_bytes(), *rules, *names])
    if cache.checks(key) == checks:
        seconds = time.monotonic() - started
        return ProofResult(path.name, "unit tests", names, checks, seconds, (), cached=True)
    if whole:
        code, output = _promtool(promtool, path)
    else:
        code, output = _some(promtool, path, file)
    failures = tuple(_failures(output, file.tests)) if code else ()
    if code and not failures:
        failures = (Failure(path.name, output.strip() or f"exit code {code}"),)
    if not code and "SUCCESS" not in output:  # another program, which did not run the tests
        message = f'promtool exits with 0, but does not report "SUCCESS": {output[:200].strip()}'
        failures = (Failure(path.name, message),)
    if not failures:
        cache.passed(key, checks)
    return ProofResult(path.name, "unit tests", names, checks, time.monotonic() - started, failures)


def _promtool(promtool: Tool, path: Path) -> tuple[int, str]:
    command: list[str | Path] = [promtool.path.absolute(), "test", "rules", path.name]
    return call(command, path.parent, UNIT_TESTS_SECONDS)


def _some(promtool: Tool, path: Path, file: files.UnitTestsFile) -> tuple[int, str]:
    """Run some of a file's tests: promtool's own filter came with 2.50 only."""
    data = file.model_dump()
    data["rule_files"] = [str((path.parent / name).resolve()) for name in file.rule_files]
    with tempfile.TemporaryDirectory(prefix="slo-compiler-") as folder:
        part = Path(folder) / path.name
        part.write_text(yaml.safe_dump(data, sort_keys=False, width=1 << 20), encoding="utf-8")
        return _promtool(promtool, part)


def _failures(output: str, tests: Sequence[files.UnitTests]) -> Iterator[Failure]:
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
            test.name
            for test in tests
            if any((c.expr, c.eval_time) == wanted for c in test.promql_expr_test)
        ]
        details = " ".join(part.strip() for part in lines[number + 1 : number + 3])
        yield Failure(" or ".join(names) or "?", f"at {match['time']}: {details}", origin)
