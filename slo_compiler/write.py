"""Put verified files in place: all or none of them, only what changed, only what is ours.

All new files are first written beside their places, under names that no server's glob matches, and
flushed to disk; only then is each renamed over the old one, the lock file last. So a full disk
changes nothing, and a run that is killed among the renames leaves whole files, old and new, which
the next run completes. What a killed run left behind is cleared by the next.

Decision: the lock file knows what each file was, so that one edited by hand is not overwritten in
silence. The new lock is staged with all others, and is the journal of a killed run: what it names
was written by us, too.

Decision: a file is ours if it begins with our mark, whether or not the lock file names it. A killed
run has written files that no lock names yet, and Prometheus would evaluate them for good.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report
from slo_compiler.emit.artefact import Artefact

MARK = naming.MARK
_TEMPORARY = ".slo-compiler-tmp"
_JOURNAL = f".{naming.LOCK_FILE}{_TEMPORARY}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What a compile does to the output folder, by path relative to it."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    leftovers: tuple[str, ...] = ()  # temporary files of a killed run
    foreign: tuple[str, ...] = ()  # others' files among the rules, which a deploy would load

    @property
    def any(self) -> bool:
        """Whether the folder is out of date."""
        return bool(self.added or self.changed or self.removed or self.leftovers)

    @property
    def removed_tenants(self) -> dict[str, str]:
        """Tenants all of whose rules go, and the file of each."""
        tenants = ((naming.tenant_of(path), path) for path in self.removed)
        return {tenant: path for tenant, path in tenants if tenant}


def compare(
    folder: Path, artefacts: Sequence[Artefact], report: Report, *, force: bool = True
) -> Changes:
    """Compare the output folder with what it should hold; foreign files in the way are errors.

    Without `force`, so are files of ours that were edited since, and would be replaced or removed.
    """
    written = _written(folder)
    added, changed, unchanged = [], [], []
    is_inside = _inside(folder)
    for artefact in artefacts:
        if not is_inside(artefact.path):
            report.error(
                Position(str(folder / artefact.path)),
                "outside-output",
                "a link leads this file out of the output folder",
                "remove the link, or choose another output folder",
            )
            continue
        there = _read(folder / artefact.path)
        if there is None:
            added.append(artefact.path)
        elif _digest(there) == artefact.digest:
            unchanged.append(artefact.path)
        else:
            changed.append(artefact.path)
            if not _is_ours(artefact.path, there):
                report.error(
                    Position(str(folder / artefact.path)),
                    "foreign-file",
                    "the compiler did not write this file, and will not replace it",
                    "move it, or choose another output folder",
                )
            elif not force:
                _refuse_edited(folder, artefact.path, there, written, report)
    removed = _stale(folder, artefacts, written, report, force=force)
    wanted = {artefact.path for artefact in artefacts}
    leftovers = tuple(_leftovers(folder, _parts(folder, wanted)))
    foreign = tuple(path for path in _rules(folder) if path not in {*wanted, *removed})
    return Changes(
        tuple(added), tuple(changed), tuple(removed), tuple(unchanged), leftovers, foreign
    )


def _parts(folder: Path, wanted: Iterable[str]) -> set[Path]:
    """Give the parts of the folder that we write to, or wrote to."""
    locked = filter(_inside(folder), _locked_outputs(folder))
    return {Path(path).parent for path in (*wanted, *locked)}


def _stale(
    folder: Path,
    artefacts: Sequence[Artefact],
    written: Mapping[str, set[str]],
    report: Report,
    *,
    force: bool,
) -> list[str]:
    """List the files of ours that no manifest makes any more."""
    wanted = {artefact.path for artefact in artefacts}
    locked = filter(_inside(folder), _locked_outputs(folder))
    removed = []
    for path in sorted({*locked, *_marked(folder, _parts(folder, wanted))} - wanted):
        if not os.path.isfile(folder / path):  # noqa: PTH113  (Path.is_file raises on long names)
            continue
        content = _read(folder / path) or b""
        if _is_ours(path, content):
            removed.append(path)
            if not force:
                _refuse_edited(folder, path, content, written, report)
        else:
            report.warning(
                Position(str(folder / path)),
                "stale-file",
                "no manifest makes this file any more, but it is not as the compiler wrote it",
                "remove it by hand",
            )
    return removed


def write(folder: Path, artefacts: Sequence[Artefact], changes: Changes) -> None:
    """Bring the output folder up to date; unchanged files keep their time of change.

    Raises:
        OSError: with the name of the file; nothing was changed if it is raised before the renames.
    """
    with _exclusive(folder):
        # The journal of a killed run goes last: until then it says which files are ours.
        parts = {Path(artefact.path).parent for artefact in artefacts}
        _remove(folder, {*_leftovers(folder, parts), *changes.leftovers} - {_JOURNAL})
        # The lock comes last, so that it never names what is not there.
        ordered = sorted(artefacts, key=lambda artefact: artefact.path == naming.LOCK_FILE)
        staged: list[tuple[Path, Path]] = []
        try:
            for artefact in ordered:
                # Compared again: another compile may have written since.
                path = folder / artefact.path
                there = _read(path)
                if there is None or _digest(there) != artefact.digest:
                    staged.append((_temporary(path), path))
                    _stage(path, artefact.text.encode())
        except BaseException:
            for temporary, _ in staged:
                temporary.unlink(missing_ok=True)
            raise
        for temporary, place in staged[:-1]:
            temporary.replace(place)
        _remove(folder, changes.removed)
        _flush_folders(place.parent for _, place in staged[:-1])
        for temporary, place in staged[-1:]:
            temporary.replace(place)
        _flush_folders(place.parent for _, place in staged[-1:])
        _remove(folder, [_JOURNAL])


def diff(folder: Path, artefacts: Sequence[Artefact], changes: Changes) -> Iterator[str]:
    """Give the unified diff from the output folder to what it should hold, line by line."""
    new = {artefact.path: artefact.text for artefact in artefacts}
    for path in sorted([*changes.added, *changes.changed, *changes.removed]):
        before = (_read(folder / path) or b"").decode("utf-8", "replace")
        yield from unified_diff(
            before.splitlines(keepends=True),
            new.get(path, "").splitlines(keepends=True),
            "/dev/null" if path in changes.added else f"a/{path}",
            "/dev/null" if path in changes.removed else f"b/{path}",
        )


def lock(inputs: Mapping[str, str], outputs: Sequence[Artefact], facts: object) -> Artefact:
    """Build the audit record: digests of every input and output, versions, counts."""
    record = {
        "lock": 1,
        **(facts if isinstance(facts, dict) else {}),
        "inputs": dict(sorted(inputs.items())),
        "outputs": {a.path: a.digest for a in sorted(outputs, key=lambda a: a.path)},
    }
    return Artefact(naming.LOCK_FILE, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Let one compile at a time write into a folder; the system drops the lock of a killed one."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}{_TEMPORARY}")


def _stage(path: Path, content: bytes) -> None:
    """Write a file beside its place, to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    temporary.unlink(missing_ok=True)  # never through a link that somebody put there
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _flush_folders(folders: Iterable[Path]) -> None:
    """Write to the disk which files folders hold, so that renames survive a loss of power."""
    for folder in sorted({*folders}):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):  # some file systems cannot
                os.fsync(handle)
        finally:
            os.close(handle)


def _remove(folder: Path, paths: Iterable[str]) -> None:
    for path in paths:
        (folder / path).unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        return b""  # somebody's, and not ours


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _marked(folder: Path, parts: Iterable[Path]) -> Iterator[str]:
    """Give the files with our mark in the parts of the folder that we write to."""
    for part in parts:
        for file in (folder / part).glob("[!.]*.y*ml"):
            if file.is_file() and not file.is_symlink():
                with file.open("rb") as opened:
                    if _is_ours("", opened.read(len(MARK))):
                        yield (part / file.name).as_posix()


def _leftovers(folder: Path, parts: Iterable[Path]) -> Iterator[str]:
    """Give the temporary files that a killed run left behind."""
    for part in sorted(parts):
        for file in sorted((folder / part).glob(f".*{_TEMPORARY}")):
            yield (part / file.name).as_posix()


def _is_ours(path: str, content: bytes) -> bool:
    if path == naming.LOCK_FILE:
        return content.startswith(b'{\n  "lock":')
    return content.startswith(MARK.encode())


def _inside(folder: Path) -> Callable[[str], bool]:
    """Give a test whether a path, such as a lock file's, which anyone may edit, is inside."""
    root = os.path.realpath(folder)
    parents: dict[str, bool] = {}

    def holds(path: str) -> bool:  # unlike Path.resolve, no exception on a loop
        return Path(os.path.realpath(path)).is_relative_to(root)

    def is_inside(path: str) -> bool:
        whole = os.path.join(root, path)  # noqa: PTH118  (a Path would drop what is to be tested)
        parent, name = os.path.split(whole)
        if name in ("", os.curdir, os.pardir) or os.path.islink(whole):  # noqa: PTH114
            return holds(whole)
        if parent not in parents:
            parents[parent] = holds(parent)
        return parents[parent]

    return is_inside


def _written(folder: Path) -> dict[str, set[str]]:
    """Give the digests of what we last wrote to each path, those of a killed run included."""
    digests: dict[str, set[str]] = {}
    for name in (naming.LOCK_FILE, _JOURNAL):
        for path, digest in _locked_outputs(folder, name).items():
            digests.setdefault(path, set()).add(digest)
    return digests


def _refuse_edited(
    folder: Path, path: str, content: bytes, written: Mapping[str, set[str]], report: Report
) -> None:
    known = written.get(path)
    if known and _digest(content) not in known:
        report.error(
            Position(str(folder / path)),
            "edited-file",
            "this generated file was edited since it was written",
            "take the change into the manifest, then overwrite the file with --force",
        )


def _rules(folder: Path) -> Iterator[str]:
    """Give all files that a server would load from the folder of rules."""
    for loaded in naming.LOADED_FOLDERS:
        for file in sorted((folder / loaded).glob("[!.]*")):
            if file.suffix in (".yml", ".yaml"):
                yield f"{loaded}/{file.name}"


def read_lock(folder: Path, name: str = naming.LOCK_FILE) -> dict[str, object]:
    """Read the audit record of the last compile; empty where there is none that can be read."""
    path = folder / name
    content = None if path.is_symlink() else _read(path)
    try:
        record = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _locked_outputs(folder: Path, name: str = naming.LOCK_FILE) -> dict[str, str]:
    outputs = read_lock(folder, name).get("outputs", {})
    if not isinstance(outputs, dict):
        return {}
    return {k: v for k, v in outputs.items() if isinstance(v, str) and "\0" not in k}
