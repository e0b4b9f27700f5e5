"""Fetched samples on disk, by their query: an interrupted run goes on where it was."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from slo_compiler.cache import make_top, trim_entries, write_entry

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
        make_top(self._top)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._path(key)
        write_entry(path, (content,))
        return path

    def trim(self, limit: int = MAX_BYTES) -> None:
        """Remove the chunks that were not used for longest, down to the size limit."""
        trim_entries(self._folder, limit)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]
