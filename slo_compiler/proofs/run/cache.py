"""What was proved once, by the digest of all that the result depends on.

The folder can be deleted at any time; only proofs that passed are kept. Entries are written beside
their place and renamed, so that two runs at once do not disturb each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from slo_compiler import __version__

FOLDER = ".slo-compiler-cache"
MAX_ENTRIES = 20_000  # of some 300 bytes; the oldest go first


@dataclass(frozen=True, slots=True)
class ProofCache:
    """A folder of results; without one nothing is known, and nothing is kept."""

    folder: Path | None = None

    @classmethod
    def beside(cls, project: Path) -> ProofCache:
        """Give the cache beside a project file; where the disk refuses it, there is none."""
        top = project / FOLDER
        try:
            (top / "proofs").mkdir(parents=True, exist_ok=True)
            ignore = top / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError:
            return cls()
        return cls(top / "proofs")

    def key(self, parts: Iterable[str | bytes]) -> str:
        """Digest what a result depends on; each part by its length, so that no two run together."""
        digest = hashlib.sha256()
        for part in (__version__, *parts):
            content = part.encode() if isinstance(part, str) else part
            digest.update(b"%d:" % len(content))
            digest.update(content)
        return digest.hexdigest()

    def checks(self, key: str) -> int | None:
        """Return how many checks a proof had when it passed; None if it is not known to pass."""
        if self.folder is None:
            return None
        try:
            path = self._path(key)
            record = json.loads(path.read_bytes())
            checks = record["checks"]
            os.utime(path)  # used: of what is not used, the oldest goes first
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return checks if isinstance(checks, int) and record.get("key") == key else None

    def passed(self, key: str, checks: int) -> None:
        """Keep that a proof passed."""
        if self.folder is None:
            return
        with suppress(OSError):  # a full disk costs time at the next run, nothing else
            path = self._path(key)
            path.parent.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent)
            with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123  (a descriptor)
                file.write(json.dumps({"key": key, "checks": checks}))
            Path(name).replace(path)

    def trim(self, limit: int = MAX_ENTRIES) -> None:
        """Remove the entries that were not used for the longest time, above a limit."""
        if self.folder is None:
            return
        with suppress(OSError):
            entries = [path for path in self.folder.glob("*/*") if path.is_file()]
            excess = len(entries) - limit
            if excess > 0:
                for path in sorted(entries, key=lambda path: path.stat().st_mtime)[:excess]:
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        assert self.folder is not None  # noqa: S101  (narrows the type)
        return self.folder / key[:2] / key
