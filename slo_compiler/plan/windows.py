"""The rules that hold no SLO's name: windows, tiles, burn rates and budgets of a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.manifest.resolve import ResolvedTenant
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.calendars import calendar_count, calendar_rules, matchers_of
from slo_compiler.plan.ir import Rule
from slo_compiler.plan.renames import renames_of
from slo_compiler.plan.tenant import (
    MILLISECOND,
    long_windows,
    periods_of,
    tier_windows,
)
from slo_compiler.templating import promql_string, render_expression


@dataclass(frozen=True, slots=True)
class _Part:
    expr: str
    only: str = ""  # matchers of slo_info for the SLOs that the part is for


def _joined(parts: list[_Part]) -> str:
    return render_expression("window/parts", parts=parts)


def _only(tenant: ResolvedTenant, period: Period, policies: Iterable[str] = ()) -> str:
    """Build slo_info's matchers for the SLOs of a period, or of a period and some policies."""
    matchers = [matchers_of(tenant, period)]
    names = sorted(set(policies))
    if names:
        matchers.append(f"policy=~{promql_string('|'.join(names))}")
    return ",".join(matchers)


def tile_rules(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[Rule]:
    """Counts of events and errors over each length of tile that a window or a period is summed of.

    Their group runs at an interval that divides every tile, so that the samples that a sum takes
    are a tile apart to the millisecond, and no event falls between two of them or into both.
    """
    tiles = {timing.window_tile(window) for window in tier_windows(tenant.slos)}
    tiles |= {burn.period_tile(period) for period in periods_of(tenant)}
    for tile in sorted(tile for tile in tiles if tile is not None):
        for counted in ("events", "errors"):
            expr = render_expression(
                "window/tile",
                tenant=tenant.name,
                counted=counted,
                range=tile - MILLISECOND,
                step=timing.base_step,
                step_seconds=burn.literal(Fraction(timing.base_step.ms, 1000)),
            )
            yield Rule(naming.increase(counted, tile), expr, tenant.position)


def base_windows(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[Rule]:
    """Ratios and burn rates of the windows that read the base series; the time to exhaustion."""
    for window in sorted(tier_windows(tenant.slos)):
        if timing.window_tile(window) is None:
            expr = render_expression(
                "window/ratio",
                tenant=tenant.name,
                counted="rate",
                # A sum of rates over a span reaches back by that span plus the base.
                range=window - timing.base,
                renames=renames_of(tenant),
            )
            yield Rule(naming.error_ratio(window), expr, tenant.position)
    for window in long_windows(tenant):
        if timing.window_tile(window) is None:
            yield _burn_rate(tenant, window)
    # Here and not among the budgets: a page tells the pace of now, not that of minutes ago.
    exhaustion = _joined([*_exhaustion(tenant)])
    yield Rule(naming.BUDGET_EXHAUSTION, exhaustion, tenant.position)


def tile_windows(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[Rule]:
    """Ratios and burn rates of the windows that read tiles."""
    for window in sorted(tier_windows(tenant.slos)):
        if timing.window_tile(window) is not None:
            expr = _tiled_ratio(tenant, window, timing)
            yield Rule(naming.error_ratio(window), expr, tenant.position)
    for window in long_windows(tenant):
        if timing.window_tile(window) is not None:
            yield _burn_rate(tenant, window)


def _burn_rate(tenant: ResolvedTenant, window: Duration) -> Rule:
    expr = render_expression("window/burn_rate", tenant=tenant.name, window=window)
    return Rule(naming.burn_rate(window), expr, tenant.position)


def budget_rules(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[Rule]:
    """Counts and ratios of the periods, and what is left of the budgets."""
    at = tenant.position
    yield from calendar_rules(tenant)
    for name, parts in _counts(tenant):
        yield Rule(name, _joined(parts), at)
    for name, period in {naming.error_ratio(p): p for p in periods_of(tenant)}.items():
        if period.calendar:
            ratio = render_expression(
                "window/period_ratio", tenant=tenant.name, period=naming.suffix(period)
            )
            yield Rule(name, ratio, at)
        elif period.nominal not in tier_windows(tenant.slos):
            yield Rule(name, _tiled_ratio(tenant, period.nominal, timing), at)
    yield Rule(naming.BUDGET_REMAINING, _joined([*_remaining(tenant)]), at)
    if any(slo.by for slo in tenant.slos):
        whole = _joined([*_remaining(tenant, "window/budget_whole")])
        yield Rule(naming.BUDGET_WHOLE, whole, at)


def _counts(tenant: ResolvedTenant) -> Iterator[tuple[str, list[_Part]]]:
    """Give the counts of each period; one rule for months that begin at different times."""
    periods = periods_of(tenant)
    found: dict[str, list[_Part]] = {}
    for period in periods:
        for counted in ("events", "errors"):
            if period.calendar:
                expr = calendar_count(tenant, counted, period)
            else:
                expr = render_expression(
                    "window/period",
                    tenant=tenant.name,
                    counted=counted,
                    period=period,
                    tile=burn.period_tile(period),
                    renames=renames_of(tenant),
                )
            only = _only(tenant, period) if len(periods) > 1 else ""
            found.setdefault(naming.increase(counted, period), []).append(_Part(expr, only))
    yield from found.items()


def _tiled_ratio(tenant: ResolvedTenant, window: Duration, timing: burn.Timing) -> str:
    """Divide the sums of a window that reads tiles; a period's sums are there already."""
    period = Period(window)
    others = (slo for slo in tenant.slos if slo.period != period)
    if period in periods_of(tenant) and window not in tier_windows(others):
        return render_expression("window/period_ratio", tenant=tenant.name, period=window)
    if timing.window_tile(window) == timing.slow:
        # Each recorded tile begins where the one before ends. One evaluation's sample is the
        # last, and the millisecond keeps that at the far end out: [1d] may hold both.
        return render_expression(
            "window/ratio",
            tenant=tenant.name,
            counted=f"increase{timing.slow}",
            range=window - MILLISECOND,
            renames=renames_of(tenant),
        )
    return render_expression(
        "window/tiled_ratio",
        tenant=tenant.name,
        window=window,
        tile=burn.tile(window),
        renames=renames_of(tenant),
    )


def _remaining(
    tenant: ResolvedTenant, template: str = "window/budget_remaining"
) -> Iterator[_Part]:
    periods = periods_of(tenant)
    for period in periods:
        expr = render_expression(
            template,
            tenant=tenant.name,
            period=naming.suffix(period),
            calendar=matchers_of(tenant, period) if period.calendar else None,
        )
        yield _Part(expr, _only(tenant, period) if len(periods) > 1 else "")


def _exhaustion(tenant: ResolvedTenant) -> Iterator[_Part]:
    paces: dict[tuple[Period, Duration], set[str]] = {}
    for slo in tenant.slos:
        paces.setdefault((slo.period, slo.policy.pace_window), set()).add(slo.policy.name)
    for (period, window), policies in sorted(paces.items()):
        expr = render_expression(
            "window/budget_exhaustion",
            tenant=tenant.name,
            window=window,
            period_seconds=burn.literal(Fraction(period.nominal.ms, 1000)),
        )
        yield _Part(expr, _only(tenant, period, policies) if len(paces) > 1 else "")
