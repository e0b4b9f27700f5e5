"""The numbers that the tests of an SLO compute with; SLOs that have the same share them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from slo_compiler.period import Period
from slo_compiler.plan import burn, reach
from slo_compiler.resolve.model import ResolvedSLO

TIMES = Fraction(5, 2)  # thresholds: the ratio of errors in a burst, where there can be as many


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """An SLO's budget, period and thresholds.

    A key of what is computed of them, by identity: to hash fractions takes as long as to compute.
    """

    budget: Fraction  # of errors
    period: Period
    thresholds: Mapping[str, Fraction]  # error ratios at which its tiers fire, by their names
    capped: Mapping[str, Fraction]  # those of which a burst cannot have so many times


def figures_of(slo: ResolvedSLO) -> Figures:
    """Give the figures of an SLO."""
    thresholds = ((tier.name, reach.threshold(slo, tier)) for tier in slo.policy.tiers)
    return _figures(slo.objective, slo.period, tuple(thresholds))


@lru_cache(maxsize=1_024)
def _figures(
    objective: Decimal, period: Period, thresholds: Iterable[tuple[str, Fraction]]
) -> Figures:
    capped = {tier: ratio for tier, ratio in thresholds if ratio * TIMES > 1}
    return Figures(burn.error_budget(objective), period, dict(thresholds), capped)
