"""Results that are kept beside the project: addressed by the content of all that they depend on.

The folder is safe to delete at any time, ignored by git, and bounded in size. An entry that cannot
be read is no entry. Entries are pickles, which run code when they are read: the folder is as
trusted as the compiler itself, is made for its owner alone, and is not read if others may write it.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

FOLDER = ".slo-compiler-cache"
MAX_BYTES = 1 << 30
_USED = ("jinja2", "promql-parser", "pydantic", "pyyaml", "tzdata")  # that results depend on


class Cache:
    """A folder of results by key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "compile"
        self._usable: bool | None = None

    def get(self, key: str) -> Any | None:  # noqa: ANN401  (whatever was put there)
        """Read an entry, and mark it as used."""
        path = self._path(key)
        try:
            if not self._is_ours():
                return None
            with path.open("rb") as file:
                found = pickle.load(file)  # noqa: S301  (our own, see above)
            os.utime(path)
        except Exception:  # noqa: BLE001  (a pickle that is not whole raises anything)
            return None
        return found

    def put(self, key: str, value: object) -> None:
        """Write an entry; where that is not possible, there is none."""
        path = self._path(key)
        with suppress(OSError):
            if not self._is_ours(create=True):
                return
            path.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)
            Path(file.name).replace(path)

    def trim(self, limit: int = MAX_BYTES) -> None:
        """Remove the entries that were not used for longest, down to the size limit."""
        with suppress(OSError):
            found = [(path, path.stat()) for path in self._folder.glob("*/*")]
            total = sum(stat.st_size for _, stat in found)
            for path, stat in sorted(found, key=lambda each: each[1].st_mtime):
                if total <= limit:
                    break
                path.unlink(missing_ok=True)
                total -= stat.st_size

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _is_ours(self, *, create: bool = False) -> bool:
        """Whether the folder is there, and nobody else may write to it."""
        if self._usable is None or (create and not self._usable):
            top = self._folder.parent
            if create and not top.exists():
                top.mkdir(mode=0o700, parents=True)
                (top / ".gitignore").write_text("*\n", encoding="utf-8")
            if create and top.is_dir():
                self._folder.mkdir(mode=0o700, exist_ok=True)
            self._usable = top.is_dir() and _is_private(top) and _is_private(self._folder)
        return self._usable


def _is_private(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    stat = folder.stat()
    mine = not hasattr(os, "getuid") or stat.st_uid == os.getuid()
    return mine and not stat.st_mode & 0o022


def key_of(parts: Iterable[str | bytes]) -> str:
    """Digest what a result depends on; each part is told from the next."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(f"{len(data)}:".encode())
        digest.update(data)
    return digest.hexdigest()


@cache
def code_digest() -> str:
    """Digest the compiler itself, its templates, and the versions of what it is built on."""
    from slo_compiler.templating import template_folder  # noqa: PLC0415  (only where it is needed)

    package = Path(__file__).parent
    files = [
        *package.rglob("*.py"),
        *package.rglob("policies/*.yaml"),
        *template_folder().rglob("*.j2"),
    ]
    parts: list[str | bytes] = [sys.version]
    parts += [metadata.version(name) for name in _USED]
    for path in sorted(files):
        parts += [path.name, path.read_bytes()]
    return key_of(parts)
