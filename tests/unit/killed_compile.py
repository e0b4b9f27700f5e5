"""Run `slo-compiler compile` again and again, killed at its first, second, ... touch of the disk.

Called by test_write.py with a folder that holds old/, new/ (manifests) and out/ (old's output).
For each point N it leaves killed/N (as the kill left it) and, unless an earlier kill left the same,
healed/N (new compiled over it) and reverted/N (old compiled over it). It ends with the first N that
a run does not reach.
"""

# ruff: noqa: ANN401  (it stands in for functions of the standard library)

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from slo_compiler.cli import main


class Killer:
    """Counts what a process does below a folder, and kills it before or amid the Nth touch."""

    def __init__(self, folder: Path, point: int) -> None:
        self.folder, self.left = os.path.realpath(folder), point

    def touch(self, path: object) -> None:
        """Count one touch of a path; below the folder the last one is fatal."""
        if os.path.realpath(os.fspath(path)).startswith(self.folder):  # type: ignore[call-overload]
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


def compile_into(out: Path, manifests: str, point: int = 0) -> bool:
    """Compile in a process of its own; tells whether it was killed."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if point:
            Killer(out, point).watch()
        try:
            main(["compile", manifests, "-o", str(out), "--allow-removal"], standalone_mode=False)
        except SystemExit as done:
            os._exit(int(done.code or 0))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit(f"compile {manifests} -o {out} failed")
    return os.WIFSIGNALED(status)


def kill_everywhere() -> None:
    """Kill at every point in turn."""
    # Imports and templates once, before the processes are forked.
    main(["compile", "new", "-o", "warm"], standalone_mode=False)
    point, killed, seen = 0, True, set[frozenset[tuple[str, bytes]]]()
    while killed:
        point += 1
        out = Path("killed", str(point))
        shutil.copytree("out", out)
        killed = compile_into(out, "new", point)
        files = (path for path in out.rglob("*") if path.is_file())
        state = frozenset((str(path.relative_to(out)), path.read_bytes()) for path in files)
        if state in seen:
            continue
        seen.add(state)
        for run, manifests in (("healed", "new"), ("reverted", "old")):
            shutil.copytree(out, Path(run, str(point)))
            compile_into(Path(run, str(point)), manifests)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    kill_everywhere()
