"""`diff`: what a change of manifests changes, for whom."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from slo_compiler.cli.options import PROJECT
from slo_compiler.cli.run import EXIT_FINDINGS
from slo_compiler.cli.states import resolved


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
    """Compare two states of a project: thresholds, receivers, queries, history, cost.

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
        read = [resolved(word, project, stack) for word in (old, new)]
        before, after = (state.compared() if state else None for state in read)
    if before is None or after is None:
        sys.exit(EXIT_FINDINGS)
    difference = comparing.compare(before, after)
    click.echo(diff_text.FORMATS[format_](difference), nl=False)
    if exit_code and difference.changes:
        sys.exit(EXIT_FINDINGS)
