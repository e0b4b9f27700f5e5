"""A first GitOps repo: the files of `scaffold/`, copied where there are none yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SCAFFOLD = Path(__file__).parent / "scaffold"


def write_repo(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Copy the scaffold; give each path and whether it was written, or was there and was kept."""
    for source in sorted(path for path in SCAFFOLD.rglob("*") if path.is_file()):
        target = folder / source.relative_to(SCAFFOLD)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("xb") as file:
                file.write(source.read_bytes())
        except FileExistsError:
            yield target, False
        else:
            yield target, True
