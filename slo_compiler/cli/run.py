"""One run of a command: what it was given, what it found, how it ends."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.audit import AuditLog, versions
from slo_compiler.cli.words import color, count, listed, say
from slo_compiler.diagnostics import (
    CompileError,
    Diagnostic,
    Position,
    Report,
    Severity,
    one_per_cause,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slo_compiler.cli.inputs import Selection
    from slo_compiler.emit.artefact import Artefact
    from slo_compiler.pipeline import Compiled, Planned, Settings
    from slo_compiler.resolve.model import ResolvedTenant
    from slo_compiler.write import Changes

EXIT_FINDINGS = 1


class Run:
    """One run of a command."""

    def __init__(
        self,
        project: Path | None = None,
        sources: Sequence[str] = (),
        format_: str = "text",
        *,
        strict: bool = False,
        log: Path | None = None,
        writes: bool = False,
        with_context: bool = False,
        stdin_name: str | None = None,
        cache: bool = False,
    ) -> None:
        self.report = Report()
        self.exit_code = 0
        self.machine_format = format_ != "text"
        self._project = project
        self._sources = sources
        self._format = format_
        self._strict = strict
        self._writes = writes
        self._with_context = with_context
        self._stdin_name = stdin_name
        self._cache = cache
        self._selection: Selection | None = None
        self._context: frozenset[str] = frozenset()
        self._live = sys.stderr.isatty() and not self.machine_format
        self.audit = AuditLog(log)

    def compile(self, *, checked: bool = True) -> Compiled:
        """Read the inputs and compile them; `checked` by promtool and amtool."""
        from slo_compiler import pipeline
        from slo_compiler.cache import FOLDER, Cache

        read = self.select()
        # Without a project file there is no place that is the project's.
        kept = self._cache and read.settings.manifest is not None
        cache = Cache(read.settings.root / FOLDER) if kept else None
        compiled = pipeline.compile_project(
            read.settings,
            read.files,
            self.report,
            self.progress,
            whole=read.whole,
            cache=cache,
            checked=checked,
        )
        if cache:
            cache.trim()
        if self._strict:
            self._refuse_skipped(compiled)
        return compiled

    def make_proofs(self) -> Sequence[Artefact]:
        """Make the proofs of the project, whatever its targets are."""
        from slo_compiler import pipeline

        read = self.select()
        settings = pipeline.with_overrides(read.settings, {"targets": ["proofs"]})
        return pipeline.compile_project(
            settings, read.files, self.report, self.progress, whole=read.whole
        ).artefacts

    def plan(self) -> tuple[Settings, Planned]:
        """Plan what was read."""
        from slo_compiler import pipeline

        read = self.select()
        planned = pipeline.plan_project(read.settings, read.files, Report(), whole=read.whole)
        return read.settings, planned

    def resolve(self) -> tuple[Settings, tuple[ResolvedTenant, ...]]:
        """Read the inputs; return the settings and the tenants, if they have no error."""
        from slo_compiler import pipeline

        read = self.select()
        self.progress("reading")
        tenants = pipeline.resolve_project(read.settings, read.files, self.report)
        self.report.raise_if_failed()
        self.clear()
        return read.settings, tenants

    def select(self) -> Selection:
        """Read the project and the manifests once: standard input cannot be read again."""
        if self._selection is not None:
            return self._selection
        # Imported late, so that --help and completion answer at once.
        from slo_compiler.cli import inputs

        self._selection = read = inputs.select(
            self._project,
            self._sources,
            self.report,
            with_context=self._with_context,
            stdin_name=self._stdin_name,
        )
        self._context = read.context
        return read

    def settings(self) -> Settings:
        """Read the project file alone."""
        from slo_compiler import pipeline
        from slo_compiler.cli import inputs

        path = self._project or inputs.find_project(Path.cwd())
        return pipeline.read_project(path, self.report)

    def progress(self, step: str, done: int | None = None, of: int = 0) -> None:
        """Show a step on a terminal, and remember when it began; or how much of it is done."""
        if done is None:
            self.audit.step(step)
        if self._live:
            shown = step if done is None else f"{step} {done} of {of}"
            click.echo(f"\r\x1b[K{shown} ...", nl=False, err=True)

    def log(self, compiled: Compiled, changes: Changes | None) -> None:
        """Add a compile to the audit record of this run, if one is wanted."""
        if not self.audit.wanted:
            return
        self.audit.add(
            tools=versions(compiled.verification.ran),
            skipped=compiled.verification.skipped,
            counts=dict(compiled.counts),
            changes=None
            if changes is None
            else {key: getattr(changes, key) for key in ("added", "changed", "removed")},
            outputs={a.path: a.digest for a in compiled.artefacts},
        )

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Turn findings into output and an exit code."""
        try:
            yield
        except CompileError as error:
            self.report.extend(error.diagnostics)
            self.exit_code = EXIT_FINDINGS
        except BaseException as error:
            code = getattr(error, "exit_code", getattr(error, "code", None))
            self.audit.write(code, self.report.diagnostics)
            raise
        finally:
            self.clear()
        self._print_findings()
        self.audit.write(self.exit_code, self.report.diagnostics)
        if self.exit_code:
            sys.exit(self.exit_code)

    def _print_findings(self) -> None:
        from slo_compiler import report as reporting

        found = self._shown()
        number = {s: sum(d.severity is s for d in found) for s in Severity}
        if self._format == "sarif":
            from slo_compiler.lint.document import rule_texts

            click.echo(reporting.sarif(found, rule_texts()), nl=False, color=False)
        elif self.machine_format:
            click.echo(reporting.FORMATS[self._format](found), nl=False, color=False)
        elif found:
            click.echo(reporting.text(found), nl=False, err=True, color=color())
            parts = [count(number[s], str(s)) for s in Severity if number[s]]
            failed = number[Severity.ERROR] and self._writes
            say(listed(parts) + (": nothing was written" if failed else ""))
        others = [d for d in self.report.diagnostics if d.position.path in self._context]
        errors = [d for d in others if d.severity is Severity.ERROR]
        if errors:
            say(
                f"not checked to the end: {count(len(errors), 'error')} in other files, the first "
                f"at {errors[0].position}; run slo-compiler check"
            )
        if self._strict and number[Severity.WARNING]:
            self.exit_code = EXIT_FINDINGS

    def _shown(self) -> list[Diagnostic]:
        """Leave out infos where the output is what counts, and beside errors; and context."""
        found = one_per_cause(
            d for d in self.report.diagnostics if d.position.path not in self._context
        )
        if not self._writes and not self.report.failed:
            return found
        return [d for d in found if d.severity is not Severity.INFO]

    def _refuse_skipped(self, compiled: Compiled) -> None:
        """Report each tool that was not found: with --strict nothing may stay unchecked."""
        from slo_compiler import tools

        for name in compiled.verification.skipped:
            at = compiled.settings.at("spec")
            self.report.error(
                at if compiled.settings.manifest else Position(name),
                "tool-missing",
                f"{name} was not found, so its files were not checked",
                tools.how_to_get(),
            )
        self.report.raise_if_failed()

    def clear(self) -> None:
        """Take the progress line off the terminal."""
        if self._live:
            click.echo("\r\x1b[K", nl=False, err=True)
