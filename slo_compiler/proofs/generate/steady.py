"""Constant error ratios: what is silent below each threshold, and what budgets are worth."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import budget_steps, tier_windows
from slo_compiler.proofs.generate.budget import budget_proofs
from slo_compiler.proofs.generate.periods import elapsed, settled_at
from slo_compiler.proofs.generate.run import holds, unit_test
from slo_compiler.proofs.generate.subject import (
    Round,
    groups_of,
    names_of,
)
from slo_compiler.proofs.generate.timeline import (
    CLEAN,
    MINUTE,
    Segment,
    Timeline,
    rounded,
    settled_after,
)
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import Tier


def steady_tests(tenant: ResolvedTenant, round_: Round, timing: burn.Timing) -> Iterator[UnitTest]:
    """Constant error ratios: every window holds the same one, so that thresholds show exactly."""
    settled = settled_at((s.slo.period for s in round_.subjects), MINUTE * 5)
    share = _quiet_share(round_)
    quiet = {s.name: burn.error_budget(s.slo.objective) * share for s in round_.subjects}
    checks = [_none_fires(tenant, round_, settled, share)]
    for subject in round_.subjects:
        period = subject.slo.period
        left = 1 - elapsed(period, settled) * share
        # Exhaustion comes with the windows, and reads the budget of the evaluation before.
        rest = 1 / share - elapsed(period, settled - MINUTE)
        rest *= Fraction(period.nominal.ms, 1000)
        for series, value in ((naming.BUDGET_REMAINING, left), (naming.BUDGET_EXHAUSTION, rest)):
            checks.append(holds(settled, series, subject, value))
    yield unit_test(
        f"{round_.names}: nothing fires at {_words(share)} of the budget's pace; "
        "the budget is right",
        round_,
        {name: (Segment(settled + MINUTE, ratio),) for name, ratio in quiet.items()},
        checks,
        timing,
    )
    for name, ratios, expected, why in budget_proofs(tenant, round_, settled):
        timelines: dict[str, Timeline] = {
            n: (Segment(settled + MINUTE, e),) for n, e in ratios.items()
        }
        yield unit_test(name, round_, timelines, expected, timing, why)
    windows = tier_windows(s.slo for s in round_.subjects)
    settled = settled_after(timing.longest_tile(windows))
    pace = {s.name: burn.error_budget(s.slo.objective) for s in round_.subjects}
    silent = [
        round_.firing(settled, tier, [], "the budget's pace is within the objective")
        for tier in _tiers_above_pace(round_)
    ]
    if silent:
        yield unit_test(
            f"{round_.names}: at exactly the budget's pace no tier above it fires",
            round_,
            {name: (Segment(settled + MINUTE, ratio),) for name, ratio in pace.items()},
            silent,
            timing,
        )
    yield from _just(round_, settled, timing)


def _just(round_: Round, settled: Duration, timing: burn.Timing) -> Iterator[UnitTest]:
    """Just under a threshold a tier is silent, just over it fires."""
    for group, tier in groups_of(round_):
        for part, word in ((Fraction(99, 100), "under"), (Fraction(101, 100), "over")):
            ratios = {s.name: s.threshold(tier) * part for s in group}
            if any(ratio > 1 for ratio in ratios.values()):
                continue
            wait = tier.for_ or Duration(0)
            at = settled + rounded(wait, MINUTE) + MINUTE
            firing = group if word == "over" else []
            why = f"{burn.literal(part)} of the threshold, in both windows"
            yield unit_test(
                f"{names_of(group)}: just {word} the threshold of {tier.name}",
                round_,
                {
                    s.name: (Segment(at + MINUTE, ratios.get(s.name, CLEAN)),)
                    for s in round_.subjects
                },
                [round_.firing(at, tier, firing, why)],
                timing,
                [
                    f"{s.name}: threshold {burn.literal(s.threshold(tier))}, "
                    f"errors {burn.literal(ratios[s.name])}"
                    for s in group
                ],
                about=group,
            )


def _quiet_share(round_: Round) -> Fraction:
    """Choose a share of the budget's pace at which no tier fires: a quarter, unless one would."""
    factors = [
        burn.burn_factor(tier.budget_share, s.slo.period.nominal, tier.long_window)
        for s in round_.subjects
        for tier in s.slo.policy.tiers
    ]
    quarter, lowest = Fraction(1, 4), min(factors)
    return quarter if lowest > quarter else Fraction(round(lowest * 500), 1000) or lowest / 2


def _words(share: Fraction) -> str:
    return "a quarter" if share == Fraction(1, 4) else burn.literal(share)


def _none_fires(tenant: ResolvedTenant, round_: Round, at: Duration, share: Fraction) -> Check:
    names = f"{naming.ALERT_BURN}|{naming.ALERT_BUDGET_LOW}|{naming.ALERT_INTEGRITY}"
    if Fraction(max(budget_steps(tenant), default=0)) / 100 > 1 - share:
        names = f"{naming.ALERT_BURN}|{naming.ALERT_INTEGRITY}"
    fired = f'ALERTS{{alertname=~"{names}"}}'
    fired += f" or {naming.SHADOW_ALERT}" if round_.shadow else ""
    expr = f"count by (alertname, service, slo, tier) ({fired})"
    why = f"{_words(share)} of the pace that the budget allows"
    return Check(at, expr + round_.others_only, (), why)


def _tiers_above_pace(round_: Round) -> list[Tier]:
    """Give the tiers that no SLO of the round may fire at the budget's own pace."""
    tiers: dict[str, list[bool]] = {}
    by_name: dict[str, Tier] = {}
    for subject in round_.subjects:
        for tier in subject.slo.policy.tiers:
            above = subject.threshold(tier) > burn.error_budget(subject.slo.objective)
            tiers.setdefault(tier.name, []).append(above)
            by_name[tier.name] = tier
    return [by_name[name] for name, above in tiers.items() if all(above)]
