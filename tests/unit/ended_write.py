"""Write a folder again and again, with a signal at the first, second, ... touch of the disk.

Called by test_place.py with the signal's number; in a process of its own, whose main thread gets
the signals. Prints a line for each: the exit code, and whether the folder is old, new or neither.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from writing import NEW, OLD, compile_into, touching, tree, whole

from slo_compiler import process


def ended_at(point: int, number: int, folder: Path) -> int:
    """Write with a signal at one touch; give the exit code."""
    touches = itertools.count(1)

    def end(_path: object, touches: Iterator[int] = touches) -> None:
        if next(touches) == point:
            os.kill(os.getpid(), number)

    try:
        with process.ended_by_signals(), touching(end):
            compile_into(folder, NEW)
    except process.Interrupted as ended:
        return int(ended.code or 0)
    return 0


def end_everywhere(number: int) -> None:
    """Do it at every point in turn."""
    compile_into(Path("out"), OLD)
    code, point = 1, 0
    while code:
        point += 1
        folder = Path(str(point))
        shutil.copytree("out", folder)
        code = ended_at(point, number, folder)
        found = tree(folder)
        state = {True: "old"}.get(found == whole(OLD), "new" if found == whole(NEW) else "mixed")
        print(code, state)  # noqa: T201


if __name__ == "__main__":
    end_everywhere(int(sys.argv[1]))
