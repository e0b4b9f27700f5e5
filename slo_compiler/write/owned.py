"""Which files of the output folder are ours, and which paths are inside of it?"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from slo_compiler import naming

MARK = naming.MARK
_BEGINNINGS = (MARK.encode(), naming.MARK_JSON.encode())
_SUFFIXES = (".yml", ".yaml", ".json")
TEMPORARY = ".slo-compiler-tmp"  # the end of a name that no server's glob matches


def temporary(path: Path, infix: str = "") -> Path:
    """Name a file beside another, which the next run removes if this one is killed."""
    return path.with_name(f".{path.name}{infix}{TEMPORARY}")


def is_ours(path: str, content: bytes) -> bool:
    """Whether the compiler wrote a file, by how it begins."""
    if path == naming.LOCK_FILE:
        return content.startswith(b'{\n  "lock":')
    return content.startswith(_BEGINNINGS)


def marked(folder: Path, parts: Iterable[Path]) -> Iterator[str]:
    """Give the files with our mark in the parts of the folder that we write to."""
    for part in parts:
        for file in (folder / part).glob("[!.]*"):
            if file.suffix in _SUFFIXES and file.is_file() and not file.is_symlink():
                with file.open("rb") as opened:
                    if is_ours("", opened.read(max(map(len, _BEGINNINGS)))):
                        yield (part / file.name).as_posix()


def leftovers(folder: Path, parts: Iterable[Path]) -> Iterator[str]:
    """Give the temporary files that a killed run left behind."""
    for part in sorted(parts):
        for file in sorted((folder / part).glob(f".*{TEMPORARY}")):
            yield (part / file.name).as_posix()


def read(path: Path) -> bytes | None:
    """Read a file of the folder; what is no regular file is somebody's, and not ours."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe may never answer
            return b""
        return path.read_bytes()
    except FileNotFoundError:
        return None


def digest(content: bytes) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(content).hexdigest()


def inside(folder: Path) -> Callable[[str], bool]:
    """Give a test whether a path, such as a lock file's, which anyone may edit, is inside."""
    root = os.path.realpath(folder)
    parents: dict[str, bool] = {}

    def holds(path: str) -> bool:  # unlike Path.resolve, no exception on a loop
        return Path(os.path.realpath(path)).is_relative_to(root)

    def is_inside(path: str) -> bool:
        whole = os.path.join(root, path)  # noqa: PTH118  (a Path would drop what is to be tested)
        parent, name = os.path.split(whole)
        if name in ("", os.curdir, os.pardir) or os.path.islink(whole):  # noqa: PTH114
            return holds(whole)
        if parent not in parents:
            parents[parent] = holds(parent)
        return parents[parent]

    return is_inside
