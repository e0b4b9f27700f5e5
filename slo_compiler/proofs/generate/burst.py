"""Errors from a clean history on: when each tier fires, escalates and resets.

The arithmetic is burn.py's. With a clean history at constant traffic, then errors at a constant
ratio e, the long window L has the ratio e * t / L after t, which exceeds the threshold after
t = L * threshold / e. By then the run is L * 5/4 old: a longer window, even one that the run does
not fill, has at most 4/5 of the ratio and fires later; a shorter one fires sooner. After the
errors stop, the short window S falls below the threshold within S * (1 - threshold / e).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import escalation_waits
from slo_compiler.proofs.generate.figures import TIMES
from slo_compiler.proofs.generate.run import holds, unit_test
from slo_compiler.proofs.generate.subject import (
    SLOUnderTest,
    TestBatch,
    alike,
    each_figures,
    names_of,
    notes_on,
)
from slo_compiler.proofs.generate.timeline import (
    CLEAN,
    MINUTE,
    Timeline,
    down,
    minutes,
    rounded,
    stretch,
    up,
)
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import Tier

_NEAR = Fraction(7, 10), Fraction(3, 2)
_JUST_UNDER = Fraction(95, 100)  # of a threshold


@dataclass(frozen=True, slots=True)
class _Moments:
    """What must be seen when; the same for all SLOs with errors of as many thresholds."""

    history: Duration  # without errors
    burn_for: Duration
    not_yet: Duration
    fires: Duration
    escalates: tuple[tuple[Duration, Duration], ...]  # of each step: not yet, and by now
    half: Duration | None  # of the short window has errors
    filled: Duration | None  # when the short window has nothing else
    still: Duration | None  # fires, after the errors stopped
    over: Duration
    lingers: Duration  # on a few errors
    detection: str
    reset: str


def burst_test(
    tenant: ResolvedTenant,
    batch: TestBatch,
    group: Sequence[SLOUnderTest],
    tier: Tier,
    evaluation: Duration,
    timing: burn.Timing,
) -> UnitTest:
    """Errors from a clean history on: when the alert fires, escalates and resets."""
    threshold = group[0].threshold(tier)
    times = min(Fraction(1), threshold * TIMES) / threshold  # the same for all of the group
    wait = tier.for_ or Duration(0)
    waits = [w for w in escalation_waits(tenant, tier.severity) if w.ms * 2 <= tier.long_window.ms]
    if batch.shadow:  # a recording rule does not wait
        wait, waits = Duration(0), []
    raw = evaluation == MINUTE
    windows = tier.long_window, tier.short_window
    on = _moments(*windows, times, wait, tuple(waits), evaluation, timing)
    after = f"after {on.detection} of errors" + (f" and {wait} of waiting" if wait.ms else "")
    checks = [
        batch.firing(on.not_yet, tier, [], "not yet"),
        batch.firing(on.fires, tier, group, after),
    ]
    for level, (more, (not_yet, fires)) in enumerate(zip(waits, on.escalates, strict=True), 2):
        checks += [
            batch.firing(not_yet, tier, [], f"not {more}", level),
            batch.firing(fires, tier, group, f"for {more}", level),
        ]
    if on.still is not None:
        why = "the short window still holds too many errors"
        checks.append(batch.firing(on.still, tier, group, why))
    checks.append(batch.firing(on.over, tier, [], f"{on.reset} after the errors stopped"))
    end = on.over + on.lingers
    checks.append(batch.firing(end, tier, [], "0.95 of the threshold in the short window"))
    ratios = {each: each.thresholds[tier.name] * times for each in each_figures(group)}
    if on.half is not None:
        share = Fraction(on.half.ms, tier.short_window.ms)
        bounds = {each: _bounds(ratio * share) for each, ratio in ratios.items()}
        checks += _filling(on, tier, batch, [(s, bounds[s.figures]) for s in group])
    literals = {each: burn.literal(ratio) for each, ratio in ratios.items()}
    if on.filled is not None:
        series = naming.error_ratio(tier.short_window)
        checks += holds(on.filled, batch, ((s, (series, literals[s.figures])) for s in group))
    stop = on.history + on.burn_for
    arithmetic = {
        each: f"threshold {burn.literal(each.thresholds[tier.name])}, e = {literal}"
        for each, literal in literals.items()
    }
    notes = [
        f"clean for {on.history}, errors for {on.burn_for}, none for {on.over - stop}, then a few",
        f"fires at e * t / {tier.long_window} > threshold, t = {on.detection}",
        f"resets {tier.short_window} * (1 - threshold / e) = {on.reset} after the end",
        *notes_on((s, arithmetic[s.figures]) for s in group),
    ]
    lengths = on.history, on.burn_for, on.over - stop, on.lingers + evaluation
    burning = {
        each: _timeline(lengths, ratio, each.thresholds[tier.name] * _JUST_UNDER)
        for each, ratio in ratios.items()
    }
    timelines = dict.fromkeys(
        (s.name for s in batch.subjects), _timeline(lengths, CLEAN, CLEAN)
    ) | {s.name: burning[s.figures] for s in group}
    name = f"{names_of(group)}: {tier.name} fires and resets when predicted"
    return unit_test(name, batch, timelines, checks, timing, notes, about=group, raw=raw)


@lru_cache(maxsize=1_024)
def _moments(
    long: Duration,
    short: Duration,
    times: Fraction,
    wait: Duration,
    waits: Sequence[Duration],
    evaluation: Duration,
    timing: burn.Timing,
) -> _Moments:
    detection = Fraction(long.ms) / times
    older = up(Fraction(long.ms) * Fraction(5, 4) - detection, evaluation)
    history = max(older, rounded(short, evaluation))
    reset = Fraction(short.ms) * (1 - 1 / times)
    # Rates over a base blur the edge by as much, tiles by an evaluation. A window of a base pair
    # that is fed is a base short, and has a sample more or less.
    # A tile of one sample counts the first one of the errors whole.
    whole = timing.is_tiled(long) and timing.slow <= MINUTE
    blurred = evaluation == MINUTE or whole or timing.is_tiled(short)
    slack = (
        rounded(max(evaluation, timing.base), evaluation) if blurred else timing.base + MINUTE
    ).ms
    # Long enough that the long window stays above the threshold to the end, so that it is the
    # short one that ends the alert: it is while e * burn_for > threshold * L.
    last = max([detection + wait.ms + w.ms for w in [Duration(0), *waits]])
    burn_for = up(last + slack + 2 * evaluation.ms, evaluation)
    stop = history + burn_for
    fires = Fraction(history.ms) + detection + wait.ms
    # What waits for less than an evaluation fires at the next one.
    seen = up(Fraction(history.ms) + detection + slack, evaluation)
    still = down(Fraction(stop.ms) + reset - slack, evaluation)
    half = rounded(short // 2, evaluation)
    # A base blurs the edges of a window that is not much longer.
    sharp = half < short and timing.base * 4 <= short
    filled = (
        history + rounded(short, evaluation) + evaluation + rounded(Duration(slack), evaluation)
    )
    return _Moments(
        history,
        burn_for,
        not_yet=down(fires - slack, evaluation),
        fires=seen + rounded(wait, evaluation),
        escalates=tuple(
            (down(fires + w.ms - slack, evaluation), seen + rounded(wait + w, evaluation))
            for w in waits
        ),
        half=half if sharp else None,
        filled=filled if filled <= stop else None,
        still=still if still >= stop else None,
        over=up(Fraction(stop.ms) + reset + slack, evaluation),
        lingers=rounded(short, evaluation) + evaluation * 2,
        detection=minutes(detection),
        reset=minutes(reset),
    )


def _timeline(lengths: Sequence[Duration], ratio: Fraction, rest: Fraction) -> Timeline:
    ratios = CLEAN, ratio, CLEAN, rest
    return tuple([stretch(*each) for each in zip(lengths, ratios, strict=True)])


def _bounds(ratio: Fraction) -> str:
    """Give the bounds of a ratio at a moment when a base more or less has errors."""
    low, high = (burn.literal(round(ratio * near, 12)) for near in _NEAR)
    return f"{{}} > {low} < {high}"


def _filling(
    on: _Moments, tier: Tier, batch: TestBatch, bounds: Iterable[tuple[SLOUnderTest, str]]
) -> Iterator[Check]:
    """Expect the share of the short window that has errors: one half or double as long is not it.

    At its edges is a sample of the base series more or less.
    """
    since = on.half or Duration(0)
    series = naming.error_ratio(tier.short_window)
    for within, group, names in alike(bounds):
        why = f"{since} of errors are in the short window of {names}"
        yield batch.measured(on.history + since, series, within, group, why)
