"""One run of a command: what it was asked, what it found, how it ends."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from slo_compiler import __version__
from slo_compiler import report as reporting
from slo_compiler.cli.words import color, count, say
from slo_compiler.diagnostics import CompileError, Diagnostic, Report, Severity

EXIT_FINDINGS = 1


class Run:
    """One compile or check: what it was asked, what it found, how it ends."""

    def __init__(
        self,
        project: Path | None,
        sources: Sequence[str],
        format_: str,
        *,
        strict: bool,
        log: Path | None,
        writes: bool = False,
        cache: bool = False,
    ) -> None:
        self.report = Report()
        self.exit_code = 0
        self._project = project
        self._sources = sources
        self._format = format_
        self._strict = strict
        self._writes = writes
        self._cache = cache
        self._inputs: tuple[Any, Any] | None = None
        self._log_file = log
        self._steps: list[tuple[str, float]] = []
        self._live = sys.stderr.isatty() and format_ == "text"

    def compile(self) -> Any:  # noqa: ANN401
        """Read the inputs and compile them."""
        from slo_compiler import pipeline  # noqa: PLC0415
        from slo_compiler.cache import FOLDER, Cache  # noqa: PLC0415

        settings, files = self._read()
        # Without a project file there is no place that is the project's.
        kept = self._cache and settings.manifest is not None
        cache = Cache(settings.root / FOLDER) if kept else None
        done = pipeline.compile_project(
            settings, files, self.report, self.progress, whole=not self._sources, cache=cache
        )
        if cache:
            cache.trim()
        return done

    def plan(self) -> Any:  # noqa: ANN401
        """Read the inputs and plan them."""
        from slo_compiler import pipeline  # noqa: PLC0415

        settings, files = self._read()
        planned = pipeline.plan_project(settings, files, Report(), whole=not self._sources)
        return settings, planned

    def resolve(self) -> tuple[Any, Any]:
        """Read the inputs; gives the settings and the tenants, if they hold no error."""
        from slo_compiler import pipeline  # noqa: PLC0415

        settings, files = self._read()
        self.progress("reading")
        tenants = pipeline.resolve_project(settings, files, self.report)
        self.report.raise_if_failed()
        self.clear()
        return settings, tenants

    def _read(self) -> tuple[Any, Any]:
        """Read the inputs once: standard input cannot be read again."""
        if self._inputs is None:
            self._inputs = self._read_inputs()
        return self._inputs

    def _read_inputs(self) -> tuple[Any, Any]:
        # Imported late, so that --help and completion answer at once.
        from slo_compiler import pipeline, reading  # noqa: PLC0415

        path = self._project_path()
        settings = pipeline.read_project(path, self.report, lenient=True)
        sources: Sequence[str] = self._sources
        if not sources:
            if path is None:
                raise click.UsageError(
                    f"no SOURCE, and no {pipeline.PROJECT_FILE} here that names one"
                )
            sources = [str(settings.root / source) for source in settings.spec.sources]
        files = reading.read_sources(sources, settings.root, self.report, sys.stdin.buffer.read)
        return settings, files

    def output(self) -> Path:
        """Name the project's output folder."""
        from slo_compiler import pipeline  # noqa: PLC0415

        settings = pipeline.read_project(self._project_path(), self.report)
        return settings.root / settings.spec.output

    def _project_path(self) -> Path | None:
        from slo_compiler import pipeline  # noqa: PLC0415

        default = Path(pipeline.PROJECT_FILE)
        return self._project or (default if default.is_file() else None)

    def progress(self, step: str, done: int | None = None, of: int = 0) -> None:
        """Show a step on a terminal, and remember when it began; or how much of it is done."""
        if done is None:
            self._steps.append((step, time.monotonic()))
        if self._live:
            shown = step if done is None else f"{step} {done} of {of}"
            click.echo(f"\r\x1b[K{shown} ...", nl=False, err=True)

    def log(self, compiled: Any, changes: Any) -> None:  # noqa: ANN401
        """Append the audit record of this run, if one was asked for."""
        from slo_compiler import tools  # noqa: PLC0415

        if self._log_file is None:
            return
        ends = [*(start for _, start in self._steps[1:]), time.monotonic()]
        record = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "slo_compiler": __version__,
            "tools": {
                name: tools.version(Path(binary))
                for name, binary in compiled.verification.ran.items()
            },
            "skipped": compiled.verification.skipped,
            "steps": [
                {"step": name, "seconds": round(end - start, 6)}
                for (name, start), end in zip(self._steps, ends, strict=True)
            ],
            "changes": None
            if changes is None
            else {key: getattr(changes, key) for key in ("added", "changed", "removed")},
            "outputs": {a.path: a.digest for a in compiled.artefacts},
        }
        with self._log_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Turn whatever happens into output on stderr and an exit code."""
        try:
            yield
        except CompileError as error:
            self.report.extend(error.diagnostics)
            self.exit_code = EXIT_FINDINGS
        except OSError as error:
            self.clear()
            where = f"{reporting.printable(str(error.filename))}: " if error.filename else ""
            say(f"slo-compiler: {where}{error.strerror or error}")
            sys.exit(EXIT_FINDINGS)
        self.clear()
        found = self._told()
        if found or self._format in ("json", "sarif"):
            click.echo(reporting.FORMATS[self._format](found), nl=False, err=True, color=color())
        errors, warnings, infos = (sum(d.severity is s for d in found) for s in Severity)
        if found and self._format == "text":
            counts = {"error": errors, "warning": warnings, "info": infos}
            parts = [count(number, word) for word, number in counts.items() if number]
            say(
                f"{' and '.join([', '.join(parts[:-1]), parts[-1]] if parts[1:] else parts)}"
                + (": nothing was written" if errors and self._writes else "")
            )
        if self._strict and warnings:
            self.exit_code = EXIT_FINDINGS
        if self.exit_code:
            sys.exit(self.exit_code)

    def _told(self) -> list[Diagnostic]:
        """Leave out infos where the output is what counts, and beside errors."""
        found = self.report.diagnostics
        if not self._writes and not self.report.failed:
            return found
        return [d for d in found if d.severity is not Severity.INFO]

    def clear(self) -> None:
        """Take the progress line off the terminal."""
        if self._live:
            click.echo("\r\x1b[K", nl=False, err=True)
