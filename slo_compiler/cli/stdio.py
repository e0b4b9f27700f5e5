"""Standard streams as people leave them: closed, in another encoding, full, or with no reader."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

EXIT_FAILED = 1


def repair() -> None:
    """Give closed streams a place, and let no character fail to be printed.

    A closed stdout is opened for reading, and a closed stdin for writing: whoever needs one gets
    the system's error. What is for people, on stderr, is lost without an error.
    """
    closed = {
        0: (sys.stdin is None, os.O_WRONLY),
        1: (sys.stdout is None, os.O_RDONLY),
        2: (sys.stderr is None, os.O_WRONLY),
    }
    for number, (is_closed, flags) in closed.items():
        if is_closed:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    if closed[0][0]:
        sys.stdin = io.TextIOWrapper(io.FileIO(0, "r", closefd=False))
    if closed[1][0]:
        sys.stdout = _writer(1)
    if closed[2][0]:
        sys.stderr = _writer(2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def leave(error: OSError) -> NoReturn:
    """Exit after what the system refused; without a message where the reader is gone."""
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    if error.errno == errno.EPIPE:
        _abandon()
        sys.exit(128 + signal.SIGPIPE)  # as a program that does not handle the signal
    where = _printable(error.filename) if error.filename else "cannot write the output"
    with suppress(OSError, ValueError):
        print(f"slo-compiler: {where}: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        sys.stderr.flush()
    if not error.filename:
        _abandon()
    sys.exit(EXIT_FAILED)


def _abandon() -> None:
    """Let what is still buffered go nowhere, or Python would report it at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
                continue
            with suppress(OSError, ValueError):
                os.dup2(nowhere, stream.fileno())


def _writer(number: int) -> io.TextIOWrapper:
    """Open a descriptor for writing, whatever it is open for: the write itself fails, then."""
    raw = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", write_through=True)


def _printable(name: object) -> str:
    from slo_compiler.report import printable

    return printable(os.fsdecode(name) if isinstance(name, bytes) else str(name))
