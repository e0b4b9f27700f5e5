"""Run the proofs of an output folder, in parallel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from slo_compiler import naming, process
from slo_compiler.diagnostics import Position, Report
from slo_compiler.proofs.run import routes, unit_tests
from slo_compiler.proofs.run.cache import ProofCache
from slo_compiler.proofs.run.junit import junit
from slo_compiler.proofs.run.result import Failure, Job, ProofResult, Tool
from slo_compiler.proofs.run.wanted import Wanted

__all__ = [
    "Failure",
    "Job",
    "ProofCache",
    "ProofResult",
    "Wanted",
    "has_proofs",
    "jobs",
    "junit",
    "route_jobs",
    "run",
    "unit_job",
]


def jobs(
    folder: Path,
    promtool: Path | None,
    amtool: Path | None,
    *,
    report: Report | None = None,
    wanted: Wanted | None = None,
    cache: ProofCache | None = None,
) -> list[Job]:
    """List the proofs of an output folder; a tool is needed for its own kind of proof only.

    Raises:
        CompileError: the folder contains no proof that is wanted, or a file of it is damaged.
        ToolsError: a tool does not run.
    """
    report, wanted, cache = report or Report(), wanted or Wanted(), cache or ProofCache()
    work: list[Job | None] = []
    if wanted.unit_tests and promtool:
        tool = Tool.at(promtool, identified=cache.folder is not None)
        # Large files first, so that the last job is a short one.
        tests = sorted(
            (folder / naming.TESTS_FOLDER).glob("[!.]*.yml"),
            key=lambda path: (-path.stat().st_size, path.name),
        )
        work += [unit_tests.prepare(tool, path, report, wanted, cache) for path in tests]
    if wanted.routes and amtool and (work or has_proofs(folder)):
        tool = Tool.at(amtool, identified=cache.folder is not None)
        config = folder / naming.ALERTMANAGER_FILE
        expected = folder / naming.ROUTES_FILE
        work += routes.prepare(tool, config, expected, report, wanted, cache)
    found = [job for job in work if job is not None]
    if not found and not report.failed:
        message = "it holds no proofs" if wanted.all else "it holds no such proofs"
        report.error(Position(str(folder)), "no-proofs", message, "run slo-compiler compile first")
    report.raise_if_failed()
    return found


def unit_job(promtool: Path, path: Path) -> Job:
    """Prepare one file of unit tests.

    Raises:
        CompileError: it is damaged.
    """
    report = Report()
    job = unit_tests.prepare(Tool(promtool), path, report, Wanted(), ProofCache())
    report.raise_if_failed()
    assert job is not None  # noqa: S101  (nothing was left out)
    return job


def route_jobs(amtool: Path, config: Path, expected: Path) -> list[Job]:
    """Prepare the routes of each tenant, the inhibitions, the hours and the tenants' isolation.

    Raises:
        CompileError: a file is damaged.
    """
    report = Report()
    found = [*routes.prepare(Tool(amtool), config, expected, report, Wanted(), ProofCache())]
    report.raise_if_failed()
    return found


def has_proofs(folder: Path) -> bool:
    """Whether a compile has written proofs into an output folder."""
    tests = (folder / naming.TESTS_FOLDER).glob("[!.]*.yml")
    return (folder / naming.ROUTES_FILE).exists() or any(tests)


def run(work: Sequence[Job], workers: int | None = None) -> Iterator[ProofResult]:
    """Run proofs in parallel, and give each result as it comes."""
    return process.in_parallel(work, workers)
