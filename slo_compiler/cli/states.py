"""The SLOs of a project as it is in a folder or in a git revision, explained."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from slo_compiler.diagnostics import Report
    from slo_compiler.pipeline import Settings
    from slo_compiler.plan import PlannedTenant
    from slo_compiler.resolve.model import ResolvedTenant
    from slo_compiler.view.explain import Explanation
    from slo_compiler.view.state import ProjectState


@dataclass(frozen=True, slots=True)
class ResolvedState:
    """A state of a project, read and resolved once, however much of it is explained."""

    word: str | None  # as the command line names it
    folder: Path
    settings: Settings
    tenants: tuple[ResolvedTenant, ...]

    def explain(self, wanted: str | None = None) -> list[Explanation] | None:
        """Explain the SLOs, or one of them; None if there are errors, which are printed."""
        from slo_compiler import clock
        from slo_compiler.diagnostics import CompileError, Report
        from slo_compiler.view import explain as explaining

        settings, report = self.settings, Report()
        document = settings.manifest.document if settings.manifest else None
        found = (
            [(tenant, [*tenant.slos]) for tenant in self.tenants]
            if wanted is None
            else explaining.select(self.tenants, wanted)
        )
        try:
            slos = explaining.explain(
                found, self.tenants, settings.spec, document, report, clock.now()
            )
            # A revision's files are in a folder that is gone by the time somebody reads this.
            return [replace(each, at=_relative(each.at, self.folder)) for each in slos]
        except CompileError as error:
            report.extend(error.diagnostics)
            print_errors(self.word, self.folder, report)
            return None

    def compared(self) -> ProjectState | None:
        """Collect what `diff` compares; None if there are errors, which are printed."""
        from slo_compiler.diagnostics import CompileError, Report
        from slo_compiler.view.state import state_of

        slos = self.explain()
        if slos is None:
            return None
        report = Report()
        try:
            return state_of(
                slos,
                self.tenants,
                self.settings,
                report,
                lambda place: _relative(place, self.folder),
            )
        except CompileError as error:
            report.extend(error.diagnostics)
            print_errors(self.word, self.folder, report)
            return None


def resolved(word: str | None, project: Path | None, stack: ExitStack) -> ResolvedState | None:
    """Read and resolve a state; None if it has errors, which are printed.

    Args:
        word: a folder with a project file, or a git revision; None for the project as it is now.
        project: the project file, if the command line names one.
        stack: until it ends, a revision's files are there.

    Raises:
        UsageError: there is no such state.
    """
    from slo_compiler import pipeline
    from slo_compiler.cli import inputs
    from slo_compiler.diagnostics import CompileError, Report

    path = project_file(word, project, stack)
    report = Report()
    try:
        read = inputs.select(path, (), report)
        tenants = pipeline.resolve_project(read.settings, read.files, report)
        report.raise_if_failed()
    except CompileError as error:
        report.extend(error.diagnostics)
        print_errors(word, path.parent, report)
        return None
    return ResolvedState(word, path.parent, read.settings, tenants)


def planned(
    word: str | None, project: Path | None, stack: ExitStack
) -> Sequence[PlannedTenant] | None:
    """Plan the tenants of a state; None if it has errors, which are printed.

    Raises:
        UsageError: there is no such state.
    """
    from slo_compiler.diagnostics import CompileError, Report
    from slo_compiler.plan import plan_tenant

    state = resolved(word, project, stack)
    if state is None:
        return None
    report, prometheus = Report(), state.settings.spec.prometheus
    try:
        found = [plan_tenant(each, prometheus, report) for each in state.tenants if each.slos]
        report.raise_if_failed()
    except CompileError as error:
        report.extend(error.diagnostics)
        print_errors(word, state.folder, report)
        return None
    return found


def project_file(word: str | None, project: Path | None, stack: ExitStack) -> Path:
    """Find the project file of one side; a revision is checked out until the stack ends."""
    from slo_compiler import naming, revision
    from slo_compiler.cli import inputs

    if word is not None and (word.startswith("-") or not word):
        raise click.UsageError(f'"{word}" is neither a folder nor a revision')
    if word is not None and (Path(word) / naming.PROJECT_FILE).is_file():
        return Path(word) / naming.PROJECT_FILE
    own = project or inputs.find_project(Path.cwd())
    if own is None:
        raise click.UsageError(
            f"no {naming.PROJECT_FILE} here or above, nor in {word}"
            if word is not None
            else f"no {naming.PROJECT_FILE} here or above: name a folder that has one"
        )
    if word is None:
        return own
    try:
        folder = stack.enter_context(revision.checked_out(word, own.absolute().parent))
    except revision.RevisionError as error:
        raise click.UsageError(
            f'"{word}" is no folder with a {naming.PROJECT_FILE}, and no revision: {error}'
        ) from error
    if not (folder / own.name).is_file():
        raise click.UsageError(f"the revision {word} has no {own}")
    return folder / own.name


def print_errors(
    word: str | None, folder: Path, report: Report, why: str = "does not compile"
) -> None:
    """Print the errors of a side, with paths that are relative to its project."""
    from slo_compiler import report as reporting
    from slo_compiler.cli.words import color, say
    from slo_compiler.diagnostics import Severity

    errors = [
        replace(
            found, position=replace(found.position, path=_relative(found.position.path, folder))
        )
        for found in report.diagnostics
        if found.severity is Severity.ERROR
    ]
    click.echo(reporting.text(errors), nl=False, err=True, color=color())
    say(f"{word or 'the project as it is now'} {why}")


def _relative(path: str, folder: Path) -> str:
    absolute = os.path.abspath(path)  # noqa: PTH100  (links are not followed)
    inside = absolute.startswith(f"{folder.absolute()}{os.sep}")
    return os.path.relpath(absolute, folder.absolute()) if inside else path
