"""Run the proofs of an output folder: unit tests by promtool, routes by amtool, in parallel."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from slo_compiler import naming

TIMEOUT_SECONDS = 900
_FAILED_EXPRESSION = re.compile(
    r'^\s*expr: "(?P<expr>(?:[^"\\]|\\.)*)", time: (?P<time>[^,]+),\s*$'
)


@dataclass(frozen=True, slots=True)
class Failure:
    """What did not hold: the check, what came instead, and the manifest's lines behind it."""

    test: str
    message: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One proof: a file of unit tests, or the routes of one tenant."""

    name: str
    kind: str  # "unit tests" or "routes"
    tests: tuple[str, ...]
    checks: int
    seconds: float
    failures: tuple[Failure, ...]


Job = Callable[[], Result]


def jobs(folder: Path, promtool: Path, amtool: Path) -> list[Job]:
    """List the proofs of an output folder.

    Raises:
        FileNotFoundError: the folder holds none, or the routes are missing.
    """
    files = sorted((folder / "prometheus" / "tests").glob("*.yml"))
    routes = folder / naming.ROUTES_FILE
    if not files:
        raise FileNotFoundError(2, "it holds no proofs: run slo-compiler compile", str(folder))
    expected = yaml.safe_load(routes.read_text(encoding="utf-8"))["routes"]
    by_tenant: dict[str, list[Any]] = {}
    for route in expected:
        by_tenant.setdefault(route["labels"][naming.TENANT], []).append(route)
    config = folder / naming.ALERTMANAGER_FILE
    found: list[Job] = [unit_job(promtool, file) for file in files]
    found += [route_job(amtool, config, name, own) for name, own in by_tenant.items()]
    return found


def run(work: Sequence[Job], workers: int | None = None) -> Iterator[Result]:
    """Run proofs in parallel, and give each result as it comes."""
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for done in as_completed([pool.submit(job) for job in work]):
            yield done.result()


def unit_job(promtool: Path, file: Path) -> Job:
    """Prepare one file of unit tests."""
    return lambda: _unit_tests(promtool, file)


def route_job(amtool: Path, config: Path, tenant: str, routes: list[Any]) -> Job:
    """Prepare the routes of one tenant."""
    return lambda: _routes(amtool, config, tenant, routes)


def _call(command: Sequence[str | Path], folder: Path) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"no answer within {TIMEOUT_SECONDS} s"
    return done.returncode, done.stdout.decode(errors="replace")


def _unit_tests(promtool: Path, file: Path) -> Result:
    started = time.monotonic()
    code, output = _call([promtool.absolute(), "test", "rules", file.name], file.parent)
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


def _routes(amtool: Path, config: Path, tenant: str, routes: Sequence[Any]) -> Result:
    started = time.monotonic()
    failures = []
    for route in routes:
        labels = [f"{name}={value}" for name, value in route["labels"].items()]
        command: list[str | Path] = [
            amtool.absolute(),
            *("config", "routes", "test", f"--config.file={config.name}"),
            f"--verify.receivers={','.join(route['receivers'])}",
            *labels,
        ]
        code, output = _call(command, config.parent)
        if code:
            message = " ".join(output.split())
            failures.append(Failure(" ".join(labels), message, route.get("manifest", "")))
    names = tuple(" ".join(f"{k}={v}" for k, v in route["labels"].items()) for route in routes)
    seconds = time.monotonic() - started
    return Result(tenant, "routes", names, len(routes), seconds, tuple(failures))


def junit(results: Sequence[Result]) -> str:
    """Tell the results as JUnit XML."""
    root = ET.Element("testsuites")
    for result in sorted(results, key=lambda r: (r.kind, r.name)):
        suite = ET.SubElement(
            root,
            "testsuite",
            name=f"{result.kind}: {result.name}",
            tests=str(len(result.tests)),
            failures=str(len({f.test for f in result.failures})),
            time=f"{result.seconds:.3f}",
        )
        for test in result.tests:
            case = ET.SubElement(suite, "testcase", name=test, classname=result.name)
            for failure in result.failures:
                if failure.test == test:
                    told = ET.SubElement(case, "failure", message=failure.message)
                    told.text = failure.origin
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
