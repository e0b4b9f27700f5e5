"""Which files a command reads: the project file, its sources, and what the command line names."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler import naming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slo_compiler.diagnostics import Report
    from slo_compiler.pipeline import Settings
    from slo_compiler.source import SourceFile


@dataclass(frozen=True, slots=True)
class Selection:
    """The project, the manifests to read, and those of them that are context only."""

    settings: Settings
    files: tuple[SourceFile, ...]
    whole: bool  # whether these are all manifests of the project
    context: frozenset[str] = frozenset()  # paths of files that are read and not reported


def find_project(start: Path) -> Path | None:
    """Look for the project file in a folder and those above it; give a path from there."""
    for folder in (start, *start.parents):
        if (folder / naming.PROJECT_FILE).is_file():
            return Path(os.path.relpath(folder / naming.PROJECT_FILE, start))
    return None


def select(
    project: Path | None,
    sources: Sequence[str],
    report: Report,
    *,
    with_context: bool = False,
    stdin_name: str | None = None,
) -> Selection:
    """Read the project and the manifests.

    Args:
        project: the project file, if the command line names one.
        sources: what the command line names; nothing means the project's sources.
        report: takes the findings.
        with_context: whether files among the project's sources are read with all the others.
        stdin_name: the file of which stdin is the new text.

    Raises:
        CompileError: something cannot be read.
        UsageError: there is nothing to read.
    """
    from slo_compiler import pipeline, reading

    if stdin_name and reading.STDIN not in sources:
        raise click.UsageError("--stdin-filename needs - among the sources")
    path = project or find_project(Path.cwd())
    settings = pipeline.read_project(path, report, lenient=True)
    skip = _not_manifests(settings, path)
    if not sources and path is None:
        raise click.UsageError(
            f"no SOURCE, and no {pipeline.PROJECT_FILE} here or above that names one"
        )
    own = [str(settings.root / source) for source in settings.spec.sources]
    if not sources:
        _refuse_output_over_sources(settings, report)
        found = reading.read_sources(own, settings.root, report, skip=skip)
        return Selection(settings, tuple(found), whole=True)
    given = reading.read_sources(sources, settings.root, report, _stdin, skip=skip)
    if stdin_name:
        name = reading.name_of(Path(stdin_name), settings.root)
        given = [
            replace(file, path=stdin_name, name=name) if file.path == "<stdin>" else file
            for file in given
        ]
    if not with_context or path is None or not any(map(os.path.exists, own)):
        return Selection(settings, tuple(given), whole=False)
    everything = reading.list_sources(own, report, skip=skip)
    names = {reading.name_of(each, settings.root): each for each in everything}
    inside = [os.path.realpath(each) for each in own]
    if not all(
        f.name in names
        or (f.path == stdin_name and any(_is_below(Path(stdin_name), top) for top in inside))
        for f in given
    ):
        return Selection(settings, tuple(given), whole=False)
    wanted = {file.name for file in given}
    rest = [str(each) for name, each in names.items() if name not in wanted]
    context = reading.read_sources(rest, settings.root, report)
    files = sorted([*given, *context], key=lambda file: file.name)
    return Selection(
        settings, tuple(files), whole=True, context=frozenset(file.path for file in context)
    )


def _stdin() -> bytes:
    from slo_compiler.source import MAX_BYTES

    return sys.stdin.buffer.read(MAX_BYTES + 1)  # what is longer is refused


def _not_manifests(settings: Settings, project: Path | None) -> list[Path]:
    """List what a folder of manifests may contain beside them."""
    spec = settings.spec
    if project is None:
        return []
    names = [spec.output, *spec.policies, *spec.templates]
    base = [spec.alertmanager.base] if spec.alertmanager.base else []
    return [project, *(settings.root / name for name in (*names, *base))]


def _refuse_output_over_sources(settings: Settings, report: Report) -> None:
    output = settings.root / settings.spec.output
    for index, source in enumerate(settings.spec.sources):
        if _is_below(settings.root / source, os.path.realpath(output)):
            report.error(
                settings.at("spec", "sources", index),
                "output-over-sources",
                f'the source "{source}" is in the output folder "{settings.spec.output}"',
                "choose a folder of its own for the output",
            )
            report.raise_if_failed()


def _is_below(path: Path, folder: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(folder)
