"""That queries which are added up count, whichever of them is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from slo_compiler.plan import burn
from slo_compiler.plan.sli import BaseQueries
from slo_compiler.promql import Selector
from slo_compiler.proofs.generate.periods import almost
from slo_compiler.proofs.generate.raw import Series, counter_of
from slo_compiler.proofs.generate.subject import SLOUnderTest
from slo_compiler.proofs.generate.timeline import MINUTE
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.schema.sli.base import Second
from slo_compiler.templating import promql_string


@dataclass(frozen=True, slots=True)
class _Counter:
    """A query of a sum, and a counter that it reads."""

    selector: Selector
    series: Series
    per_second: int

    def reads(self, fed: Sequence[_Counter]) -> int:
        """Give the events per second that it selects of what is fed."""
        different = {other.series: other.per_second for other in fed}
        return sum(
            rate
            for series, rate in different.items()
            if self.selector.selects(series.metric, dict(series.labels))
        )


@dataclass(frozen=True, slots=True)
class _Sums:
    """The counters of an SLI's sums."""

    plus: tuple[_Counter, ...]
    minus: tuple[_Counter, ...]
    second: tuple[_Counter, ...]

    @property
    def all(self) -> tuple[_Counter, ...]:
        """All counters."""
        return (*self.plus, *self.minus, *self.second)

    def events(self, fed: Sequence[_Counter]) -> int | None:
        """Give the events per second; None if there is no data."""
        if not any(one.reads(fed) for one in self.plus):
            return None
        added = sum(one.reads(fed) for one in self.plus)
        return added - sum(one.reads(fed) for one in self.minus)

    def counted(self, fed: Sequence[_Counter]) -> int:
        """Give what the second query counts per second."""
        return sum(one.reads(fed) for one in self.second)


def sum_tests(subject: SLOUnderTest, timing: burn.Timing) -> Iterator[UnitTest]:
    """Plan one test for each query of a sum that is missing, and one in which none is."""
    queries = subject.queries
    sums = _sums(queries, subject.slo.sources) if queries is not None else None
    if queries is None or sums is None:
        return
    fed_before: set[frozenset[Series]] = set()
    for missing in (None, *sums.all):
        fed = [one for one in sums.all if missing is None or one.series != missing.series]
        only = [] if missing is None else [missing]
        for present in (fed, only):
            series = frozenset(one.series for one in present)
            if present and series not in fed_before:
                fed_before.add(series)
                yield _test(subject, queries, sums, present, timing)


def _sums(queries: BaseQueries, by: Sequence[str]) -> _Sums | None:
    """Derive a counter for each query; None if nothing is added up or one cannot be derived."""
    parts = (queries.events_terms.plus, queries.events_terms.minus, queries.second_terms.plus)
    if not queries.pair.of_two_counters or (max(map(len, parts)) < 2 and not parts[1]):  # noqa: PLR2004
        return None
    found: list[list[_Counter]] = []
    rates: dict[Series, int] = {}
    for part in parts:
        counters = [counter_of(query, by) for query in part]
        found.append([])
        for counter in counters:
            if counter is None:
                return None
            # Powers of two: no sum of some is that of others.
            rate = rates.setdefault(counter[1], 2 ** (12 - len(rates)))
            found[-1].append(_Counter(*counter, rate))
    if len({tuple(_values(series, by)) for series in rates}) > 1 or len(rates) > 12:  # noqa: PLR2004
        return None
    return _Sums(*map(tuple, found))


def _values(series: Series, by: Sequence[str]) -> list[tuple[str, str]]:
    labels = dict(series.labels)
    return [(label, labels.get(label, "")) for label in by]


def _test(
    subject: SLOUnderTest,
    queries: BaseQueries,
    sums: _Sums,
    fed: Sequence[_Counter],
    timing: burn.Timing,
) -> UnitTest:
    at, scrape = MINUTE * 5, Fraction(timing.scrape.ms, 1000)
    rates = {one.series: one.per_second for one in fed}
    count = at.ms // timing.scrape.ms + 4
    events_series, errors_series = subject.counted
    by = _values(next(iter(rates)), subject.slo.sources)
    pairs = zip(subject.slo.by, by, strict=True)
    labels = subject.labels + "".join(f",{name}={promql_string(v)}" for name, (_, v) in pairs)
    events, second = sums.events(fed), sums.counted(fed)
    checks = []
    if events is None:
        why = "nothing of total is there"
        checks.append(Check(at, f"count({events_series}{{{labels}}})", (), why))
    else:
        errors = second if queries.pair.counts is Second.ERRORS else events - second
        checks.append(almost(at, events_series, labels, Fraction(events)))
        checks.append(almost(at, errors_series, labels, Fraction(errors)))
    absent = dict.fromkeys(str(one.series) for one in sums.all if one.series not in rates)
    return UnitTest(
        f"{subject.name}: with {', '.join(map(str, rates))}",
        subject.origin,
        (f"without {', '.join(absent)}" if absent else "none is missing",),
        timing.scrape,
        tuple((str(s), f"0+{burn.literal(rate * scrape)}x{count}") for s, rate in rates.items()),
        tuple(checks),
    )
