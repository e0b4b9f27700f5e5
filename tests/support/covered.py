"""Does each branch of the code where a mistake is worst have a test? Reads what the fast tests ran.

`python -m covered`, after `pytest --cov`: with PYTHONPATH=tests/support.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "slo_compiler"
AREAS: Mapping[str, tuple[str, ...]] = {
    "arithmetic": (
        *("decimals.py", "duration.py", "period.py", "recurrence.py"),
        *("plan/burn.py", "plan/reach.py", "plan/traffic.py", "plan/slices.py"),
        *("plan/windows.py", "plan/guards.py", "plan/tiers.py"),
    ),
    "isolation": ("promql/isolation.py", "promql/shape.py", "promql/places.py", "plan/sli.py"),
    "routing": (
        *("routing/*.py", "plan/routes.py", "plan/routed.py", "plan/routing_ir.py"),
        *("plan/inhibitions.py", "proofs/generate/routes.py"),
    ),
    "writing": ("write/*.py", "emit/artefact.py"),
}


def files(patterns: Collection[str], package: Path = PACKAGE) -> list[str]:
    """List the files of an area.

    Raises:
        FileNotFoundError: a pattern has none: what it meant has moved.
    """
    found = {pattern: [*package.glob(pattern)] for pattern in patterns}
    for pattern, paths in found.items():
        if not paths:
            raise FileNotFoundError(f"{package / pattern}: correct AREAS in {__file__}")
    return sorted(str(path) for paths in found.values() for path in paths)


def missed(coverage: Coverage, paths: Collection[str]) -> str:
    """Return coverage's table of the files that have lines or branches without a test, or ""."""
    table = io.StringIO()
    share = coverage.report(include=paths, file=table, show_missing=True, skip_covered=True)
    return table.getvalue() if share < 100 else ""


def main() -> int:
    """Report each area; give how the process ends: 1 if any misses a line or a branch."""
    coverage = Coverage(config_file=ROOT / "pyproject.toml")
    coverage.load()
    tables = {area: missed(coverage, files(patterns)) for area, patterns in AREAS.items()}
    for area, table in tables.items():
        sys.stdout.write(f"{area}: {'below 100 %' if table else '100 %'} of branches\n{table}")
    return int(any(tables.values()))


if __name__ == "__main__":
    sys.exit(main())
