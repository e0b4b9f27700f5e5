"""Run a tool: one way, one time limit, one message, and no process that outlives this one.

It needs the standard library only, because `slo_compiler.tools` runs before anything is installed.

Decision: each tool gets a process group of its own, and the whole group is ended, because a tool
may be a script that starts others. A terminal's Ctrl-C then reaches this process alone, which
passes it on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

Result = TypeVar("Result")

LIMIT_SECONDS = 60.0  # for a tool that answers at once; proofs have limits of their own
_WAKE_SECONDS = 0.2  # at most so long after a signal tools still run
_GRACE_SECONDS = 1.0  # between the request to end and the end
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Done:
    """What a tool printed, and its exit code; a tool that a signal ended has a negative one."""

    code: int
    stdout: str
    stderr: str = ""  # empty where it was merged into stdout

    @property
    def output(self) -> str:
        """All that it printed."""
        return self.stdout + self.stderr


class ProcessError(RuntimeError):
    """A tool could not be started, or gave no answer in time; the message names it."""


class Interrupted(SystemExit):
    """This process got a signal to end; the exit code is 128 and the signal's number."""

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(128 + number)


class _State:
    """The tools that run now, and the signal that ends this process."""

    def __init__(self) -> None:
        self.running: set[subprocess.Popen[bytes]] = set()
        self.signal: int | None = None
        self.starting = threading.local()


_STATE = _State()


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    limit: float = LIMIT_SECONDS,
    environment: Mapping[str, str] | None = None,
    merged: bool = True,
) -> Done:
    """Run a command to its end; its output is decoded, and what is not UTF-8 replaced.

    Args:
        command: the program and its arguments; no shell reads them.
        folder: where it runs.
        limit: seconds after which it and all that it started are ended.
        environment: its variables; by default this process's own.
        merged: whether stderr is read with stdout, in the order in which both were written.

    Raises:
        ProcessError: it could not be started, or gave no answer in time.
        Interrupted: this process got a signal to end meanwhile.
    """
    name = Path(command[0]).name
    process = _start(command, folder, environment, None, merged=merged)
    try:
        _end_if_interrupted()
        stdout, stderr = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        raise ProcessError(f"{name} gave no answer within {limit:g} s") from None
    finally:
        # The group, not the process alone: what a tool left running would keep our pipes open.
        _end(process)
        _STATE.running.discard(process)
    _end_if_interrupted()
    return Done(process.returncode, _text(stdout), _text(stderr or b""))


@contextmanager
def serving(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for as long as the block lasts; what it prints goes to a file.

    Raises:
        ProcessError: it could not be started.
        Interrupted: this process got a signal to end meanwhile.
    """
    process = _start(command, None, None, log, merged=True)
    try:
        _end_if_interrupted()
        yield process
    finally:
        _end(process)
        _STATE.running.discard(process)


def _start(
    command: Sequence[str | Path],
    folder: Path | None,
    environment: Mapping[str, str] | None,
    log: Path | None,
    *,
    merged: bool,
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own; its output goes to pipes, or to a file."""
    words = [str(part) for part in command]
    _STATE.starting.now = True
    try:
        _end_if_interrupted()
        with ExitStack() as stack:
            out = stack.enter_context(log.open("wb")) if log else subprocess.PIPE
            process = subprocess.Popen(
                words,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT if merged else subprocess.PIPE,
                process_group=0,
            )
        _STATE.running.add(process)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProcessError(f"{words[0]} could not be started: {reason}") from error
    finally:
        _STATE.starting.now = False
    return process


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End all tools when this process gets SIGINT, SIGTERM or SIGHUP, and raise Interrupted.

    A signal that is ignored stays ignored (nohup). Outside of the main thread this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, _interrupted)
        for number in _SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _STATE.signal = None


@contextmanager
def held() -> Iterator[None]:
    """Let no signal end a block half way: one that came meanwhile ends it when it is over.

    A pool that is interrupted while it starts a thread does not know that thread, and waits for it
    no more.

    Raises:
        Interrupted: this process got a signal to end meanwhile.
    """
    _STATE.starting.now = True
    try:
        yield
    finally:
        _STATE.starting.now = False
    _end_if_interrupted()


def in_parallel(
    jobs: Sequence[Callable[[], Result]], workers: int | None = None
) -> Iterator[Result]:
    """Do jobs that run tools, one for each processor at a time, and give each result as it comes.

    A signal that arrives just before a wait without limit does not end that wait: so each has one.

    Args:
        jobs: what one raises ends all; those that wait are left out.
        workers: how many at a time; by default as many as there are processors.

    Raises:
        Interrupted: this process got a signal to end meanwhile.
    """
    if len(jobs) < 2:  # noqa: PLR2004
        yield from (job() for job in jobs)
        return
    # Imported late: most compiles run each tool once.
    from concurrent.futures import (  # noqa: PLC0415
        FIRST_COMPLETED,
        ThreadPoolExecutor,
        wait,
    )

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        try:
            with held():
                left = {pool.submit(job) for job in jobs}
            while left:
                done, left = wait(left, timeout=_WAKE_SECONDS, return_when=FIRST_COMPLETED)
                for each in done:
                    yield each.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _interrupted(number: int, _frame: FrameType | None) -> None:
    """Handle a signal: end the tools; the main thread leaves by an exception."""
    _STATE.signal = number
    for process in [*_STATE.running]:
        _signal_group(process, signal.SIGTERM)
    if not getattr(_STATE.starting, "now", False):  # else it is raised when that is over
        raise Interrupted(number)


def _end_if_interrupted() -> None:
    if _STATE.signal is not None:
        raise Interrupted(_STATE.signal)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all of its group, politely first; close what it wrote to."""
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        until = time.monotonic() + _GRACE_SECONDS
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
    _signal_group(process, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it has ended, or became another user's
        os.killpg(process.pid, number)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
