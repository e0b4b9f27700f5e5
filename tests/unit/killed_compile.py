"""Write what a compile makes again and again, killed at the first, second, ... touch of the disk.

Called by test_write.py with a folder that has old/, new/ (manifests) and out/ (old's output).
For each point N it leaves killed/N (as the kill left it) and, unless an earlier kill left the same,
healed/N (new compiled over it) and reverted/N (old compiled over it). It ends with the first N that
a run does not reach.
"""

# ruff: noqa: ANN401  (it replaces functions of the standard library)

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from slo_compiler import write
from slo_compiler.cli import main
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact


class Killer:
    """Counts what a process does below a folder, and kills it before or amid the Nth touch."""

    def __init__(self, folder: Path, point: int) -> None:
        self.folder, self.left = os.path.realpath(folder), point
        self.counting = threading.Lock()

    def touch(self, path: object) -> None:
        """Count one touch of a path; below the folder the last one is fatal."""
        if os.path.realpath(os.fspath(path)).startswith(self.folder):  # type: ignore[call-overload]
            with self.counting:
                self.left -= 1
                if self.left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Put the counter before every way by which a compile changes files."""
        for name in ("replace", "rename", "unlink", "remove", "mkdir", "rmdir", "link", "symlink"):
            setattr(os, name, self._counted(getattr(os, name)))
        real_open, real_fsync = io.open, os.fsync

        def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if not {*mode} & {*"wxa+"}:
                return real_open(file, mode, *args, **kwargs)
            self.touch(file)
            return Torn(real_open(file, mode, *args, **kwargs), lambda: self.touch(file))

        def fsync(handle: int) -> None:
            self.touch(f"/proc/self/fd/{handle}")
            real_fsync(handle)

        io.open = opened  # type: ignore[assignment]
        os.fsync = fsync

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.touch(args[0])
            return real(*args, **kwargs)

        return counted


class Torn:
    """A file whose text may be cut in two: half is on the disk when the process dies."""

    def __init__(self, file: Any, touch: Callable[[], None]) -> None:
        self.file, self.touch = file, touch

    def write(self, content: Any) -> None:
        half = len(content) // 2
        self.file.write(content[:half])
        self.file.flush()
        self.touch()
        self.file.write(content[half:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def artefacts_of(manifests: str) -> Sequence[Artefact]:
    """Compile once, and take what the command hands over to be written."""
    taken: list[Sequence[Artefact]] = []
    real = write.write

    def take(folder: Path, artefacts: Sequence[Artefact], changes: write.Changes) -> None:
        taken.append(artefacts)
        real(folder, artefacts, changes)

    write.write = take
    main(["compile", manifests, "-o", f"warm-{manifests}"], standalone_mode=False)
    write.write = real
    return taken[0]


def write_into(out: Path, artefacts: Sequence[Artefact], point: int = 0) -> bool:
    """Write in a process of its own; return whether it was killed."""
    pid = os.fork()
    if pid == 0:
        if point:
            Killer(out, point).watch()
        report = Report()
        with write.exclusive(out):
            changes = write.compare(out, artefacts, report, force=False)
            report.raise_if_failed()
            write.write(out, artefacts, changes)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit(f"writing to {out} failed")
    return os.WIFSIGNALED(status)


def kill_everywhere() -> None:
    """Kill at every point in turn."""
    old, new = map(artefacts_of, ("old", "new"))
    point, killed, seen = 0, True, set[frozenset[tuple[str, bytes]]]()
    while killed:
        point += 1
        out = Path("killed", str(point))
        shutil.copytree("out", out)
        killed = write_into(out, new, point)
        files = (path for path in out.rglob("*") if path.is_file())
        state = frozenset((str(path.relative_to(out)), path.read_bytes()) for path in files)
        if state in seen:
            continue
        seen.add(state)
        for run, artefacts in (("healed", new), ("reverted", old)):
            shutil.copytree(out, Path(run, str(point)))
            write_into(Path(run, str(point)), artefacts)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    kill_everywhere()
