"""What several lints read of a tenant and its tiers, so that they agree."""

from __future__ import annotations

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
