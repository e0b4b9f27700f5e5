"""What is taken out of the budget: when, in UTC, and what the base pair records meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Rule
from slo_compiler.plan.tenant import identity
from slo_compiler.recurrence import DAY, Pattern
from slo_compiler.resolve.exclusions import ResolvedExclusion
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.templating import render_expression

NOTICE = Duration.of(days=14)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A pattern as the template writes it; `every` is empty for what happens once."""

    start: str
    end: str
    length: str
    every: str
    shown: str


def tail(slo: ResolvedSLO, timing: burn.Timing) -> Duration:
    """Give how much longer than it says an exclusion is active for an SLO.

    A base sample looks back by the base range, and a slice that is still touched is seen until the
    next one is complete.
    """
    return timing.base_range + (slo.slices.slice * 2 if slo.slices else Duration(0))


def active_rules(tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing) -> Iterator[Rule]:
    """Record each exclusion of an SLO while it is active.

    In the group of the base pair and before it, so that both are of the same moment.
    """
    for exclusion in tenant.exclusions_of(slo):
        yield Rule(
            naming.EXCLUSION_ACTIVE,
            active(exclusion.patterns, tail(slo, timing)),
            exclusion.position,
            labels=(*identity(tenant, slo).labels, (naming.EXCLUSION, exclusion.spec.name)),
        )


@cache
def active(patterns: tuple[Pattern, ...], after: Duration) -> str:
    """Say when patterns are active, and for a while after each, as an expression."""
    shown = [_shown(pattern, Fraction(after.ms, 1000)) for pattern in patterns]
    return render_expression("exclusion/active", patterns=shown)


def _shown(pattern: Pattern, after: Fraction) -> _Shown:
    once = pattern.count == 1
    first, last = pattern.start, pattern.start + pattern.length
    until = f"{_utc(last)} UTC"
    if not once:
        until += f", each {'day' if pattern.every == DAY else 'week'} until {_utc(pattern.end)}"
    return _Shown(
        str(pattern.start),
        burn.literal(pattern.end + after),
        burn.literal(pattern.length + after),
        "" if once else str(pattern.every),
        f"{_utc(first)} to {until}, and {burn.literal(after)}s",
    )


def _utc(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def counted(tenant: ResolvedTenant, slo: ResolvedSLO, expr: str) -> str:
    """Let an expression of the base pair count nothing while an exclusion is active."""
    if not tenant.exclusions_of(slo):
        return expr
    return render_expression("exclusion/counted", id=identity(tenant, slo), expr=expr)


def recurring(tenant: ResolvedTenant) -> Iterator[tuple[ResolvedExclusion, str]]:
    """Give the exclusions that run out, and when: what happens once has its end by itself."""
    for exclusion in tenant.exclusions:
        if exclusion.spec.until is not None:
            yield exclusion, str(max(pattern.end for pattern in exclusion.patterns))
