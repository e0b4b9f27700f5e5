"""Constant error ratios, one after the other: no alert fires below its bound, each fires above it.

All steps are in one test. Each has a million times the traffic of the one before, so that every
window and the period have the ratio of the present step, to a millionth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import budget_steps, tier_windows
from slo_compiler.proofs.generate.budget import budget_steps_of
from slo_compiler.proofs.generate.figures import Figures
from slo_compiler.proofs.generate.periods import elapsed, settled_at
from slo_compiler.proofs.generate.run import holds, unit_test
from slo_compiler.proofs.generate.step import TrafficStep
from slo_compiler.proofs.generate.subject import BURN, SLOUnderTest, TestBatch, notes_on
from slo_compiler.proofs.generate.timeline import MINUTE, Segment, Timeline, rounded, stretch
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import Tier

# Less than Prometheus' lookback of 5m: the time to exhaustion reads the evaluation before.
EVALUATION = MINUTE * 4
MORE_TRAFFIC = 1_000_000  # of each step than of the one before
MAX_STEPS = 40  # of a test: events are floats, which end at 1e308


def steady_tests(
    tenant: ResolvedTenant, batch: TestBatch, timing: burn.Timing
) -> Iterator[UnitTest]:
    """Plan the tests of a round; more than one where there are many bounds."""
    silent = _silent(tenant, batch)
    tile = timing.longest_tile(tier_windows(s.slo for s in batch.subjects))
    periods = [s.slo.period for s in batch.subjects]
    longest = max([tile, *(burn.period_tile(period) for period in periods)])
    least = rounded(settled_at(periods, MINUTE * 5) + EVALUATION * 2, EVALUATION)
    if batch.recorded_only:
        yield _test(batch, [silent.lasting(least), _outage(batch, tile)], timing, "nor ever")
        return
    steps = [
        *budget_steps_of(tenant, batch, rounded(longest + EVALUATION * 2, EVALUATION)),
        *_tiers(batch, rounded(tile + EVALUATION * 2, EVALUATION)),
    ]
    steps.sort(key=lambda step: step.pace)
    if steps and steps[0].pace < silent.pace:
        # Its values are exact, so that nothing may come before it.
        yield _test(batch, [silent.lasting(least)], timing, "the budget is right")
    else:
        steps.insert(0, silent)
    for first in range(0, len(steps), MAX_STEPS):
        part = steps[first : first + MAX_STEPS]
        part[0] = part[0].lasting(max(part[0].length, least))
        yield _test(batch, part, timing, "just under each bound and just over it")


def _test(
    batch: TestBatch, steps: Sequence[TrafficStep], timing: burn.Timing, what: str
) -> UnitTest:
    """Run steps one after the other; an SLO that a step is not about keeps its ratio."""
    segments: dict[Figures, list[Segment]] = {each: [] for each in batch.figures}
    ratios = dict.fromkeys(segments, Fraction(0))
    checks: list[Check] = []
    at = Duration(0)
    for number, step in enumerate(steps):
        # A step includes the moment at which it is checked.
        length = step.length if number else step.length + MINUTE
        ratios |= step.ratios
        traffic = MORE_TRAFFIC**number
        for each, own in segments.items():
            own.append(stretch(length, ratios[each], traffic=traffic))
        at += step.length
        checks += step.checks(at)
    why = ["each step has a million times the traffic of the one before, and so outweighs it"]
    arithmetic = {each: _arithmetic(each) for each in batch.figures}
    why += notes_on((subject, arithmetic[subject.figures]) for subject in batch.subjects)
    share = _words(steps[0].pace) if steps[0].is_quiet else ""
    name = f"nothing fires at {share} of the budget's pace; {what}" if share else what
    made: dict[Figures, Timeline] = {each: tuple(own) for each, own in segments.items()}
    timelines = {s.name: made[s.figures] for s in batch.subjects}
    return unit_test(f"{batch.names}: {name}", batch, timelines, checks, timing, why, decoys=True)


def _arithmetic(figures: Figures) -> str:
    tiers = (f"{tier} {burn.literal(ratio)}" for tier, ratio in figures.thresholds.items())
    return f"budget {burn.literal(figures.budget)}; thresholds {', '.join(tiers)}"


def _silent(tenant: ResolvedTenant, batch: TestBatch) -> TrafficStep:
    """Choose a share of the budget's pace at which no tier fires, and check what is left of it."""
    share = _silent_share(batch)

    def checks(at: Duration) -> Iterator[Check]:
        yield _none_fires(tenant, batch, at, share)
        left = {each: burn.literal(_left(each.period, at, share)) for each in batch.figures}
        rest = {each: burn.literal(_rest(each.period, at, share)) for each in batch.figures}
        for series, numbers in (
            (naming.BUDGET_REMAINING, left),
            (naming.BUDGET_EXHAUSTION, rest),
        ):
            yield from holds(at, batch, ((s, (series, numbers[s.figures])) for s in batch.subjects))

    ratios = {each: each.budget * share for each in batch.figures}
    return TrafficStep(share, EVALUATION, ratios, checks, is_quiet=True)


def _left(period: Period, at: Duration, share: Fraction) -> Fraction:
    return 1 - elapsed(period, at) * share


def _rest(period: Period, at: Duration, share: Fraction) -> Fraction:
    # Exhaustion comes with the windows, and reads the budget of the evaluation before.
    rest = 1 / share - elapsed(period, at - EVALUATION)
    return rest * Fraction(period.nominal.ms, 1000)


def _outage(batch: TestBatch, tile: Duration) -> TrafficStep:
    """Let all events of SLOs without alerts fail."""
    windows = {s.name: min(tier_windows([s.slo])) for s in batch.subjects}
    ratios = {s.name: naming.error_ratio(windows[s.name]) for s in batch.subjects}

    def checks(at: Duration) -> Iterator[Check]:
        yield batch.none(at, "all events fail, and the SLOs are recorded only")
        yield from holds(at, batch, ((s, (ratios[s.name], "1")) for s in batch.subjects))

    length = rounded(max([tile, *windows.values()]) + EVALUATION * 3, EVALUATION)
    pace = max(1 / each.budget for each in batch.figures)
    return TrafficStep(pace, length, dict.fromkeys(batch.figures, Fraction(1)), checks)


def _tiers(batch: TestBatch, length: Duration) -> Iterator[TrafficStep]:
    """Steps to the budget's pace, at which tiers are silent, and to each side of each threshold."""
    silent = [tier for tier, subjects in _by_tier(batch) if _is_above_pace(subjects, tier)]
    if silent:
        yield TrafficStep(
            Fraction(1),
            length,
            {each: each.budget for each in batch.figures},
            lambda at: (
                batch.firing(at, tier, [], "the budget's pace is within the objective")
                for tier in silent
            ),
        )
    for tier, subjects in _by_tier(batch):
        waits = [t.for_ for s in subjects for t in s.slo.policy.tiers if t.name == tier.name]
        wait = rounded(max(w or Duration(0) for w in waits), EVALUATION)
        thresholds = {s.figures: s.threshold(tier) for s in subjects}
        pace = min(threshold / each.budget for each, threshold in thresholds.items())
        for part, word in ((Fraction(99, 100), "under"), (Fraction(101, 100), "over")):
            ratios = {each: threshold * part for each, threshold in thresholds.items()}
            ratios = {each: ratio for each, ratio in ratios.items() if ratio <= 1}
            if not ratios:
                continue
            firing = [s for s in subjects if s.figures in ratios] if word == "over" else []
            yield _just(batch, tier, pace * part, length + wait, ratios, firing, word)


def _just(
    batch: TestBatch,
    tier: Tier,
    pace: Fraction,
    length: Duration,
    ratios: dict[Figures, Fraction],
    firing: Sequence[SLOUnderTest],
    word: str,
) -> TrafficStep:
    why = f"just {word} the threshold of {tier.name}, in both windows"
    return TrafficStep(pace, length, ratios, lambda at: [batch.firing(at, tier, firing, why)])


def _by_tier(batch: TestBatch) -> list[tuple[Tier, list[SLOUnderTest]]]:
    """Give the SLOs of each tier; tiers of one name in several policies are tested at once."""
    found: dict[str, tuple[Tier, list[SLOUnderTest]]] = {}
    for subject in batch.subjects:
        for tier in subject.slo.policy.tiers:
            found.setdefault(tier.name, (tier, []))[1].append(subject)
    return [*found.values()]


def _is_above_pace(subjects: Sequence[SLOUnderTest], tier: Tier) -> bool:
    figures = {s.figures for s in subjects}
    return all(each.thresholds[tier.name] > each.budget for each in figures)


def _silent_share(batch: TestBatch) -> Fraction:
    """Choose a share of the budget's pace at which no tier fires: a quarter, unless one would."""
    factors = [
        threshold / each.budget for each in batch.figures for threshold in each.thresholds.values()
    ]
    quarter, lowest = Fraction(1, 4), min(factors)
    return quarter if lowest > quarter else Fraction(round(lowest * 500), 1000) or lowest / 2


def _words(share: Fraction) -> str:
    return "a quarter" if share == Fraction(1, 4) else burn.literal(share)


def _none_fires(tenant: ResolvedTenant, batch: TestBatch, at: Duration, share: Fraction) -> Check:
    names = f"{naming.ALERT_BURN}|{naming.ALERT_BUDGET_LOW}|{naming.ALERT_INTEGRITY}"
    if Fraction(max(budget_steps(tenant), default=0)) / 100 > 1 - share:
        names = f"{naming.ALERT_BURN}|{naming.ALERT_INTEGRITY}"
    selected = [f'alertname=~"{names}"']
    if batch.renamed:
        selected = [BURN, f'alertname="{naming.ALERT_INTEGRITY}"']
        if naming.ALERT_BUDGET_LOW in names:
            selected.append(f'{naming.BUDGET_BELOW}!=""')
    fired = " or ".join(batch.of_input(f"ALERTS{{{one}}}", "ALERTS") for one in selected)
    if batch.shadow:
        fired += f" or {batch.of_input(naming.SHADOW_ALERT, naming.SHADOW_ALERT)}"
    expr = f"count by (alertname, service, slo, tier) ({fired})"
    why = f"{_words(share)} of the pace that the budget allows"
    return Check(at, expr + batch.others_only, (), why)
