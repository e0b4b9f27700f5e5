"""Units spread over the processors: in forked processes where that wins, else one by one."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")

# Work of a few files is done sooner than processes are started for it.
WORTHWHILE_BYTES = 64 * 1024
_CHUNKS = 4  # of work for each process, so that a slow one does not keep the others waiting
_work: list[Callable[[object], object]] = []  # set before the fork, so that it is not pickled


def spread(
    function: Callable[[Item], Result], items: Sequence[Item], total_bytes: int, jobs: int = 0
) -> Iterator[Result]:
    """Apply a function to each item, in order.

    Args:
        function: it may close over anything; its results are pickled.
        items: they are pickled.
        total_bytes: how much input the items hold.
        jobs: how many processes; 0 for one for each processor.
    """
    jobs = jobs or available()
    if jobs < 2 or len(items) < 2 or total_bytes < WORTHWHILE_BYTES:  # noqa: PLR2004
        yield from map(function, items)
        return
    # Imported late: most compiles are of a few files, and these take a twentieth of their time.
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415
    from multiprocessing import get_context  # noqa: PLC0415

    # The first item fills, before the fork, what all processes then have: templates and the like.
    yield function(items[0])
    items = items[1:]
    _work.append(function)  # type: ignore[arg-type]  # of the items below
    try:
        with ProcessPoolExecutor(min(jobs, len(items)), get_context("fork"), _begin) as pool:
            size = max(1, len(items) // (jobs * _CHUNKS))
            try:
                for result in pool.map(_call, items, chunksize=size):
                    yield cast("Result", result)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        _work.pop()


@contextmanager
def without_collector() -> Iterator[None]:
    """Leave the search for cycles off meanwhile, in the processes that are forked, too.

    What a compile makes lives until its end, and holds almost no cycles: to go through all of it
    again and again takes a fifth of the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def available() -> int:
    """Give the number of processors that this process may use; 1 where processes cannot fork."""
    if not hasattr(os, "fork"):
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers


def _call(item: object) -> object:
    return _work[-1](item)
