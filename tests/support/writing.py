"""Small output folders, and every touch of the file system that writing them makes."""

# ruff: noqa: ANN401  (it replaces functions of the standard library)

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from slo_compiler import naming, write
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.write import MARK, exclusive

LOCK = naming.LOCK_FILE
State = Sequence[Artefact]
Touch = Callable[[object], None]


def state(**texts: str) -> State:
    """Make the files of a compile, one of each keyword; those that begin with x are apart."""
    files = [
        Artefact(f"{'extra' if name.startswith('x') else 'prometheus/rules'}/{name}.yml", body)
        for name, body in ((name, f"{MARK}\n{text}\n") for name, text in texts.items())
    ]
    return [*files, write.lock({}, files, {})]


OLD, NEW = state(a="1", b="1"), state(a="2", xd="1")
OTHER = state(a="3", b="3")


def compile_into(folder: Path, files: State) -> list[str]:
    """Put files in place as the command does; give what it refused."""
    report = Report()
    with exclusive(folder):
        changes = write.compare(folder, files, report, force=False)
        if not report.failed and changes.any:
            write.write(folder, files, changes)
    return [f"{found.position.path} {found.id}" for found in report.diagnostics]


def tree(folder: Path) -> dict[str, str]:
    """Give all files by their text, and empty folders."""
    return {
        each.relative_to(folder).as_posix(): each.read_text() if each.is_file() else "empty"
        for each in folder.rglob("*")
        if each.is_file() or not [*each.iterdir()]
    }


def served(files: dict[str, str]) -> dict[str, str]:
    """Leave out what has a name that no server reads, and empty folders."""
    return {p: text for p, text in files.items() if "/." not in f"/{p}" and text != "empty"}


def whole(files: State) -> dict[str, str]:
    """Return what is in a folder after a compile."""
    return {each.path: each.text for each in files}


@contextmanager
def touching(touch: Touch) -> Iterator[None]:
    """Call `touch` before each change of the file system, and amid each write.

    It gets the path of what changes, or None where the system's error would name none.
    """
    real_open = io.open

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if real.__name__ not in ("unlink", "rmdir") or _can_go(args[0]):
                touch(args[0])
            return real(*args, **kwargs)

        return call

    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not {*mode} & {*"wxa+"}:
            return real_open(file, mode, *args, **kwargs)
        touch(file)
        return _Torn(real_open(file, mode, *args, **kwargs), touch)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("replace", "unlink", "mkdir", "rmdir", "link"):
            patch.setattr(os, name, counted(getattr(os, name)))
        patch.setattr(io, "open", opened)
        patch.setattr(os, "fsync", lambda _: touch(None))
        yield


def _can_go(path: str) -> bool:
    """Whether there is something to remove."""
    return os.path.lexists(path) and (not Path(path).is_dir() or not any(Path(path).iterdir()))


class _Torn:
    """A file of which half is on the disk when it is touched."""

    def __init__(self, file: Any, touch: Touch) -> None:
        self.file, self.touch = file, touch

    def write(self, content: Any) -> None:
        half = len(content) // 2
        self.file.write(content[:half])
        self.file.flush()
        self.touch(None)
        self.file.write(content[half:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)
