"""What would a compile change in the output folder, and what is in its way?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.write import owned
from slo_compiler.write.record import written


@dataclass(frozen=True, slots=True)
class Changes:
    """What a compile does to the output folder, by path relative to it."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    leftovers: tuple[str, ...] = ()  # temporary files of a killed run
    foreign: tuple[str, ...] = ()  # others' files among the rules, which a deploy would load

    @property
    def any(self) -> bool:
        """Whether the folder is out of date."""
        return bool(self.added or self.changed or self.removed or self.leftovers)

    @property
    def removed_tenants(self) -> dict[str, str]:
        """Tenants all of whose rules go, and the file of each."""
        kept = {*map(naming.tenant_of, (*self.added, *self.changed, *self.unchanged))}
        tenants = ((naming.tenant_of(path), path) for path in self.removed)
        return {tenant: path for tenant, path in tenants if tenant and tenant not in kept}


def compare(
    folder: Path, artefacts: Sequence[Artefact], report: Report, *, force: bool = True
) -> Changes:
    """Compare the output folder with what it should hold; foreign files in the way are errors.

    Without `force`, so are files of ours that were edited since, and would be replaced or removed.
    """
    known = written(folder)
    added, changed, unchanged = [], [], []
    is_inside = owned.inside(folder)
    for artefact in artefacts:
        if not is_inside(artefact.path):
            report.error(
                Position(str(folder / artefact.path)),
                "outside-output",
                "a link leads this file out of the output folder",
                "remove the link, or choose another output folder",
            )
            continue
        there = owned.read(folder / artefact.path)
        if there is None:
            added.append(artefact.path)
        elif owned.digest(there) == artefact.digest:
            unchanged.append(artefact.path)
        else:
            changed.append(artefact.path)
            if not owned.is_ours(artefact.path, there):
                report.error(
                    Position(str(folder / artefact.path)),
                    "foreign-file",
                    "the compiler did not write this file, and will not replace it",
                    "move it, or choose another output folder",
                )
            elif not force:
                _refuse_edited(folder, artefact.path, there, known, report)
    wanted = {artefact.path for artefact in artefacts}
    parts = {Path(path).parent for path in (*wanted, *known)}
    parts = {part for part in parts if os.path.isdir(folder / part)}  # noqa: PTH112  (as below)
    removed = _stale(folder, wanted, parts, known, report, force=force)
    foreign = tuple(path for path in _rules(folder) if path not in {*wanted, *removed})
    leftovers = tuple(owned.leftovers(folder, parts))
    return Changes(
        tuple(added), tuple(changed), tuple(removed), tuple(unchanged), leftovers, foreign
    )


def diff(folder: Path, artefacts: Sequence[Artefact], changes: Changes) -> Iterator[str]:
    """Give the unified diff from the output folder to what it should hold, line by line."""
    new = {artefact.path: artefact.text for artefact in artefacts}
    for path in sorted([*changes.added, *changes.changed, *changes.removed]):
        before = (owned.read(folder / path) or b"").decode("utf-8", "replace")
        yield from unified_diff(
            before.splitlines(keepends=True),
            new.get(path, "").splitlines(keepends=True),
            "/dev/null" if path in changes.added else f"a/{path}",
            "/dev/null" if path in changes.removed else f"b/{path}",
        )


def _stale(
    folder: Path,
    wanted: set[str],
    parts: Iterable[Path],
    known: Mapping[str, set[str]],
    report: Report,
    *,
    force: bool,
) -> list[str]:
    """List the files of ours that no manifest makes any more."""
    removed = []
    for path in sorted({*known, *owned.marked(folder, parts)} - wanted):
        if not os.path.isfile(folder / path):  # noqa: PTH113  (Path.is_file raises on long names)
            continue
        content = owned.read(folder / path) or b""
        if owned.is_ours(path, content):
            removed.append(path)
            if not force:
                _refuse_edited(folder, path, content, known, report)
        else:
            report.warning(
                Position(str(folder / path)),
                "stale-file",
                "no manifest makes this file any more, but it is not as the compiler wrote it",
                "remove it by hand",
            )
    return removed


def _refuse_edited(
    folder: Path, path: str, content: bytes, known: Mapping[str, set[str]], report: Report
) -> None:
    digests = known.get(path)
    if digests and owned.digest(content) not in digests:
        report.error(
            Position(str(folder / path)),
            "edited-file",
            "this generated file was edited since it was written",
            "take the change into the manifest, then overwrite the file with --force",
        )


def _rules(folder: Path) -> Iterator[str]:
    """Give all files that a server would load from the folder of rules."""
    for loaded in naming.LOADED_FOLDERS:
        for file in sorted(folder.glob(f"{loaded}/[!.]*")):
            if file.suffix in (".yml", ".yaml"):
                yield file.relative_to(folder).as_posix()
