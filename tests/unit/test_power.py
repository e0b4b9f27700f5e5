"""A loss of power leaves whole files, and the next compile knows them: what is flushed when?"""

# ruff: noqa: ANN401  (it replaces functions of the standard library)

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from writing import LOCK, NEW, OLD, OTHER, State, compile_into, served, whole

from slo_compiler.write import place


class Disk:
    """Records what a write does, and gives every state that a loss of power may leave.

    A file's content is on the disk once it is flushed. Of the changes of a folder, those since its
    last flush may be there up to any one of them, whatever is there of other folders.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, dict[str, str]] = {}  # folder, name, content
        self.pending: dict[str, list[dict[str, str]]] = {}  # entries after each change
        self.flushed: set[str] = set()  # contents
        self.following = threading.RLock()  # one change at a time
        for each in (folder, *folder.rglob("*")):
            if each.is_dir():
                self._sync(each)
        self.flushed |= {text for names in self.entries.values() for text in names.values()}

    def states(self) -> Iterator[dict[str, str]]:
        """Give what may be there after a loss of power now: files by path."""
        places = sorted(self.entries)
        choices = [[self.entries[place], *self.pending.get(place, [])] for place in places]
        for chosen in itertools.product(*choices):
            by_folder = dict(zip(places, chosen, strict=True))
            yield {
                f"{place}/{name}".removeprefix("./"): text if text in self.flushed else "torn"
                for place, names in by_folder.items()
                if self._reachable(place, by_folder)
                for name, text in names.items()
                if text != "folder"
            }

    @staticmethod
    def _reachable(place: str, by_folder: dict[str, dict[str, str]]) -> bool:
        here = Path(place)
        return all(
            by_folder[each.parent.as_posix()].get(each.name) == "folder"
            for each in (here, *here.parents)
            if each != Path()
        )

    def changed(self, path: Path) -> None:
        """Note what is in the folder of a path now."""
        place = path.parent.relative_to(self.folder).as_posix()
        self.pending.setdefault(place, []).append(self._listed(path.parent))
        self.entries.setdefault(place, {})

    def synced(self, path: Path) -> None:
        """Note that a file or folder is on the disk."""
        if path.is_dir():
            self._sync(path)
        else:
            self.flushed.add(path.read_text())

    def _sync(self, folder: Path) -> None:
        place = folder.relative_to(self.folder).as_posix()
        self.entries[place] = self._listed(folder)
        self.pending[place] = []

    @staticmethod
    def _listed(folder: Path) -> dict[str, str]:
        found = [*folder.iterdir()]
        return {each.name: "folder" if each.is_dir() else each.read_text() for each in found}

    def record(self, patch: pytest.MonkeyPatch, note: Callable[[], None]) -> None:
        """Follow all changes; `note` is called after each."""
        for name, which in (("replace", 1), ("unlink", 0), ("mkdir", 0), ("rmdir", 0), ("link", 1)):
            patch.setattr(os, name, self._watched(getattr(os, name), which, note))
        real_open, real_fsync = io.open, os.fsync

        def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if "x" not in mode:
                return real_open(file, mode, *args, **kwargs)
            with self.following:
                result = real_open(file, mode, *args, **kwargs)
                self.changed(Path(file))
                note()
            return result

        def fsync(handle: int) -> None:
            with self.following:
                real_fsync(handle)
                self.synced(Path(f"/proc/self/fd/{handle}").readlink())
                note()

        patch.setattr(io, "open", opened)
        patch.setattr(os, "fsync", fsync)

    def _watched(
        self, real: Callable[..., Any], which: int, note: Callable[[], None]
    ) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.following:
                try:
                    return real(*args, **kwargs)
                finally:
                    path = Path(args[which])
                    if path.parent.is_relative_to(self.folder) and path.parent.is_dir():
                        self.changed(path)
                    note()

        return call


@pytest.mark.parametrize("at_once", [1, 8])
@pytest.mark.parametrize(("before", "after"), [(OLD, NEW), (NEW, OTHER), ([], OLD)])
def test_write_and_a_loss_of_power_anywhere_leaves_whole_files_that_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: State, after: State, at_once: int
) -> None:
    monkeypatch.setattr(place, "_AT_ONCE", at_once)
    out = tmp_path / "out"
    out.mkdir()
    if before:
        compile_into(out, before)
    disk, states = Disk(out), set[tuple[tuple[str, str], ...]]()
    with pytest.MonkeyPatch.context() as patch:
        disk.record(patch, lambda: states.update(tuple(sorted(f.items())) for f in disk.states()))
        compile_into(out, after)
    # Several threads may flush in an order that passes through fewer states: one has them all.
    assert len(states) > (8 if at_once == 1 else len(after))
    for found in states:
        _check(dict(found), whole(before), whole(after))


def _check(found: dict[str, str], old: dict[str, str], new: dict[str, str]) -> None:
    """Each file is whole, and in a lock file or journal; the lock file names what is there."""
    texts = [text for path, text in found.items() if path.startswith((f".{LOCK}", LOCK))]
    records = [json.loads(text)["outputs"] for text in texts if text != "torn"]
    read = served(found)
    for path, text in read.items():
        assert text in {old.get(path), new.get(path)}, path
        digest = hashlib.sha256(text.encode()).hexdigest()
        assert path == LOCK or digest in {record.get(path) for record in records}, path
    assert read.keys() >= old.keys() & new.keys()
    if found.get(LOCK) == new[LOCK]:
        assert read == new
