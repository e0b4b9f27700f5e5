"""That a slice is good up to its target, bad beyond it, and as the manifest declares when idle."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.plan import burn
from slo_compiler.plan.slices import error_bound
from slo_compiler.proofs.generate.subject import SLOUnderTest
from slo_compiler.proofs.generate.timeline import CLEAN, MINUTE, counter, pair, rounded, stretch
from slo_compiler.proofs.model import Check, UnitTest


def slice_test(subject: SLOUnderTest, timing: burn.Timing) -> Iterator[UnitTest]:
    """Plan slices at their target, just beyond it, and idle ones: three of each."""
    slices = subject.slo.slices
    if slices is None:
        return
    bound = error_bound(slices)
    beyond = bound + (1 - bound) / 100
    length = rounded(slices.slice, MINUTE) * 3
    timeline = (
        stretch(length, bound),
        stretch(length, beyond),
        stretch(length, CLEAN, idle=True),
    )
    if subject.raw:
        interval = timing.scrape
        series = [
            (str(one), counter(one, timeline, interval, subject.events))
            for one in subject.raw.series
        ]
    else:
        interval = MINUTE
        series = [*pair(subject, timeline, interval, *subject.counted)]
    events, errors = (
        f"{name}{{{subject.fed_labels}}}" for name in (naming.EVENTS_RATE, naming.ERRORS_RATE)
    )
    one = f"{burn.literal(1 / Fraction(slices.slice.ms, 1000))}"
    expected = {"good": (one, "0"), "bad": (one, one), "exclude": ("0", "0")}
    checks = []
    for number, (policy, why) in enumerate(
        (
            ("good", f"{burn.literal(bound)} of a slice are errors: at its target"),
            ("bad", f"{burn.literal(beyond)} are: beyond it"),
            (slices.idle, f"no events: {slices.idle}"),
        ),
        start=1,
    ):
        at = length * number - slices.slice  # the end of a slice that contains nothing else
        for query, value in zip((events, errors), expected[policy], strict=True):
            expr = f"count(abs({query} - {value}) < 1e-12)"
            checks.append(Check(at, expr, (("{}", "1"),), why))
    yield UnitTest(
        f"{subject.name}: good, bad and idle slices of {slices.slice}",
        subject.origin,
        (f"target {slices.target}%: at most {burn.literal(bound)} of a slice may be errors",),
        interval,
        tuple(series),
        tuple(checks),
    )
