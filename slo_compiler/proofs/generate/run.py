"""One test of a round: its input series, and a value that must be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.proofs.generate.subject import (
    SLOUnderTest,
    TestBatch,
    alike,
    names_of,
    origins_of,
)
from slo_compiler.proofs.generate.timeline import MINUTE, Timeline, inputs
from slo_compiler.proofs.model import Check, UnitTest


def unit_test(
    name: str,
    batch: TestBatch,
    timelines: dict[str, Timeline],
    checks: Sequence[Check],
    timing: burn.Timing,
    why: Sequence[str] = (),
    *,
    about: Sequence[SLOUnderTest] = (),
    raw: bool = True,
    decoys: bool = False,
    without_part: bool = False,
) -> UnitTest:
    """Give one test of a round's SLOs, each with its own timeline.

    Args:
        name: what the test shows.
        batch: the SLOs in the run.
        timelines: what happens to each, by its name.
        checks: what must be seen when.
        timing: spans of the tenant's rules.
        why: the arithmetic, line by line.
        about: the SLOs whose lines a failure names; all of the round unless given.
        raw: whether to feed counters, where they could be derived, or the base pair.
        decoys: whether to feed the counters that each matcher keeps out, too.
        without_part: whether to leave out the counters of errors, or of good events.
    """
    interval = timing.scrape if raw else MINUTE
    series: dict[str, str] = {}
    for subject in batch.subjects:
        timeline = timelines[subject.name]
        kept_out = batch.decoys[subject.labels] if decoys else ()
        for one, values in inputs(subject, kept_out, timeline, interval, raw=raw):
            series.setdefault(one, values)
        if without_part and subject.fed is not None:
            # Whatever the part's query selects, errors or good events, has never been seen.
            for counter in filter(subject.fed.is_part, subject.counters):
                series.pop(str(counter), None)
    based = [s for s in batch.subjects if not raw or s.fed is None]
    some = f": {names_of(based)}" if len(based) < len(batch.subjects) else ""
    note = [f"starts from the base pair{some}"] if based else []
    origin = origins_of(about or batch.subjects)
    return UnitTest(name, origin, (*why, *note), interval, tuple(series.items()), tuple(checks))


def holds(
    at: Duration, batch: TestBatch, values: Iterable[tuple[SLOUnderTest, tuple[str, str]]]
) -> Iterator[Check]:
    """Expect a value of a series of each SLO, to a millionth.

    Floats differ by less between Prometheus 2.x and 3.x.
    """
    for (series, number), group, names in alike(values):
        fits = f"abs({{}} / {number} - 1) < 1e-6"
        yield batch.measured(at, series, fits, group, f"{series} of {names} is {number}")
