"""Reading inputs: files, folders and standard input, each named the same on every machine.

Decision: whatever cannot be listed or read is an error. A folder that is skipped in silence takes
its tenants' alerts out of the output.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from pathlib import Path

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.source import MAX_BYTES, SourceFile

STDIN = "-"
SUFFIXES = (".yaml", ".yml")
MAX_ENTRIES = 100_000  # of one folder: whoever has more has named another folder than was meant


def read_sources(
    paths: Iterable[str],
    root: Path,
    report: Report,
    stdin: Callable[[], bytes] = bytes,
    *,
    skip: Collection[Path] = (),
) -> list[SourceFile]:
    """Read manifests: files, folders (all *.yaml and *.yml below, sorted), or `-` for stdin.

    What cannot be read is an error in `report`; the others are read nevertheless.
    """
    files: dict[Path, SourceFile] = {}
    names: set[str] = set()
    for path in paths:
        if path == STDIN:
            try:
                content = stdin()
            except OSError as error:
                content = b""
                reason = error.strerror or str(error)
                report.error(Position("<stdin>"), "unreadable", f"cannot read stdin: {reason}")
            files[Path(STDIN)] = SourceFile("<stdin>", "stdin", content)
            continue
        folder = _kind(Path(path)) == stat.S_IFDIR
        for found in _expand(Path(path), report, skip):
            real = _real(found)
            if real in files:
                continue
            before = len(report.diagnostics)
            content = read_bytes(found, report)
            if len(report.diagnostics) > before:
                continue
            if folder and content.startswith(naming.MARK.encode()):
                continue  # what we generated is no manifest, wherever it lies
            name = name_of(found, root, names)
            names.add(name)
            files[real] = SourceFile(str(found), name, content)
    return list(files.values())


def list_sources(
    paths: Iterable[str], report: Report, *, skip: Collection[Path] = ()
) -> list[Path]:
    """List the files that `read_sources` reads.

    Raises:
        CompileError: with all findings, if something cannot be listed.
    """
    found = [each for path in paths for each in _expand(Path(path), report, skip)]
    report.raise_if_failed()
    return found


def _expand(path: Path, report: Report, skip: Collection[Path]) -> Iterator[Path]:
    if _kind(path) != stat.S_IFDIR:
        if has_good_name(str(path), report):
            yield path
        return
    top, left_out = _real(path), {_real(each) for each in skip}
    own = Report()
    found = sorted(_walk(path, own, left_out))
    too_large = [each for each in own.diagnostics if each.id == "source-too-large"]
    report.extend(too_large or own.diagnostics)
    if too_large:
        return  # another folder was meant: nothing of it is read
    if not found and not own.diagnostics:
        report.error(
            Position(str(path)),
            "no-manifests",
            "the folder holds no manifest",
            "a manifest is a *.yaml or *.yml file; `slo-compiler init` writes a first one",
        )
    for file in found:
        if not has_good_name(str(file), report):
            continue
        if _real(file).is_relative_to(top):
            yield file
        else:  # what is read may be shown in a report, and manifests are not ours
            report.error(
                Position(str(file)),
                "symlink-outside",
                "this link leads out of the folder of manifests",
                "put the manifest itself here, or name its file as a source",
            )


def _walk(top: Path, report: Report, left_out: Container[Path]) -> Iterator[Path]:
    """List the manifests below a folder; a folder that cannot be listed is an error."""

    def refuse(error: OSError) -> None:
        reason = error.strerror or str(error)
        report.error(
            Position(os.fspath(error.filename)),
            "unreadable",
            f"cannot list this folder: {reason}",
            "its manifests would be missing; make it readable, or take it out of the sources",
        )

    entries = 0
    for folder, names, files in os.walk(top, onerror=refuse):
        entries += len(names) + len(files)
        if entries > MAX_ENTRIES:
            report.error(
                Position(str(top)),
                "source-too-large",
                f"the folder holds more than {MAX_ENTRIES:,} files",
                "name the folder of the manifests",
            )
            return
        here = Path(folder)
        for name in sorted(names):
            link = here / name
            if link.is_symlink() and not name.startswith("."):
                yield from _linked(link, top, report)
        names[:] = sorted(
            name
            for name in names
            if not name.startswith(".") and _real(here / name) not in left_out
        )
        for name in files:
            if name.endswith(SUFFIXES) and not name.startswith("."):
                file = here / name
                if _real(file) not in left_out:
                    yield file


def _linked(link: Path, top: Path, report: Report) -> Iterator[Path]:
    """Refuse a link to a folder elsewhere; one to a folder below `top` is read at its place."""
    if not _real(link).is_relative_to(_real(top)):
        report.error(
            Position(str(link)),
            "symlink-outside",
            "this link leads out of the folder of manifests",
            "put the folder itself here, or name it as a source",
        )
    return iter(())


def has_good_name(name: str, report: Report) -> bool:
    """Report a file's name that cannot be written into the output."""
    if name.isprintable():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        what = "the file's name is not UTF-8"
    else:  # it would be in a comment of the output, and a line break ends a comment
        what = "the file's name holds a control character"
    report.error(Position(name), "file-name", what, "rename it")
    return False


def _kind(path: Path) -> int:
    """Return the kind of a file as `stat` names it; 0 if there is none."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except (OSError, ValueError):  # a name may be too long, or have a NUL
        return 0


def _real(path: Path) -> Path:
    """Follow all links; unlike Path.resolve, a loop of links is no exception."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path.absolute()


def name_of(path: Path, root: Path, taken: Container[str] = ()) -> str:
    """Name a file the same on every machine: relative to the project, else by its last part.

    Of two files outside of the project with the same last part, the second is named by more.
    """
    real, top = _real(path), _real(root)
    if real.is_relative_to(top):
        return real.relative_to(top).as_posix()
    names = ("/".join(real.parts[-n:]) for n in range(1, len(real.parts)))
    return next((name for name in names if name not in taken), str(real))


def read_inside(
    top: Path, folder: Path, name: str, report: Report, at: Position
) -> SourceFile | None:
    """Read a file that another file names, relative to a folder; it is below `top`, or an error."""
    path = folder / name
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        help_ = "name it relative to the file that names it, without .."
        report.error(at, "file-outside", f'"{name}" may be anywhere', help_)
        return None
    if not _real(path).is_relative_to(_real(top)):
        report.error(
            at,
            "symlink-outside",
            f'"{name}" leads out of the folder {top}',
            "put the file itself there",
        )
        return None
    before = len(report.diagnostics)
    content = read_bytes(path, report, at)
    if len(report.diagnostics) > before:
        return None
    return SourceFile(str(path), name_of(path, top), content)


def read_bytes(path: Path, report: Report, at: Position | None = None) -> bytes:
    """Read a file; one that cannot be read is an error at `at`, or at the file itself.

    What is no regular file is refused: a pipe may never answer, and a device never end.
    """
    what = f"{path}" if at else "it"
    try:
        # Without O_NONBLOCK, to open a pipe waits until something writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:  # noqa: PTH123  (it is a descriptor)
            kind = stat.S_IFMT(os.fstat(handle).st_mode)
            if kind == stat.S_IFDIR:
                raise IsADirectoryError(21, "Is a directory")
            if kind != stat.S_IFREG:
                report.error(
                    at or Position(str(path)),
                    "unreadable",
                    f"cannot read {what}: it is no regular file",
                    "pass its text as - on stdin",
                )
                return b""
            return file.read(MAX_BYTES + 1)  # what is longer is refused
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot read {what}: {reason}"
        report.error(at or Position(str(path)), "unreadable", message, _nearest_file(path, error))
        return b""


def _nearest_file(path: Path, error: OSError | ValueError) -> str:
    """Name the file of the same folder that was probably meant."""
    if not isinstance(error, FileNotFoundError):
        return ""
    try:
        names = [each.name for each in path.parent.iterdir() if each.is_file()]
    except OSError:
        return ""
    near = nearest(path.name, names)
    return near if near.startswith("did you mean") else ""
