"""`diff`: what a change of manifests changes, for whom."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import PROJECT
from slo_compiler.cli.run import EXIT_FINDINGS

if TYPE_CHECKING:
    from slo_compiler.diagnostics import Report
    from slo_compiler.view.explain import Explanation


@click.command()
@click.argument("old")
@click.argument("new", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How the changes are printed.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there is a change.")
@PROJECT
def diff(old: str, new: str | None, *, format_: str, exit_code: bool, project: Path | None) -> None:
    """Compare two states of a project: thresholds, receivers, queries, history.

    OLD and NEW are folders with a project file, or git revisions; without NEW it is the project as
    it is now. What is most dangerous comes first: alerts and notifications that are lost.

    \b
    Examples:
      slo-compiler diff main
      slo-compiler diff HEAD~1 HEAD --format markdown
      slo-compiler diff ../deployed . --exit-code
    """
    from slo_compiler.view import diff as comparing
    from slo_compiler.view import diff_text

    with ExitStack() as stack:
        sides = [_explained(word, project, stack) for word in (old, new)]
    if None in sides:
        sys.exit(EXIT_FINDINGS)
    before, after = (side or [] for side in sides)
    changes = comparing.compare(before, after)
    click.echo(diff_text.FORMATS[format_](changes), nl=False)
    if exit_code and changes:
        sys.exit(EXIT_FINDINGS)


def _explained(
    word: str | None, project: Path | None, stack: ExitStack
) -> list[Explanation] | None:
    """Explain all SLOs of one side; None if it has errors, which are printed."""
    from slo_compiler import clock, pipeline
    from slo_compiler.cli import inputs
    from slo_compiler.diagnostics import CompileError, Report
    from slo_compiler.view import explain as explaining

    path = _project_file(word, project, stack)
    report = Report()
    try:
        read = inputs.select(path, (), report)
        settings = read.settings
        tenants = pipeline.resolve_project(settings, read.files, report)
        report.raise_if_failed()
        document = settings.manifest.document if settings.manifest else None
        found = [(tenant, [*tenant.slos]) for tenant in tenants]
        return [*explaining.explain(found, tenants, settings.spec, document, report, clock.now())]
    except CompileError as error:
        report.extend(error.diagnostics)
        _print(word, path.parent, report)
        return None


def _project_file(word: str | None, project: Path | None, stack: ExitStack) -> Path:
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


def _print(word: str | None, folder: Path, report: Report) -> None:
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
    say(f"{word or 'the project as it is now'} cannot be compared: it does not compile")


def _relative(path: str, folder: Path) -> str:
    absolute = os.path.abspath(path)  # noqa: PTH100  (links are not followed)
    inside = absolute.startswith(f"{folder.absolute()}{os.sep}")
    return os.path.relpath(absolute, folder.absolute()) if inside else path
