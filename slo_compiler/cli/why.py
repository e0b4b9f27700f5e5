"""`explain --alert`: why an alert fired, of which manifest, and who was notified."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slo_compiler.cli.states import ResolvedState
    from slo_compiler.view.explain import Explanation
    from slo_compiler.view.fired import FiredAlert

_MAX_BYTES = 16 << 20


def why(source: str, project: Path | None, format_: str) -> None:
    """Read alerts, find the manifest of each, and print why it fired.

    Raises:
        UsageError: there is no alert of an SLO, or no project.
    """
    from slo_compiler.cli import inputs
    from slo_compiler.view import fired

    try:
        alerts = fired.read_alerts(_read(source))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise click.BadParameter(reason, param_hint="'--alert'") from None
    own = project or inputs.find_project(Path.cwd())
    if own is None:
        raise click.UsageError("no project file here or above: name it with --project")
    now = _digests(own)
    with ExitStack() as stack:
        # The alerts of a notification are mostly of one SLO and one manifest.
        explained: dict[tuple[str, str], tuple[Explanation | None, str]] = {}
        states: dict[str | None, ResolvedState] = {}  # by revision; None is the project as it is
        found = []
        for alert in alerts:
            key = (alert.slo, str(alert.versions))
            if key not in explained:
                word, version = _version(alert, own, now)
                if word not in states:
                    states[word] = _resolved(word, own, stack)
                explained[key] = _explained(states[word], alert), version
            found.append((alert, fired.facts(alert, *explained[key])))
    if format_ == "json":
        records = [{"slo": alert.slo, "labels": alert.labels, **known} for alert, known in found]
        click.echo(json.dumps(records, indent=2))
        return
    for number, (alert, known) in enumerate(found):
        if number:
            click.echo()
        for line in fired.as_text(alert, known):
            click.echo(line)


def _read(source: str) -> str:
    """Read a file, standard input, or labels that are given in place of a file's name."""
    if source.lstrip().startswith("{"):
        return source
    if source == "-":
        content = sys.stdin.buffer.read(_MAX_BYTES + 1)
    else:
        with Path(source).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"larger than {_MAX_BYTES >> 20} MiB")
    return content.decode("utf-8", "replace")


def _version(alert: FiredAlert, own: Path, now: Mapping[str, str]) -> tuple[str | None, str]:
    """Find the revision with the manifest that an alert came from, and its description."""
    from slo_compiler import revision

    folder = own.absolute().parent
    word, version = None, "as it is now"
    if not alert.versions:
        version = "as it is now; the alert does not name its version"
    elif any(not now.get(name, "").startswith(d) for name, d in alert.versions.items()):
        try:
            word = revision.commit_of(folder, alert.versions)
            version = (
                f"in commit {revision.described(folder, word)}; it was changed since"
                if word
                else "as it is now; the alert is of another version, which no commit has"
            )
        except revision.RevisionError as error:
            version = f"as it is now; the alert is of another version, and git reports: {error}"
    return word, version


def _resolved(word: str | None, own: Path, stack: ExitStack) -> ResolvedState:
    """Resolve a revision; one with errors ends the run."""
    from slo_compiler.cli.run import EXIT_FINDINGS
    from slo_compiler.cli.states import resolved

    return resolved(word, own, stack) or sys.exit(EXIT_FINDINGS)


def _explained(state: ResolvedState, alert: FiredAlert) -> Explanation | None:
    """Explain the alert's SLO; None if there is none of its name."""
    from slo_compiler.cli.run import EXIT_FINDINGS

    found = state.explain(alert.slo)
    if found is None:
        sys.exit(EXIT_FINDINGS)
    return found[0] if found else None


def _digests(project: Path) -> dict[str, str]:
    """Give the digest of each file that alerts are made of; nothing where they cannot be read."""
    from slo_compiler import pipeline
    from slo_compiler.cli import inputs
    from slo_compiler.diagnostics import CompileError, Report
    from slo_compiler.importing.files import with_imported

    report = Report()
    try:
        read = inputs.select(project, (), report)
        read_files = with_imported(read.settings, read.files)
        foreign = [each for file in read_files for each in file.imported]
        files = (*read_files, *foreign, *pipeline.read_shared(read.settings, report).files)
    except CompileError:
        return {}
    return {file.name: file.digest for file in files}
