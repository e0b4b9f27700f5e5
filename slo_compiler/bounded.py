"""Work of one file that is ended when it takes more CPU time or memory than it may.

A timer of CPU time decides, so that a busy machine ends nothing sooner. It is read between steps of
Python: one call into a library is not cut short, which is why lengths and patterns have limits of
their own. Timers and signals are those of the main thread; in other threads, and where a profiler
has the timer, nothing is bounded.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_EVERY_SECONDS = 0.05  # of CPU time
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of what getrusage gives


class LimitExceeded(BaseException):
    """The work was ended: which limit it exceeded; no `except Exception` on its way takes it."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit  # "cpu_seconds" or "memory_megabytes"


@contextmanager
def bounded(cpu_seconds: int, memory_megabytes: int) -> Iterator[None]:
    """End what is done meanwhile when it takes too much.

    Args:
        cpu_seconds: CPU time of this process.
        memory_megabytes: by how much the peak of its memory may grow.

    Raises:
        LimitExceeded: it took more.
    """
    if not _is_possible():
        yield
        return
    until, most = time.process_time() + cpu_seconds, _peak() + memory_megabytes * 1_000_000

    def look(_number: int, _frame: object) -> None:
        """Raise each time that it is too much: what is raised in a finalizer is lost."""
        if time.process_time() > until:
            raise LimitExceeded("cpu_seconds")
        if _peak() > most:
            raise LimitExceeded("memory_megabytes")

    before = signal.signal(signal.SIGPROF, look)
    try:
        signal.setitimer(signal.ITIMER_PROF, _EVERY_SECONDS, _EVERY_SECONDS)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _is_possible() -> bool:
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    )


def _peak() -> int:
    """Give the most memory that this process ever had, in bytes."""
    import resource  # noqa: PLC0415  (Windows has none)

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT
