"""What several lints ask of an SLO and its tiers, so that they agree."""

from __future__ import annotations

from fractions import Fraction

from slo_compiler.duration import Duration
from slo_compiler.plan import burn, reach
from slo_compiler.plan.guards import guards_of
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Alerting, Tier


def rank(tenant: ResolvedTenant, severity: str) -> int:
    """How urgent a severity is: 0 pages; one that the project lacks is told elsewhere."""
    names = [level.name for level in tenant.levels]
    return names.index(severity) if severity in names else len(names)


def period(slo: ResolvedSLO) -> Duration:
    """Length of the budget's period, at most."""
    return slo.period.longest


def alerting(slo: ResolvedSLO) -> Alerting:
    """What is said of the SLO's alerts."""
    return slo.alerting


def burn_factor(slo: ResolvedSLO, tier: Tier) -> Fraction:
    """Burn rate at which a tier fires."""
    return reach.burn_factor(slo, tier)


def threshold(slo: ResolvedSLO, tier: Tier) -> Fraction:
    """Error ratio at which a tier fires."""
    return burn.threshold(burn_factor(slo, tier), slo.objective)


def minimum(slo: ResolvedSLO, tier: Tier, counted: str) -> int | None:
    """How many errors or events a tier waits for."""
    found = (guard.least for guard in guards_of(slo, tier) if guard.counted == counted)
    return next(found, None)
