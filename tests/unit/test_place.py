"""All files are put in place or none, whatever ends a run: errors, signals, kills."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import ROOT
from writing import NEW, OLD, OTHER, State, compile_into, served, state, touching, tree, whole

from slo_compiler import write
from slo_compiler.diagnostics import Report
from slo_compiler.write import exclusive
from slo_compiler.write.locking import PATIENCE_SECONDS

ENVIRONMENT = {"PATH": "/nonexistent", "PYTHONPATH": f"{ROOT}:{ROOT}/tests/support"}


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes its time on a real disk and changes nothing that can be read."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


# --- kills


class Killed(BaseException):
    """What a dead process does not do any more: it comes at every touch after the last one."""


def killed_at_every_point(start: Path, files: State, work: Path) -> Iterator[Path]:
    """Compile, killed at the first, second, ... touch; give each state that it leaves, once."""
    seen = set()
    for point in itertools.count(1):
        folder = work / str(point)
        shutil.copytree(start, folder)
        touches = itertools.count(1)

        def die(_path: object, point: int = point, touches: Iterator[int] = touches) -> None:
            if next(touches) >= point:
                raise Killed

        killed = False
        with touching(die):
            try:
                compile_into(folder, files)
            except Killed:
                killed = True
        found = tuple(sorted(tree(folder).items()))
        if found not in seen:
            seen.add(found)
            yield folder
        if not killed and next(touches) <= point:
            return


@pytest.mark.processes
def test_write_killed_twice_anywhere_is_healed_by_the_next_run(tmp_path: Path) -> None:
    compile_into(tmp_path / "out", OLD)
    first = [*killed_at_every_point(tmp_path / "out", NEW, tmp_path / "once")]
    assert len(first) > 10
    states = 0
    for index, once in enumerate(first[1::2]):
        after, then = ((OTHER, NEW), (NEW, OLD))[index % 2]
        folder = tmp_path / str(index)
        for twice in killed_at_every_point(once, after, folder):
            states += 1
            for path, text in served(tree(twice)).items():
                assert text in {whole(each).get(path) for each in (OLD, NEW, OTHER)}
            assert compile_into(twice, then) == []
            assert tree(twice) == whole(then)
        shutil.rmtree(folder)
    assert states > 5 * len(first)


# --- errors


class Failing:
    """Makes the nth touch of the file system fail, or all from there on."""

    def __init__(self, number: int, code: int, *, last: bool) -> None:
        self.left, self.code, self.last = number, code, last

    @property
    def failed(self) -> bool:
        return self.left <= 0

    def touch(self, path: object) -> None:
        self.left -= 1
        if self.left == 0 or (self.failed and self.last):
            raise OSError(self.code, os.strerror(self.code), *([path] if path else []))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EXDEV, errno.EROFS])
@pytest.mark.parametrize("last", [False, True], ids=["once", "from then on"])
def test_write_that_fails_anywhere_leaves_all_old_or_all_new(
    tmp_path: Path, code: int, *, last: bool
) -> None:
    compile_into(tmp_path / "out", OLD)
    refused = 0
    for number in itertools.count(1):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "out", folder)
        failing, refusal = Failing(number, code, last=last), OSError()
        with touching(failing.touch):
            try:
                compile_into(folder, NEW)
            except OSError as error:
                refusal = error
        if not failing.failed:
            break
        if refusal.errno:
            refused += 1
            assert refusal.errno == code
            name = Path(refusal.filename).relative_to(folder).as_posix()
            assert name in {*whole(OLD), *whole(NEW), "extra"}
        if not last:
            assert refusal.errno is None or tree(folder) == whole(OLD), number
        if "some files of the folder are new and others old" not in str(refusal):
            assert served(tree(folder)) in (whole(OLD), whole(NEW)), number
        assert compile_into(folder, NEW) == []
        assert tree(folder) == whole(NEW)
    assert refused > 10
    assert tree(folder) == whole(NEW)


@pytest.mark.processes
def test_write_on_a_full_disk_names_the_file(tmp_path: Path) -> None:
    """RLIMIT_FSIZE replaces a full disk: the system itself refuses what is written beyond it."""
    compile_into(tmp_path / "out", OLD)
    large = state(a="2" * 50_000, b="1", c="1")
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from pathlib import Path\n"
        "from writing import compile_into, state\n"
        "try:\n"
        "    compile_into(Path('out'), state(a='2' * 50_000, b='1', c='1'))\n"
        "except OSError as error:\n"
        "    print(error.filename, error.strerror, sep=': ')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        # A module that is compiled under the limit would leave half of itself for later runs.
        env=ENVIRONMENT | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "out/prometheus/rules/a.yml: File too large\n"
    assert tree(tmp_path / "out") == whole(OLD)
    assert compile_into(tmp_path / "out", large) == []


def test_write_where_links_are_not_possible_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_into(tmp_path / "out", OLD)

    def link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    assert compile_into(tmp_path / "out", NEW) == []
    assert tree(tmp_path / "out") == whole(NEW)


def test_write_of_many_files_of_which_one_fails_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_into(tmp_path / "out", OLD)
    flushes = itertools.count(1)

    def full(_handle: int) -> None:
        if next(flushes) == 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        time.sleep(0.05)  # as a disk takes: else all could be written before the failure is seen

    monkeypatch.setattr(os, "fsync", full)
    many = state(**{f"x{number}": str(number) for number in range(100)})
    with pytest.raises(OSError, match=r"No space left on device: '.*/extra/x\d+\.yml'"):
        compile_into(tmp_path / "out", many)
    assert next(flushes) < len(many)
    assert tree(tmp_path / "out") == whole(OLD)


# --- signals


def test_write_threads_hold_signals_back_for_the_main_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a signal could reach one of them while the main thread puts files in place."""
    held = []

    def masked(_handle: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            held.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))

    monkeypatch.setattr(os, "fsync", masked)
    compile_into(tmp_path / "out", OLD)
    assert len(held) == len(OLD) - 1  # the lock file is the journal
    assert all({signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= each for each in held)


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_write_that_a_signal_ends_anywhere_leaves_all_old_or_all_new(
    tmp_path: Path, number: signal.Signals
) -> None:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("ended_write.py"), str(int(number))],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [code for code, _ in lines] == [str(128 + number)] * (len(lines) - 1) + ["0"]
    states = [state for _, state in lines]
    change = states.index("new")
    assert change > 10
    assert states == ["old"] * change + ["new"] * (len(states) - change)


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_compile_that_a_signal_ends_exits_with_its_number(
    tmp_path: Path, number: signal.Signals
) -> None:
    manifest = ROOT / "tests/support/manifests/ratio-errors.yaml"
    script = (
        "import os\n"
        "real = os.fsync\n"
        f"os.fsync = lambda handle: (real(handle), os.kill(os.getpid(), {int(number)}))\n"
        "from slo_compiler.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "compile", manifest, "-o", "out"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 128 + number
    assert done.stderr.endswith(f"slo-compiler: ended by {number.name}\n")
    assert "Traceback" not in done.stderr
    assert [*tmp_path.iterdir()] == []


def test_write_in_a_thread_which_gets_no_signals_leaves_its_mask_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signals reach the main thread only: the mask of another one would hold none back."""
    masked = []
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *given: masked.append(given))
    found: list[list[str]] = []
    writer = threading.Thread(target=lambda: found.append(compile_into(tmp_path / "out", OLD)))
    writer.start()
    writer.join()
    assert found == [[]]
    assert tree(tmp_path / "out") == whole(OLD)
    assert masked == []


# --- one at a time


@pytest.mark.processes
def test_exclusive_waits_for_a_live_process_and_not_for_a_dead_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slo_compiler.write.locking.PATIENCE_SECONDS", 0.2)
    out = tmp_path / "out"
    compile_into(out, OLD)
    script = "import fcntl, os, sys, time; fcntl.flock(os.open('out', 0), fcntl.LOCK_EX); "
    script += "print('locked', flush=True); time.sleep(300)"
    holder = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    waited: list[bool] = []
    with (
        pytest.raises(OSError, match="another compile has it, and did not end in time") as error,
        exclusive(out, lambda: waited.append(True)),
    ):
        pass
    assert error.value.filename == str(out)
    assert waited == [True]
    assert PATIENCE_SECONDS > 30
    holder.kill()
    holder.communicate()
    assert compile_into(out, NEW) == []


def test_exclusive_of_a_folder_that_its_maker_removes_makes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a" / "out"
    real = fcntl.flock
    removed = []

    def flock(handle: int, how: int) -> None:
        if not removed:
            removed.append(out.rmdir())
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    assert compile_into(out, OLD) == []
    assert tree(out) == whole(OLD)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP])
def test_exclusive_where_a_file_system_has_no_locks_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def flock(_handle: int, _how: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    assert compile_into(tmp_path / "out", OLD) == []


def test_exclusive_where_locking_fails_names_the_folder_and_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def flock(handle: int, _how: int) -> None:
        opened.append(handle)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="Input/output error") as error, exclusive(tmp_path / "out"):
        pass
    assert (error.value.errno, error.value.filename) == (errno.EIO, str(tmp_path / "out"))
    (handle,) = opened
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)
    assert [*tmp_path.iterdir()] == []


def test_exclusive_that_writes_nothing_leaves_no_folder(tmp_path: Path) -> None:
    with exclusive(tmp_path / "a" / "out"):
        pass
    assert [*tmp_path.iterdir()] == []


# --- what is in the way


def test_write_into_a_link_to_a_folder_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to("elsewhere")
    for files in (OLD, NEW):
        assert compile_into(tmp_path / "out", files) == []
        assert tree(tmp_path / "elsewhere") == whole(files)
    assert (tmp_path / "out").is_symlink()


def test_compare_with_a_pipe_in_a_files_place_refuses_it(tmp_path: Path) -> None:
    compile_into(tmp_path / "out", OLD)
    place = tmp_path / "out/prometheus/rules/a.yml"
    place.unlink()
    os.mkfifo(place)
    assert compile_into(tmp_path / "out", NEW) == [f"{place} foreign-file"]


def test_compare_calls_foreign_what_a_server_would_load_and_no_manifest_makes(
    tmp_path: Path,
) -> None:
    compile_into(tmp_path / "out", OLD)
    for name in ("mine.yaml", "mine.yml", "notes.txt", ".hidden.yml"):
        (tmp_path / "out/prometheus/rules" / name).write_text("groups: []\n", encoding="utf-8")
    changes = write.compare(tmp_path / "out", OLD, Report())
    assert changes.foreign == ("prometheus/rules/mine.yaml", "prometheus/rules/mine.yml")
    assert not changes.any


def test_write_removes_folders_that_hold_nothing_more(tmp_path: Path) -> None:
    compile_into(tmp_path / "out", NEW)
    assert (tmp_path / "out/extra").is_dir()
    compile_into(tmp_path / "out", OLD)
    assert not (tmp_path / "out/extra").exists()
