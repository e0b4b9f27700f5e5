"""Run the proofs of an output folder, in parallel."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from slo_compiler import naming
from slo_compiler.proofs.run.junit import junit
from slo_compiler.proofs.run.result import Failure, Job, Result
from slo_compiler.proofs.run.routes import route_jobs
from slo_compiler.proofs.run.unit_tests import unit_job

__all__ = ["Failure", "Job", "Result", "jobs", "junit", "route_jobs", "run", "unit_job"]


def jobs(folder: Path, promtool: Path, amtool: Path) -> list[Job]:
    """List the proofs of an output folder.

    Raises:
        FileNotFoundError: the folder holds none, or the routes are missing.
    """
    files = sorted((folder / "prometheus" / "tests").glob("*.yml"))
    if not files:
        raise FileNotFoundError(2, "it holds no proofs: run slo-compiler compile", str(folder))
    config, expected = folder / naming.ALERTMANAGER_FILE, folder / naming.ROUTES_FILE
    # Large files first, so that the last job is a short one.
    files.sort(key=lambda path: -path.stat().st_size)
    return [
        *(unit_job(promtool, file) for file in files),
        *route_jobs(amtool, config, expected),
    ]


def run(work: Sequence[Job], workers: int | None = None) -> Iterator[Result]:
    """Run proofs in parallel, and give each result as it comes."""
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for done in as_completed([pool.submit(job) for job in work]):
            yield done.result()
