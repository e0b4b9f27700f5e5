"""Fetched samples on disk, by what was asked for: an interrupted run goes on where it was."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

FOLDER = "backtest"
MAX_BYTES = 4 << 30


class ChunkStore:
    """A folder of compressed answers; safe to delete at any time."""

    def __init__(self, cache: Path) -> None:
        """Take the project's cache folder, or a temporary one."""
        self._folder = cache / FOLDER
        self._top = cache

    def get(self, key: str) -> Path | None:
        """Find a chunk, and mark it as used."""
        path = self._path(key)
        if not path.is_file():
            return None
        with suppress(OSError):
            path.touch()
        return path

    def put(self, key: str, content: bytes) -> Path:
        """Keep a chunk.

        Raises:
            OSError: it cannot be written.
        """
        if not self._top.exists():
            self._top.mkdir(mode=0o700, parents=True)
            (self._top / ".gitignore").write_text("*\n", encoding="utf-8")
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(content)
                file.flush()
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        return path

    def trim(self, limit: int = MAX_BYTES) -> None:
        """Remove the chunks that were not used for longest, down to the size limit."""
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
