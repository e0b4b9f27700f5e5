"""A first GitOps repo: the files of `scaffold/`, copied where there are none yet."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

SCAFFOLD = Path(__file__).parent / "scaffold"
LOCAL = ".slo-compiler.mk"  # this machine's own, which git ignores


def write_repo(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Copy the scaffold; give each path and whether it was written, or was there and was kept."""
    files = {
        path.relative_to(SCAFFOLD): path.read_bytes()
        for path in sorted(SCAFFOLD.rglob("*"))
        if path.is_file()
    }
    files[Path(LOCAL)] = _this_compiler().encode()
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("xb") as file:
                try:
                    file.write(content)
                    file.flush()
                except BaseException:
                    target.unlink()  # half a file would be kept by the next init
                    raise
        except FileExistsError:
            yield target, False
        else:
            yield target, True


def _this_compiler() -> str:
    """Name the compiler that runs now, for make: its script may not be on PATH."""
    command = f"{shlex.quote(sys.executable)} -m slo_compiler.cli".replace("$", "$$")
    return f"SLO_COMPILER ?= {command}\n"
