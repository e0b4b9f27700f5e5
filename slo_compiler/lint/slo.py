"""What several lints ask of an SLO and its tiers, so that they agree."""

from __future__ import annotations

from fractions import Fraction

from slo_compiler.duration import Duration
from slo_compiler.manifest.model import Alerting, Tier
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.plan import burn

SEVERITIES = ("page", "ticket")


def rank(_tenant: ResolvedTenant, severity: str) -> int:
    """How urgent a severity is: 0 pages."""
    return SEVERITIES.index(severity)


def period(slo: ResolvedSLO) -> Duration:
    """Length of the budget's period."""
    return slo.period


def alerting(slo: ResolvedSLO) -> Alerting:
    """What is said of the SLO's alerts."""
    return slo.spec.alerting


def burn_factor(slo: ResolvedSLO, tier: Tier) -> Fraction:
    """Burn rate at which a tier fires."""
    return burn.burn_factor(tier.budget_share, period(slo), tier.long_window)


def threshold(slo: ResolvedSLO, tier: Tier) -> Fraction:
    """Error ratio at which a tier fires."""
    return burn.threshold(burn_factor(slo, tier), slo.objective)


def minimum(slo: ResolvedSLO, tier: Tier, counted: str) -> int | None:
    """How many errors or events a tier waits for: its own number, or that of the SLO."""
    key = f"min_{counted}"
    least: int | None = getattr(tier, key, None) or getattr(alerting(slo), key)
    return least
