"""How does one compile at a time get the output folder for itself?"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

PATIENCE_SECONDS = 60.0  # of a compile that waits for another one to write
_PAUSE_SECONDS = 0.05
_BUSY = (errno.EAGAIN, errno.EACCES)
_CANNOT = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)  # some network file systems


@contextmanager
def exclusive(folder: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let one compile at a time compare and write; the system drops the lock of a killed one.

    Folders that are missing are made, and removed again if nothing was written to them.

    Args:
        folder: the output folder.
        waiting: is called once if another compile has the folder.

    Raises:
        OSError: the folder cannot be made, or another compile has not ended in time.
    """
    made = make(folder)
    try:
        handle = _locked(folder, waiting)
        try:
            yield
        finally:
            os.close(handle)
    finally:
        remove_empty(made)


def make(folder: Path) -> list[Path]:
    """Make a folder and those above it; give the ones that were missing, the deepest first."""
    above = (folder, *folder.parents)
    # os.path, because Path.is_dir raises on long names.
    missing = [*takewhile(lambda each: not os.path.isdir(each), above)]  # noqa: PTH112
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def remove_empty(folders: list[Path]) -> None:
    """Remove folders that hold nothing; the deepest come first."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _locked(folder: Path, waiting: Callable[[], None]) -> int:
    """Open and lock the folder; one that was removed by then, by its maker, is made again."""
    until, told = time.monotonic() + PATIENCE_SECONDS, False
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            free = _lock(handle, folder)
            if free and _is_same(handle, folder):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        if time.monotonic() > until:
            message = "another compile has it, and did not end in time; end that one"
            raise BlockingIOError(errno.EAGAIN, message, str(folder))
        if not free:
            if not told:
                waiting()
            told = True
            time.sleep(_PAUSE_SECONDS)


def _lock(handle: int, folder: Path) -> bool:
    """Lock without waiting; give whether that was possible."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno not in _CANNOT:
            raise OSError(error.errno, error.strerror, str(folder)) from error
    return True


def _is_same(handle: int, folder: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), folder.stat())
    return False
