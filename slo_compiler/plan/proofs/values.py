"""That an SLI of samples tells good ones from bad ones, and reads no series but its own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Check, UnitTest
from slo_compiler.plan.proofs.subject import Subject
from slo_compiler.plan.proofs.timeline import MINUTE


def value_test(subject: Subject, timing: burn.Timing) -> Iterator[UnitTest]:
    """Five minutes of good samples, then bad ones; beside them decoys that are always bad."""
    extremes = subject.slo.spec.sli.body.extremes()
    if extremes is None or subject.gauge is None:
        return
    good, bad = (_literal(value) for value in extremes)
    half = MINUTE * 5
    count = half.ms // timing.scrape.ms
    own, *decoys = subject.gauge
    series = [(own, f"{good}x{count} {bad}x{count}")]
    series += [(decoy, f"{bad}x{2 * count}") for decoy in decoys]
    names = (naming.EVENTS_RATE, naming.ERRORS_RATE)
    if subject.slo.slices:
        names = (naming.SLICED_EVENTS_RATE, naming.SLICED_ERRORS_RATE)
    events, errors = (f"{name}{{{subject.labels}}}" for name in names)
    one = (("{}", "1"),)
    yield UnitTest(
        f"{subject.name}: {good} is good and {bad} is bad",
        subject.origin,
        (f"one series is read, {len(decoys)} others are not",),
        timing.scrape,
        tuple(series),
        (
            Check(half, f"count({events} == 1)", one, "one series is read"),
            Check(half, f"count({errors} == 0)", one, f"{good} is no error"),
            Check(half * 2, f"count({errors} == 1)", one, f"{bad} is one"),
        ),
    )


def _literal(value: Decimal) -> str:
    return burn.literal(Fraction(value))
