"""That a tier is silent on fewer errors or events than its guard requires, whatever their ratio.

One failed request of three does not page. Traffic is even for a while and then ends, so that the
long window has exactly as many errors and events as a test needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.guards import Guard
from slo_compiler.plan.tenant import MILLISECOND
from slo_compiler.proofs.generate.subject import (
    SLOUnderTest,
    TestBatch,
    base_labels,
    notes_on,
    origins_of,
)
from slo_compiler.proofs.generate.timeline import MINUTE
from slo_compiler.proofs.model import UnitTest
from slo_compiler.schema import Tier


@dataclass(frozen=True, slots=True)
class _Case:
    """An SLO and how many errors and events bring it to its guard, and just below."""

    subject: SLOUnderTest
    guard: Guard
    at: tuple[int, int]
    below: tuple[int, int]


def plan_guards(subjects: Sequence[SLOUnderTest], timing: burn.Timing) -> Iterator[UnitTest]:
    """Plan two tests of each tier and what it counts: below the guard, and at it.

    Shadows are in tests of their own, and so are composites: they would burn with their parts.
    """
    found: dict[tuple[object, ...], tuple[Tier, list[_Case]]] = {}
    for subject in subjects:
        for tier in subject.slo.tiers:
            for case in _cases(subject, tier):
                kind = subject.slo.shadow, bool(subject.parts)
                key = (subject.slo.policy.name, tier.name, case.guard.counted, *kind)
                found.setdefault(key, (tier, []))[1].append(case)
    for tier, cases in found.values():
        traffic = _traffic(tier, timing)
        fed = {case.subject.labels for case in cases}
        batch = TestBatch(
            tuple(case.subject for case in cases),
            readers=tuple(s for s in subjects if fed & {*s.parts}),
            inputless=tuple(s for s in subjects if s.without_input),
        )
        if traffic is not None:
            yield _test(batch, tier, cases, traffic, timing, at=False)
            yield _test(batch, tier, cases, traffic, timing, at=True)


def _cases(subject: SLOUnderTest, tier: Tier) -> Iterator[_Case]:
    """Give each guard that decides: with one less, all else that the tier requires is still there.

    A guard that others imply, such as 2 events beside 5 errors, cannot be seen and needs no proof.
    """
    guards = {guard.counted: guard for guard in subject.guards[tier.name]}
    if not guards:
        return
    threshold = subject.threshold(tier) * Fraction(101, 100)
    least = {counted: guard.least for counted, guard in guards.items()}
    if guard := guards.get("errors"):
        events = max(least.get("events", 1), guard.least)
        if Fraction(guard.least - 1, events) > threshold:
            yield _Case(subject, guard, (guard.least, events), (guard.least - 1, events))
    if guard := guards.get("events"):
        errors = guard.least - 1
        if errors >= least.get("errors", 1) and Fraction(errors, guard.least) > threshold:
            yield _Case(subject, guard, (errors, guard.least), (errors, errors))


def _traffic(tier: Tier, timing: burn.Timing) -> Duration | None:
    """Choose how long traffic lasts: whole tiles within the long window.

    None where it would leave the short window, and the alert end, before `for` is over.
    """
    if tier.long_window > burn.TILED_ABOVE:
        tile = burn.tile(tier.long_window)
        lasts = tile * -(-MINUTE.ms * 10 // tile.ms)
    else:
        step = lcm(timing.base_step.ms, MINUTE.ms)
        within = min(MINUTE * 10, tier.long_window - MILLISECOND)
        lasts = Duration(within.ms // step * step)
    waits = _waits(tier)
    return lasts if lasts.ms and waits < tier.short_window - timing.base else None


def _waits(tier: Tier) -> Duration:
    """Give the tier's `for` in whole evaluations."""
    return MINUTE * -(-(tier.for_ or Duration(0)).ms // MINUTE.ms)


def _test(
    batch: TestBatch,
    tier: Tier,
    cases: Sequence[_Case],
    traffic: Duration,
    timing: burn.Timing,
    *,
    at: bool,
) -> UnitTest:
    step = timing.base_step
    samples = traffic.ms // step.ms + 1  # the first is that of the first moment
    rest = _waits(tier).ms // step.ms + 1
    per_sample = samples * Fraction(step.ms, 1000)
    series: dict[str, str] = {}
    for case in cases:
        errors, events = case.at if at else case.below
        counts: Mapping[str, int] = {naming.EVENTS_RATE: events, naming.ERRORS_RATE: errors}
        for name, count in counts.items():
            rate = burn.literal(count / per_sample)
            series[f"{name}{{{base_labels(case.subject)}}}"] = f"{rate}x{samples - 1} 0x{rest}"
    word = "at" if at else "below"
    arithmetic = notes_on((case.subject, _arithmetic(case, tier, at=at)) for case in cases)
    end = traffic + _waits(tier)
    why = "as many as the guard asks for" if at else "one less than the guard asks for"
    check = batch.firing(end, tier, batch.subjects if at else [], why)
    return UnitTest(
        f"{batch.names}: {tier.name} {word} its guard of {cases[0].guard.counted}",
        origins_of(batch.subjects),
        ("starts from the base pair", *arithmetic),
        step,
        tuple(series.items()),
        (check,),
    )


def _arithmetic(case: _Case, tier: Tier, *, at: bool) -> str:
    errors, events = case.at if at else case.below
    return (
        f"{errors} of {events} events are errors; the guard asks for "
        f"{case.guard.words} in {tier.long_window}"
    )
