"""That an SLI of samples distinguishes good ones from bad, and reads no series but its own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import lcm

from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.proofs.generate.subject import SLOUnderTest
from slo_compiler.proofs.generate.timeline import MINUTE, rounded
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.templating import promql_string


def value_test(subject: SLOUnderTest, timing: burn.Timing) -> Iterator[UnitTest]:
    """Plan good samples, bad ones, then none; decoys beside them are bad all the time."""
    extremes = subject.slo.spec.sli.body.extremes()
    if extremes is None or subject.gauge is None:
        return
    good, bad = (_literal(value) for value in extremes)
    # Whole minutes and whole scrapes, in which there is a sample of a base.
    unit = Duration(lcm(MINUTE.ms, timing.scrape.ms))
    third = rounded(max(MINUTE * 5, timing.base + timing.scrape), unit)
    count = third.ms // timing.scrape.ms
    own, *decoys = subject.gauge
    series = [(own, f"{good}x{count} {bad}x{count - 1} stale")]
    series += [(decoy, f"{bad}x{3 * count}") for decoy in decoys]
    events, errors = (f"{name}{{{subject.labels}}}" for name in subject.counted)
    by = ", ".join(subject.slo.by)
    found = dict(subject.gauge.labels)
    pairs = zip(subject.slo.by, subject.slo.sources, strict=True)
    labels = ", ".join(f"{name}={promql_string(found[source])}" for name, source in pairs)
    one = ((f"{{{labels}}}", "1"),)

    def counted(query: str) -> str:
        return f"count by ({by}) ({query})"

    yield UnitTest(
        f"{subject.name}: {good} is good and {bad} is bad",
        subject.origin,
        (f"one series is read, {len(decoys)} others are not",),
        timing.scrape,
        tuple(series),
        (
            Check(third, counted(f"{events} == 1"), one, "one series is read"),
            Check(third, counted(f"{errors} == 0"), one, f"{good} is no error"),
            Check(third * 2, counted(f"{errors} == 1"), one, f"{bad} is one"),
            Check(third * 3, counted(events), (), "the series is gone, the others are not"),
        ),
    )


def _literal(value: Decimal) -> str:
    return burn.literal(Fraction(value))
