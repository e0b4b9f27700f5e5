"""Errors from a clean history on: when each tier fires, escalates and resets.

The arithmetic is burn.py's. With a clean history of h at constant traffic, then errors at a
constant ratio e, the long window L holds the ratio e * t / min(L, h + t) after t, which exceeds the
threshold after t = threshold * h / (e - threshold), or L * threshold / e once the window is full.
After the errors stop, the short window S falls below it within S * (1 - threshold / e).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import escalation_waits, tier_windows
from slo_compiler.proofs.generate.run import holds, unit_test
from slo_compiler.proofs.generate.subject import (
    Round,
    Subject,
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
from slo_compiler.proofs.model import UnitTest
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import Tier


def burst_test(
    tenant: ResolvedTenant,
    round_: Round,
    group: Sequence[Subject],
    tier: Tier,
    evaluation: Duration,
    timing: burn.Timing,
) -> UnitTest:
    """Errors from a clean history on: when the alert fires, escalates and resets."""
    first = group[0]
    threshold = first.threshold(tier)
    ratio = min(Fraction(1), threshold * 2)
    times = ratio / threshold  # the same for all of the group
    smaller = [w for w in tier_windows(tenant.slos) if w < tier.long_window]
    history = rounded(max([tier.short_window, *smaller]), evaluation)
    detection = _detection(tier, history, times)
    reset = Fraction(tier.short_window.ms) * (1 - 1 / times)
    wait = tier.for_ or Duration(0)
    waits = [w for w in escalation_waits(tenant, tier.severity) if w <= history]
    if round_.shadow:  # a recording rule does not wait
        wait, waits = Duration(0), []
    # Rates over a base blur the edge by as much, and by nothing where the base pair is fed.
    slack = rounded(max(evaluation, timing.base), evaluation).ms
    lingering = rounded(tier.short_window, evaluation) + evaluation * 2
    # Long enough that the long window stays above the threshold to the end, so that it is the
    # short one that ends the alert: e * B + 0.95 * threshold * l > threshold * (h + B + r + l).
    rest = reset + slack + 2 * evaluation.ms + Fraction(lingering.ms) / 20
    needed = (history.ms + rest) / (times - 1)
    last = max([detection + wait.ms + w.ms for w in [Duration(0), *waits]])
    burn_for = up(max(needed, last) + slack + 2 * evaluation.ms, evaluation)
    stop = history + burn_for
    fires = Fraction(history.ms) + detection + wait.ms
    after = f"after {minutes(detection)} of errors" + (f" and {wait} of waiting" if wait.ms else "")
    checks = [
        round_.firing(down(fires - slack, evaluation), tier, [], "not yet"),
        round_.firing(up(fires + slack, evaluation), tier, group, after),
    ]
    for level, more in enumerate(waits, start=2):
        later = fires + more.ms
        checks += [
            round_.firing(down(later - slack, evaluation), tier, [], f"not {more}", level),
            round_.firing(up(later + slack, evaluation), tier, group, f"for {more}", level),
        ]
    still = down(Fraction(stop.ms) + reset - slack, evaluation)
    if still.ms >= stop.ms:
        checks.append(
            round_.firing(still, tier, group, "the short window still holds too many errors")
        )
    over = up(Fraction(stop.ms) + reset + slack, evaluation)
    checks.append(round_.firing(over, tier, [], f"{minutes(reset)} after the errors stopped"))
    end = over + lingering
    checks.append(round_.firing(end, tier, [], "0.95 of the threshold in the short window"))
    filled = history + rounded(tier.short_window, evaluation) + evaluation + Duration(slack)
    if filled <= stop:
        checks += [
            holds(filled, naming.error_ratio(tier.short_window), s, s.threshold(tier) * times)
            for s in group
        ]
    why = [
        f"clean for {history}, errors for {burn_for}, none for {over - stop}, then a few",
        f"fires at e * t / min({tier.long_window}, {history} + t) > threshold, t = "
        + minutes(detection),
        f"resets {tier.short_window} * (1 - threshold / e) = {minutes(reset)} after the end",
        *(
            f"{s.name}: threshold {burn.literal(s.threshold(tier))}, "
            f"e = {burn.literal(s.threshold(tier) * times)}"
            for s in group
        ),
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
        for s in round_.subjects
    }
    name = f"{names_of(group)}: {tier.name} fires and resets when predicted"
    raw = evaluation == MINUTE
    return unit_test(name, round_, timelines, checks, timing, why, about=group, raw=raw)


def _detection(tier: Tier, history: Duration, times: Fraction) -> Fraction:
    """Milliseconds from a clean history to the threshold, at `times` the threshold."""
    window = Fraction(tier.long_window.ms)
    growing = Fraction(history.ms) / (times - 1)
    return growing if history.ms + growing <= window else window / times
