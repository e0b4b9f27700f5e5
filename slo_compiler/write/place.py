"""How are all files put in place, or none of them?

The order is what makes a kill or a loss of power harmless: journal, flush, new files, flush each,
renames, removals, flush the folders, lock file, flush. Each old file is kept under a temporary name
until the end, as a second name of the same file, so that an error amid the renames can be undone.

New files are written and flushed a few at a time, in threads: a disk takes as long for one flush as
for several that wait for it together.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from slo_compiler import naming
from slo_compiler.emit.artefact import Artefact
from slo_compiler.write.changes import Changes
from slo_compiler.write.locking import make, remove_empty
from slo_compiler.write.owned import digest, read, temporary
from slo_compiler.write.record import journal, journals, written

_AT_ONCE = 8  # files that are flushed together; more are no faster
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_HALF = "; some files of the folder are new and others old: correct this and compile again"


def write(folder: Path, artefacts: Sequence[Artefact], changes: Changes) -> None:
    """Bring the output folder up to date; unchanged files keep their time of change.

    Args:
        folder: the output folder, which is this compile's alone: see `exclusive`.
        artefacts: what it should hold.
        changes: what `compare` found since.

    Raises:
        OSError: with the name of the file; the folder is as it was, unless the message says more.
    """
    stage = _Stage(
        folder, journals(folder), [folder / Path(path).parent for path in written(folder)]
    )
    _remove(folder, {*changes.leftovers} - {*stage.journals})
    try:
        new = {*changes.added, *changes.changed}
        wanted = sorted((each for each in artefacts if each.path in new), key=lambda a: a.path)
        # The lock comes first here, as the journal, and is put in place last.
        for artefact in wanted:
            if artefact.path == naming.LOCK_FILE:
                stage.begin(artefact)
        stage.add([each for each in wanted if each.path != naming.LOCK_FILE])
        for path in changes.removed:
            stage.keep(folder / path)
        with _uninterrupted():
            stage.put([folder / path for path in changes.removed])
            stage.finish()
    except BaseException as error:
        with _uninterrupted():
            undone = stage.finished or stage.undo()
        if not undone and isinstance(error, OSError):
            raise OSError(error.errno, f"{error.strerror}{_HALF}", error.filename) from error
        raise


@dataclass(slots=True)
class _Stage:
    """The new files beside their places, the old ones that they replace, and what was done."""

    folder: Path
    journals: Sequence[str]  # of killed runs
    parts: Sequence[Path]  # folders that earlier runs wrote to
    journal: str = ""
    made: list[Path] = field(default_factory=list)  # folders, the deepest last
    new: list[tuple[Path, Path]] = field(default_factory=list)  # temporary name, place
    kept: dict[Path, Path] = field(default_factory=dict)  # place, second name
    done: list[Path] = field(default_factory=list)  # places that changed
    finished: bool = False

    def begin(self, lock: Artefact) -> None:
        """Write the lock file beside its place, as the journal of this run."""
        name, place = journal(self.folder, lock), self.folder / lock.path
        self.journal = name.name
        self.made += reversed(make(place.parent))
        self.new.append((name, place))
        # A journal of the same content stays: without it, what a killed run wrote is not known.
        if not _is_whole(name, lock):
            _write(name, place, lock)
        self.keep(place)
        _flush_folders([self.folder])

    def add(self, artefacts: Sequence[Artefact]) -> None:
        """Write files beside their places, to the disk, and keep what is in their places."""
        places = [self.folder / artefact.path for artefact in artefacts]
        for parent in sorted({place.parent for place in places}):
            self.made += reversed(make(parent))
        names = [*map(temporary, places)]
        self.new += zip(names, places, strict=True)
        _write_all(names, places, artefacts)
        for place in places:
            self.keep(place)

    def keep(self, place: Path) -> None:
        """Give the file in a place a second name, if there is one."""
        if not os.path.lexists(place):
            return
        second = temporary(place, ".old")
        with _named(place):
            second.unlink(missing_ok=True)
            self.kept[place] = second
            _link(place, second)

    def put(self, removed: Sequence[Path]) -> None:
        """Rename all files to their places, and remove those of no manifest; the lock is last."""
        ordered = sorted(self.new, key=lambda each: each[0].name == self.journal)
        last = [each for each in ordered if each[0].name == self.journal]
        for name, place in ordered[: len(ordered) - len(last)]:
            self._rename(name, place)
        for place in removed:
            with _named(place):
                place.unlink(missing_ok=True)
            self.done.append(place)
        _flush_folders(_with_parents(self.folder, [place.parent for place in self.done]))
        for name, place in last:
            self._rename(name, place)
        _flush_folders([self.folder])

    def _rename(self, name: Path, place: Path) -> None:
        with _named(place):
            name.replace(place)
        self.done.append(place)

    def undo(self) -> bool:
        """Put everything back as it was; gives whether that was possible."""
        undone = True
        for place in reversed(self.done):
            try:
                if place in self.kept:
                    self.kept[place].replace(place)
                else:
                    place.unlink(missing_ok=True)
            except OSError:
                undone = False
        for name, _ in self.new:
            if undone or name.name != self.journal:
                with suppress(OSError):
                    name.unlink(missing_ok=True)
        self._clear()
        remove_empty([*reversed(self.made)])
        return undone

    def finish(self) -> None:
        """Remove what was kept, the journals of killed runs, and folders that are empty now."""
        self.finished = True
        self._clear()
        with suppress(OSError):  # the next run removes them
            _remove(self.folder, [name for name in self.journals if name != self.journal])
        remove_empty(_with_parents(self.folder, self.parts))

    def _clear(self) -> None:
        for second in self.kept.values():
            with suppress(OSError):  # the next run removes it
                second.unlink(missing_ok=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold signals back until the end: what is done within takes no time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error name the file that the user knows, not its temporary name, or none."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write_all(
    names: Sequence[Path], places: Sequence[Path], artefacts: Sequence[Artefact]
) -> None:
    """Write files in threads; when this ends, by whatever, no thread writes any more."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (most runs write nothing)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            with _uninterrupted():  # its threads hold signals back for good: they are for this one
                writing = [
                    pool.submit(_write, *each)
                    for each in zip(names, places, artefacts, strict=True)
                ]
            for each in writing:
                each.result()
        except BaseException:
            with _uninterrupted():
                pool.shutdown(cancel_futures=True)
            raise


def _write(name: Path, place: Path, artefact: Artefact) -> None:
    content = artefact.text.encode()
    with _named(place):
        name.unlink(missing_ok=True)  # never through a link that somebody put there
        with name.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _link(place: Path, second: Path) -> None:
    try:
        os.link(place, second, follow_symlinks=False)
    except OSError:  # some file systems have no second names
        shutil.copy2(place, second, follow_symlinks=False)


def _is_whole(name: Path, artefact: Artefact) -> bool:
    """Whether a journal is there already; then it is written to the disk, too."""
    content = None if name.is_symlink() else read(name)
    if content is None or digest(content) != artefact.digest:
        return False
    with name.open("rb") as file:
        os.fsync(file.fileno())
    return True


def _remove(folder: Path, paths: Iterable[str]) -> None:
    for path in paths:
        (folder / path).unlink(missing_ok=True)


def _with_parents(top: Path, folders: Iterable[Path]) -> list[Path]:
    """List folders and those between them and the top, which is the last one; deepest first."""
    found = {each for folder in {*folders} for each in (folder, *folder.parents)}
    within = [each for each in found if each.is_relative_to(top)]
    return sorted(within, key=lambda each: (-len(each.parts), each))


def _flush_folders(folders: Iterable[Path]) -> None:
    """Write to the disk which files folders hold, so that renames survive a loss of power."""
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):  # some file systems cannot
                os.fsync(handle)
        finally:
            os.close(handle)
