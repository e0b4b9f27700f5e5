"""How long exclusions are active for an SLO, and which of them run out."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.resolve.exclusions import ResolvedExclusion
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant

NOTICE = Duration.of(days=14)


def tail(slo: ResolvedSLO, timing: burn.Timing) -> Duration:
    """Return how much longer than it is declared an exclusion is active for an SLO.

    A base sample looks back by the base range, and a slice that is still touched is seen until the
    next one is complete.
    """
    return timing.base_range + (slo.slices.slice * 2 if slo.slices else Duration(0))


def recurring(tenant: ResolvedTenant) -> Iterator[tuple[ResolvedExclusion, int]]:
    """Give the exclusions that run out, and when: what happens once has its end by itself."""
    for exclusion in tenant.exclusions:
        if exclusion.spec.until is not None:
            yield exclusion, max(pattern.end for pattern in exclusion.patterns)
