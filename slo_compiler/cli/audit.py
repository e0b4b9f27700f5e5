"""The audit record of a run, which `--log-json` appends to a file: one line, however it ended."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import writable
from slo_compiler.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Audit:
    """What a run did, step by step; nothing is written where nobody asked for it."""

    def __init__(self, file: Path | None) -> None:
        writable(file, "--log-json")
        self._file = file
        self._steps: list[_Step] = []
        self._facts: dict[str, object] = {}

    def step(self, name: str) -> None:
        """Note that a step begins."""
        self._steps.append(_Step(name, time.monotonic()))

    def part(self, of: int) -> None:
        """Note that a part of the present step is done, of so many."""
        if self._steps:
            self._steps[-1].done += 1
            self._steps[-1].of = of

    def tools(self, binaries: Mapping[str, Path], skipped: Sequence[str]) -> None:
        """Note the tools that ran, by name, and those that were not found."""
        if self._file is not None:
            from slo_compiler import tools

            ran = {name: tools.version(binary) for name, binary in binaries.items()}
            self.note(tools=ran, skipped=[*skipped])

    def note(self, **facts: object) -> None:
        """Note what is known of this run, as keys of its record."""
        self._facts |= facts

    def write(self, exit_code: int, findings: Sequence[Diagnostic]) -> None:
        """Append the record."""
        from slo_compiler import __version__

        if self._file is None:
            return
        ends = [*(step.began for step in self._steps[1:]), time.monotonic()]
        context = click.get_current_context(silent=True)
        record = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "slo_compiler": __version__,
            "command": context.info_name if context else None,
            "exit_code": exit_code,
            "findings": {
                str(severity): sum(each.severity is severity for each in findings)
                for severity in Severity
            },
            "steps": [
                step.record(end) for step, end in zip(self._steps, ends, strict=bool(self._steps))
            ],
            **self._facts,
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


class _Step:
    """A step: when it began, and how many of its parts are done."""

    def __init__(self, name: str, began: float) -> None:
        self.name = name
        self.began = began
        self.done = self.of = 0

    def record(self, end: float) -> dict[str, object]:
        """Give its name, duration and count."""
        found: dict[str, object] = {"step": self.name, "seconds": round(end - self.began, 6)}
        return {**found, "done": self.done, "of": self.of} if self.of else found
