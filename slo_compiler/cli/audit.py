"""The audit record of a run: its steps and their durations, digests, and how it ended."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import writable
from slo_compiler.diagnostics import Diagnostic, Severity, one_per_cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class AuditLog:
    """Collects one record; a run that ends, however it ends, appends it to a file as a line."""

    def __init__(self, file: Path | None) -> None:
        """Check that the file can be written; without one, nothing is."""
        self._file = file
        self._steps: list[tuple[str, float]] = []
        self._facts: dict[str, object] = {}
        writable(file, "--log-json")

    @property
    def wanted(self) -> bool:
        """Return whether there is a file: some facts take time to find."""
        return self._file is not None

    def step(self, name: str) -> None:
        """Remember when a step began."""
        self._steps.append((name, time.monotonic()))

    def add(self, **facts: object) -> None:
        """Add facts to the record."""
        self._facts |= facts

    def write(self, exit_code: int | None, found: Iterable[Diagnostic]) -> None:
        """Append the record.

        Args:
            exit_code: of the run; None if it was interrupted.
            found: its findings, which are counted.
        """
        from slo_compiler import __version__

        if self._file is None:
            return
        context = click.get_current_context(silent=True)
        number = Counter(each.severity for each in one_per_cause(found))
        ends = [*(start for _, start in self._steps[1:]), time.monotonic()]
        record = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "command": context.info_name if context else "",
            "slo_compiler": __version__,
            "exit_code": exit_code,
            "findings": {str(severity): number[severity] for severity in Severity},
            "steps": [
                {"step": name, "seconds": round(end - start, 6)}
                for (name, start), end in zip(self._steps, ends, strict=False)
            ],
            **self._facts,
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def versions(binaries: Mapping[str, str | Path | None]) -> dict[str, str]:
    """Return the versions of the tools of a run, by their names."""
    from slo_compiler import tools

    return {name: tools.version(Path(path)) for name, path in binaries.items() if path}
