"""Is a folder, wherever it is, byte for byte what the manifests compile to?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from slo_compiler.emit.artefact import Artefact
from slo_compiler.write import owned

_KUBERNETES = ".."  # of the names in a volume to which the links of its files lead


class FileState(StrEnum):
    """How a file of the folder compares with what the manifests compile to."""

    SAME = "same"
    DIFFERS = "differs"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the folder, of the compile or of both, with its SHA-256 in hex."""

    path: str  # relative to the folder
    state: FileState
    compiled: str  # empty of a file that no manifest makes
    found: str  # empty of a file that is missing, and of a link that leads nowhere


def states(folder: Path, artefacts: Sequence[Artefact], part: str = "") -> tuple[FoundFile, ...]:
    """Compare each file of a folder with the compile, by content alone; links are followed.

    Args:
        folder: any folder, which need not be one that a compile wrote to.
        artefacts: all files that the manifests compile to.
        part: the folder of the output that `folder` holds; empty for the whole output.

    Raises:
        OSError: a file cannot be read.
    """
    prefix = f"{part.strip('/')}/" if part.strip("/") else ""
    wanted = {
        artefact.path.removeprefix(prefix): artefact.digest
        for artefact in artefacts
        if artefact.path.startswith(prefix)
    }
    found = []
    for path in sorted({*wanted, *_files(folder)}):
        compiled = wanted.get(path, "")
        content = owned.read(folder / path)
        digest = "" if content is None else owned.digest(content)
        if not compiled:
            state = FileState.EXTRA
        elif not digest:
            state = FileState.MISSING
        else:
            state = FileState.SAME if digest == compiled else FileState.DIFFERS
        found.append(FoundFile(path, state, compiled, digest))
    return tuple(found)


def _files(folder: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(_KUBERNETES)]
        linked = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in (*names, *linked):  # a link to a folder is no file that a compile makes
            if not name.startswith(_KUBERNETES):
                yield (Path(parent) / name).relative_to(folder).as_posix()
