"""Reading inputs: files, folders and standard input, each named the same on every machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.source import MAX_BYTES, SourceFile

STDIN = "-"


def read_sources(
    paths: Iterable[str], root: Path, report: Report, stdin: Callable[[], bytes] = bytes
) -> list[SourceFile]:
    """Read manifests: files, folders (all *.yaml and *.yml below, sorted), or `-` for stdin."""
    files: dict[Path, SourceFile] = {}
    names: set[str] = set()
    for path in paths:
        if path == STDIN:
            files[Path(STDIN)] = SourceFile("<stdin>", "stdin", stdin())
            continue
        for found in _expand(Path(path), report):
            real = _real(found)
            if not str(found).isprintable():
                # It would stand in a comment of the output, and a line break ends a comment.
                report.error(
                    Position(str(found)),
                    "file-name",
                    "the file's name holds a control character",
                    "rename it",
                )
            elif real not in files:
                name = name_of(found, root, names)
                names.add(name)
                before = len(report.diagnostics)
                content = read_bytes(found, report)
                if len(report.diagnostics) == before:
                    files[real] = SourceFile(str(found), name, content)
    return list(files.values())


def _expand(path: Path, report: Report) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = sorted(
        file
        for pattern in ("*.yaml", "*.yml")
        for file in path.rglob(pattern)
        if not any(part.startswith(".") for part in file.relative_to(path).parts)
        and not file.is_dir()
    )
    if not found:
        report.error(
            Position(str(path)),
            "no-manifests",
            "the folder holds no manifest",
            "a manifest is a *.yaml or *.yml file; `slo-compiler init` writes a first one",
        )
    for file in found:
        if _real(file).is_relative_to(_real(path)):
            yield file
        else:  # what is read may be shown in a report, and manifests are not ours
            report.error(
                Position(str(file)),
                "symlink-outside",
                "this link leads out of the folder of manifests",
                "put the manifest itself here, or name its file as a source",
            )


def _real(path: Path) -> Path:
    """Follow all links; unlike Path.resolve, a loop of links is no exception."""
    return Path(os.path.realpath(path))


def name_of(path: Path, root: Path, taken: Container[str] = ()) -> str:
    """Name a file the same on every machine: relative to the project, else by its last part.

    Of two files outside of the project with the same last part, the second is named by more.
    """
    real, top = _real(path), _real(root)
    if real.is_relative_to(top):
        return real.relative_to(top).as_posix()
    names = ("/".join(real.parts[-n:]) for n in range(1, len(real.parts)))
    return next((name for name in names if name not in taken), str(real))


def read_bytes(path: Path, report: Report, at: Position | None = None) -> bytes:
    """Read a file; one that cannot be read is an error at `at`, or at the file itself."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)  # what is longer is refused
    except OSError as error:
        reason = error.strerror or str(error)
        what = f"{path}" if at else "it"
        message = f"cannot read {what}: {reason}"
        report.error(at or Position(str(path)), "unreadable", message, _nearest_file(path, error))
        return b""


def _nearest_file(path: Path, error: OSError) -> str:
    """Name the file of the same folder that was probably meant."""
    if not isinstance(error, FileNotFoundError):
        return ""
    try:
        names = [each.name for each in path.parent.iterdir() if each.is_file()]
    except OSError:
        return ""
    near = nearest(path.name, names)
    return near if near.startswith("did you mean") else ""
