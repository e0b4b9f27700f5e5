"""What several lints read of a tenant and its tiers, so that they agree."""

from __future__ import annotations

from fractions import Fraction

from slo_compiler.duration import Duration
from slo_compiler.plan.guards import guards_of
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier


def rank(tenant: ResolvedTenant, severity: str) -> int:
    """How urgent a severity is: 0 pages; one that the project lacks is an error of its own."""
    names = [level.name for level in tenant.levels]
    return names.index(severity) if severity in names else len(names)


def minimum(slo: ResolvedSLO, tier: Tier, counted: str) -> int | None:
    """How many errors or events a tier waits for."""
    found = (guard.least for guard in guards_of(slo, tier) if guard.counted == counted)
    return next(found, None)


def usual_events(slo: ResolvedSLO, span: Duration) -> Fraction | None:
    """How many events, or slices, a span usually has; None where the manifest does not say it."""
    if slo.slices is not None:
        return Fraction(span.ms, slo.slices.slice.ms)
    return None if slo.spec.traffic is None else expected_events(slo, span)


def expected_events(slo: ResolvedSLO, span: Duration) -> Fraction:
    """How many events a span usually has by the SLO's `traffic`; none without it."""
    daily = 0 if slo.spec.traffic is None else slo.spec.traffic.events_per_day
    return Fraction(daily) * span.ms / _DAY.ms


def rounded(number: Fraction) -> str:
    """Write a number as roughly as it is known."""
    return f"{float(number):.3g}" if number < 1000 else f"{round(number):,}"  # noqa: PLR2004


_DAY = Duration.of(days=1)
