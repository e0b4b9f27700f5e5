"""Which files of other tools a manifest imports: looked for before it is compiled, or cached."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from slo_compiler.diagnostics import Position, Report
from slo_compiler.documents import read_documents
from slo_compiler.reading import read_inside
from slo_compiler.schema.base import shown
from slo_compiler.settings import Settings
from slo_compiler.source import Document, SourceFile

KEY = "import"
MAX_FILES = 50  # of one manifest: each is named by its alerts
_WILD = frozenset("*?[")


def with_imported(settings: Settings, sources: Sequence[SourceFile]) -> list[SourceFile]:
    """Read the files that manifests import; these are no manifests, if they are among them."""
    found = [_looked_up(settings, file) for file in sources]
    foreign = {os.path.realpath(each.path) for file in found for each in file.imported}
    if not foreign:
        return found
    return [file for file in found if os.path.realpath(file.path) not in foreign]


def entries(data: Any) -> Iterator[tuple[int, dict[str, Any]]]:  # noqa: ANN401
    """Give the entries of a document's imports that are mappings, and their numbers."""
    spec = data.get("spec") if isinstance(data, dict) else None
    named = spec.get(KEY) if isinstance(spec, dict) else None
    for index, entry in enumerate(named if isinstance(named, list) else ()):
        if isinstance(entry, dict):
            yield index, entry


def _looked_up(settings: Settings, file: SourceFile) -> SourceFile:
    if file.imports is not None or KEY.encode() not in file.content:
        return file
    report, found = Report(), dict[str, tuple[SourceFile, ...]]()
    # What is wrong with the file itself is reported when it is compiled.
    for document in read_documents(file.path, file.content, Report()):
        for index, entry in entries(document.data):
            names = entry.get("files")
            for number, name in enumerate(names if isinstance(names, list) else ()):
                at = document.locate(("spec", KEY, index, "files", number))
                if isinstance(name, str) and name not in found:
                    own = _files(settings, document, name, at, report)
                    if own is not None:
                        found[name] = own
    count = len({each.path for own in found.values() for each in own})
    if count > MAX_FILES:
        text = f"the manifest imports {count} files, and may import {MAX_FILES}"
        report.error(Position(file.path), "import-files", text, "join some of them")
        found = {}
    return replace(file, imports=tuple(found.items()), problems=tuple(report.diagnostics))


def _files(
    settings: Settings, document: Document, name: str, at: Position, report: Report
) -> tuple[SourceFile, ...] | None:
    """Read the files of a name, relative to the manifest; None if there is none, or a finding."""
    folder = Path(document.path).parent
    parts = PurePosixPath(name)
    if _WILD & {*str(parts.parent)}:
        text = f"{shown(name)} has a wildcard in the name of a folder"
        report.error(at, "import-files", text, "name each folder")
        return None
    before, names = len(report.diagnostics), [name]
    if _WILD & {*parts.name} and not parts.is_absolute() and ".." not in parts.parts:
        names = [str(parts.parent / each) for each in _listed(folder / parts.parent, parts.name)]
        if not names:
            text = f"no file matches {shown(name)}"
            help_ = "the name is relative to the folder of the manifest"
            report.error(at, "import-files", text, help_)
    read = [read_inside(settings.root, folder, each, report, at) for each in names]
    if len(report.diagnostics) > before:
        return None
    own = os.path.realpath(document.path)
    return tuple(each for each in read if each and os.path.realpath(each.path) != own)


def _listed(folder: Path, pattern: str) -> list[str]:
    try:
        names = [each.name for each in os.scandir(folder) if each.is_file()]
    except (OSError, ValueError):
        return []
    return sorted(
        name
        for name in names
        if fnmatchcase(name, pattern) and not name.startswith(".") and name.isprintable()
    )[: MAX_FILES + 1]
