"""The numbers behind the charts: a budget, the tiers, and when each of them fires."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from typing import Any

from slo_compiler.duration import Duration
from slo_compiler.plan import burn, reach
from slo_compiler.plan.slo import PlannedSLO, PlannedTier
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema import Tier
from slo_compiler.view.explain import tier_facts

_POINTS = 13  # of a curve that is no straight line on logarithmic axes
_SHORT = 10  # seconds
_PACES = (1, 2, 10, 100)  # times the budget; all events failing comes last


def budget_of(slo: ResolvedSLO) -> dict[str, Any]:
    """Give the arithmetic of an error budget, and how long it lasts at some error ratios."""
    budget = burn.error_budget(slo.objective)
    period = slo.period.nominal
    ratios = [budget * times for times in _PACES if budget * times < 1]
    return {
        "objective": burn.literal(Fraction(slo.objective)),
        "period": str(slo.period),
        "ratio": float(budget),
        "percent": burn.percent(budget),
        "events": f"{budget.numerator:,} in {budget.denominator:,}",
        "outage": _whole(Fraction(period.ms, 1000) * budget),
        "seconds": float(Fraction(period.ms, 1000) * budget),
        "lasts": [
            [burn.percent(ratio), _whole(Fraction(period.ms, 1000) * budget / ratio)]
            for ratio in (*ratios, Fraction(1))
        ],
    }


def _whole(seconds: Fraction) -> str:
    """Write a time for people: to the second, or to the millisecond if it is short."""
    if seconds < _SHORT:
        return str(Duration(round(seconds * 1000)))
    return str(Duration.of(seconds=round(seconds)))


def tier_of(slo: PlannedSLO, tier: PlannedTier) -> dict[str, Any]:
    """Give what a tier amounts to, and its curve: seconds to the alert by error ratio."""
    facts = asdict(tier_facts(slo.resolved, tier.spec))
    return {
        **facts,
        "threshold_percent": burn.percent(tier.threshold),
        "threshold_ratio": float(tier.threshold),
        "waits": [wait.seconds for wait in tier.waits],
        "curve": _curve(slo.resolved, tier.spec),
    }


def _curve(slo: ResolvedSLO, tier: Tier) -> list[list[float]]:
    """Give error ratios up to 1, from the lowest, and the seconds until the tier fires at each."""
    first = reach.least_error_ratio(slo, tier)
    # Without a wait, time and error ratio are inverse: a straight line on logarithmic axes.
    steps = _POINTS if tier.for_ else 2
    found = []
    for step in range(steps):
        ratio = float(first) ** (1 - step / (steps - 1))
        exact = first if step == 0 else Fraction(ratio)
        seconds = reach.detection_time(slo, tier, max(exact, first))
        if seconds is not None:
            found.append([_short(float(exact)), _short(seconds)])
    return found


def _short(number: float) -> float:
    return float(f"{number:.5g}")
