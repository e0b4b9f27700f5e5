"""Results that are kept beside the project: addressed by the content of all that they depend on.

An entry is one file: the length of a pickle, the pickle, and after it the contents of artefacts,
which are read only when they are asked for. Most of a compile's files are as they were, and of
those the digest is enough.

The folder is safe to delete at any time, ignored by git, and bounded in size. An entry that cannot
be read is no entry. Entries are pickles, which run code when they are read: the folder is as
trusted as the compiler itself, is made for its owner alone, and is not read if others may write it.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import pickle
import struct
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import jinja2

from slo_compiler.emit.artefact import Content

FOLDER = ".slo-compiler-cache"
MAX_BYTES = 1 << 30
_USED = ("jinja2", "promql-parser", "pydantic", "pyyaml", "tzdata")  # that results depend on
_LENGTHS = struct.Struct("<QQ")  # of the pickle, and of the contents after it


@dataclass(frozen=True, slots=True)
class Stored:
    """A content that stays in its entry until it is asked for."""

    path: Path
    offset: int
    length: int

    def read(self) -> Content:
        """Read it.

        Raises:
            OSError: the entry was removed or damaged since.
        """
        with self.path.open("rb") as file:
            file.seek(self.offset)
            try:
                content = pickle.loads(file.read(self.length))  # noqa: S301  (our own, see above)
            except Exception as error:
                message = "this entry of the cache is damaged: remove the folder"
                raise OSError(errno.EIO, message, str(self.path)) from error
        assert isinstance(content, Content)  # noqa: S101  (narrows the type)
        return content


class _Pickler(pickle.Pickler):
    """Puts contents aside; each is named by its offset among them, and its length."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self.contents = io.BytesIO()

    def persistent_id(self, obj: object) -> tuple[int, int] | None:
        if type(obj) is not Content:
            return None
        offset = self.contents.tell()
        pickle.dump(obj, self.contents, protocol=pickle.HIGHEST_PROTOCOL)
        return offset, self.contents.tell() - offset


class _Unpickler(pickle.Unpickler):
    def __init__(self, path: Path, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._path = path
        self._start = _LENGTHS.size + len(data)

    def persistent_load(self, pid: tuple[int, int]) -> Stored:
        offset, length = pid
        return Stored(self._path, self._start + offset, length)


class Cache:
    """A folder of results by key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute() / "compile"  # of this project, whatever folder comes next
        self._usable = False

    def get(self, key: str) -> Any | None:  # noqa: ANN401  (whatever was put there)
        """Read an entry, and mark it as used."""
        path = self._path(key)
        try:
            if not self._is_ours():
                return None
            with path.open("rb") as file:
                length, rest = _LENGTHS.unpack(file.read(_LENGTHS.size))
                if os.fstat(file.fileno()).st_size != _LENGTHS.size + length + rest:
                    return None
                found = _Unpickler(path, file.read(length)).load()
            os.utime(path)
        except Exception:  # noqa: BLE001  (a pickle that is not whole raises anything)
            return None
        return found

    def put(self, key: str, value: object) -> bool:
        """Write an entry; gives whether that was possible."""
        path = self._path(key)
        with suppress(OSError):
            if not self._is_ours(create=True):
                return False
            data = io.BytesIO()
            pickler = _Pickler(data)
            pickler.dump(value)
            lengths = _LENGTHS.pack(data.tell(), pickler.contents.tell())
            write_entry(path, (lengths, data.getbuffer(), pickler.contents.getbuffer()))
            return True
        return False

    def trim(self, limit: int = MAX_BYTES) -> None:
        """Remove the entries that were not used for longest, down to the size limit."""
        trim_entries(self._folder, limit)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _is_ours(self, *, create: bool = False) -> bool:
        """Whether the folder is there, and nobody else may write to it."""
        if not self._usable:  # asked again: another process may have made it meanwhile
            top = self._folder.parent
            if create:
                make_top(top)
            if create and top.is_dir():
                self._folder.mkdir(mode=0o700, exist_ok=True)
            self._usable = top.is_dir() and _is_private(top) and _is_private(self._folder)
        return self._usable


def make_top(top: Path) -> None:
    """Make the folder of all caches beside a project, which git ignores, if it is not there.

    Raises:
        OSError: it cannot be made.
    """
    if not top.exists():
        top.mkdir(mode=0o700, parents=True)
        (top / ".gitignore").write_text("*\n", encoding="utf-8")


def write_entry(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write a file beside its place, then rename it: it is whole, or not there.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            for part in parts:
                file.write(part)
            file.flush()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def trim_entries(folder: Path, limit: int) -> None:
    """Remove the files of a cache that were not used for longest, down to a size limit in bytes."""
    with suppress(OSError):
        found = [(path, path.stat()) for path in folder.glob("*/*")]
        total = sum(stat.st_size for _, stat in found)
        for path, stat in sorted(found, key=lambda each: each[1].st_mtime):
            if total <= limit:
                break
            path.unlink(missing_ok=True)
            total -= stat.st_size


class CompiledTemplates(jinja2.BytecodeCache):
    """Templates as Python's bytecode, kept as all other entries."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Fill a bucket, if there is an entry for it."""
        found = self._cache.get(_template_key(bucket))
        if isinstance(found, bytes):
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Write a bucket's entry."""
        self._cache.put(_template_key(bucket), bucket.bytecode_to_string())


def _template_key(bucket: jinja2.bccache.Bucket) -> str:
    return key_of(["template", code_digest(), bucket.key])


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

    parts: list[str | bytes] = [sys.version]
    # The whole text, in which the version is: to parse it takes longer than all else here.
    parts += [metadata.distribution(name).read_text("METADATA") or "" for name in _USED]
    for folder, ends in ((Path(__file__).parent, (".py", ".yaml")), (template_folder(), (".j2",))):
        for top, folders, names in os.walk(folder):
            folders[:] = sorted({*folders} - {"__pycache__"})
            for name in sorted(names):
                if name.endswith(ends):
                    # Each run reads hundreds of these: paths and buffers take twice as long.
                    with open(f"{top}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
                        parts += [name, file.read()]
    return key_of(parts)
