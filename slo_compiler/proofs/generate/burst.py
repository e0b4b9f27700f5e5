"""Errors from a clean history on: when each tier fires, escalates and resets.

The arithmetic is burn.py's. With a clean history at constant traffic, then errors at a constant
ratio e, the long window L has the ratio e * t / L after t, which exceeds the threshold after
t = L * threshold / e. By then the run is L * 5/4 old: a longer window, even one that the run does
not fill, has at most 4/5 of the ratio and fires later; a shorter one fires sooner. After the
errors stop, the short window S falls below the threshold within S * (1 - threshold / e).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import escalation_waits
from slo_compiler.proofs.generate.run import holds, unit_test
from slo_compiler.proofs.generate.subject import (
    TIMES,
    SLOUnderTest,
    TestBatch,
    alike,
    names_of,
)
from slo_compiler.proofs.generate.timeline import (
    CLEAN,
    MINUTE,
    Segment,
    Timeline,
    down,
    minutes,
    rounded,
    up,
)
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import Tier

_NEAR = Fraction(7, 10), Fraction(3, 2)


def burst_test(
    tenant: ResolvedTenant,
    batch: TestBatch,
    group: Sequence[SLOUnderTest],
    tier: Tier,
    evaluation: Duration,
    timing: burn.Timing,
) -> UnitTest:
    """Errors from a clean history on: when the alert fires, escalates and resets."""
    first = group[0]
    threshold = first.threshold(tier)
    ratio = min(Fraction(1), threshold * TIMES)
    times = ratio / threshold  # the same for all of the group
    detection = Fraction(tier.long_window.ms) / times
    older = up(Fraction(tier.long_window.ms) * Fraction(5, 4) - detection, evaluation)
    history = max(older, rounded(tier.short_window, evaluation))
    reset = Fraction(tier.short_window.ms) * (1 - 1 / times)
    wait = tier.for_ or Duration(0)
    waits = [w for w in escalation_waits(tenant, tier.severity) if w.ms * 2 <= tier.long_window.ms]
    if batch.shadow:  # a recording rule does not wait
        wait, waits = Duration(0), []
    raw = evaluation == MINUTE
    # Rates over a base blur the edge by as much, tiles by an evaluation. A window of a base pair
    # that is fed is a base short, and has a sample more or less.
    # A tile of one sample counts the first one of the errors whole.
    whole = timing.is_tiled(tier.long_window) and timing.slow <= MINUTE
    blurred = raw or whole or timing.is_tiled(tier.short_window)
    slack = (
        rounded(max(evaluation, timing.base), evaluation) if blurred else timing.base + MINUTE
    ).ms
    lingering = rounded(tier.short_window, evaluation) + evaluation * 2
    # Long enough that the long window stays above the threshold to the end, so that it is the
    # short one that ends the alert: it is while e * burn_for > threshold * L.
    last = max([detection + wait.ms + w.ms for w in [Duration(0), *waits]])
    burn_for = up(last + slack + 2 * evaluation.ms, evaluation)
    stop = history + burn_for
    fires = Fraction(history.ms) + detection + wait.ms
    # What waits for less than an evaluation fires at the next one.
    seen = up(Fraction(history.ms) + detection + slack, evaluation)
    after = f"after {minutes(detection)} of errors" + (f" and {wait} of waiting" if wait.ms else "")
    checks = [
        batch.firing(down(fires - slack, evaluation), tier, [], "not yet"),
        batch.firing(seen + rounded(wait, evaluation), tier, group, after),
    ]
    for level, more in enumerate(waits, start=2):
        later = fires + more.ms
        checks += [
            batch.firing(down(later - slack, evaluation), tier, [], f"not {more}", level),
            batch.firing(
                seen + rounded(wait + more, evaluation), tier, group, f"for {more}", level
            ),
        ]
    still = down(Fraction(stop.ms) + reset - slack, evaluation)
    if still.ms >= stop.ms:
        checks.append(
            batch.firing(still, tier, group, "the short window still holds too many errors")
        )
    over = up(Fraction(stop.ms) + reset + slack, evaluation)
    checks.append(batch.firing(over, tier, [], f"{minutes(reset)} after the errors stopped"))
    end = over + lingering
    checks.append(batch.firing(end, tier, [], "0.95 of the threshold in the short window"))
    half = rounded(tier.short_window // 2, evaluation)
    # A base blurs the edges of a window that is not much longer.
    if half < tier.short_window and timing.base * 4 <= tier.short_window:
        checks += [_filling(history + half, half, tier, s, times) for s in group]
    filled = (
        history
        + rounded(tier.short_window, evaluation)
        + evaluation
        + rounded(Duration(slack), evaluation)
    )
    if filled <= stop:
        checks += [
            holds(filled, naming.error_ratio(tier.short_window), s, s.threshold(tier) * times)
            for s in group
        ]
    why = [
        f"clean for {history}, errors for {burn_for}, none for {over - stop}, then a few",
        f"fires at e * t / {tier.long_window} > threshold, t = {minutes(detection)}",
        f"resets {tier.short_window} * (1 - threshold / e) = {minutes(reset)} after the end",
        *alike((s, _arithmetic(s, tier, times)) for s in group),
    ]
    burning = {s.name for s in group}
    timelines: dict[str, Timeline] = {
        s.name: (
            Segment(history, CLEAN),
            Segment(burn_for, s.threshold(tier) * times if s.name in burning else CLEAN),
            Segment(over - stop, CLEAN),
            Segment(
                lingering + evaluation,
                s.threshold(tier) * Fraction(95, 100) if s.name in burning else CLEAN,
            ),
        )
        for s in batch.subjects
    }
    name = f"{names_of(group)}: {tier.name} fires and resets when predicted"
    return unit_test(name, batch, timelines, checks, timing, why, about=group, raw=raw)


def _filling(
    at: Duration, since: Duration, tier: Tier, subject: SLOUnderTest, times: Fraction
) -> Check:
    """Expect the share of the short window that has errors: one half or double as long is not it.

    At its edges is a sample of the base series more or less.
    """
    share = Fraction(since.ms, tier.short_window.ms)
    full = subject.threshold(tier) * times
    low, high = (burn.literal(round(full * share * near, 12)) for near in _NEAR)
    series = f"{naming.error_ratio(tier.short_window)}{{{subject.labels}}}"
    why = f"{since} of errors are in the short window of {subject.name}"
    return Check(at, f"count({series} > {low} < {high})", (("{}", "1"),), why)


def _arithmetic(subject: SLOUnderTest, tier: Tier, times: Fraction) -> str:
    threshold = subject.threshold(tier)
    return f"threshold {burn.literal(threshold)}, e = {burn.literal(threshold * times)}"
