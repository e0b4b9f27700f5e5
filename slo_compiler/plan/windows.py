"""The rules that hold no SLO's name: windows, tiles, burn rates and budgets of a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
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
from slo_compiler.resolve.model import ResolvedTenant
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


def window_rules(tenant: ResolvedTenant, timing: burn.Timing, *, tiled: bool) -> Iterator[Rule]:
    """Ratios and burn rates of the windows of one chain, and the base's time to exhaustion.

    A short window that no tier of the base's chain reads is in the tiles', where it costs less.
    """
    tiers = (tier for slo in tenant.slos for tier in slo.policy.tiers)
    windows = {
        window
        for tier in tiers
        if not timing.is_tiled(tier.long_window)
        for window in (tier.long_window, tier.short_window)
    }
    if tiled:
        windows = tier_windows(tenant.slos) - windows
    for window in sorted(windows):
        yield Rule(naming.error_ratio(window), _ratio(tenant, window, timing), tenant.position)
    for window in sorted(windows & {*long_windows(tenant)}):
        expr = render_expression("window/burn_rate", tenant=tenant.name, window=window)
        yield Rule(naming.burn_rate(window), expr, tenant.position)
    if not tiled:
        # Here and not among the budgets: a page tells the pace of now, not that of minutes ago.
        exhaustion = _joined([*_exhaustion(tenant)])
        yield Rule(naming.BUDGET_EXHAUSTION, exhaustion, tenant.position)


def budget_rules(tenant: ResolvedTenant) -> Iterator[Rule]:
    """Counts and ratios of the periods, and what is left of the budgets."""
    at = tenant.position
    yield from calendar_rules(tenant)
    for name, parts in _counts(tenant):
        yield Rule(name, _joined(parts), at)
    for name, period in {naming.error_ratio(p): p for p in periods_of(tenant)}.items():
        if period.calendar or period.nominal not in tier_windows(tenant.slos):
            ratio = render_expression(
                "window/period_ratio", tenant=tenant.name, period=naming.suffix(period)
            )
            yield Rule(name, ratio, at)
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
                    renames=renames_of(tenant, period),
                )
            only = _only(tenant, period) if len(periods) > 1 else ""
            found.setdefault(naming.increase(counted, period), []).append(_Part(expr, only))
    yield from found.items()


def _ratio(tenant: ResolvedTenant, window: Duration, timing: burn.Timing) -> str:
    """Divide the sums of a window."""
    tile, renames = timing.window_tile(window), renames_of(tenant, window)
    if tile is None:
        # A sum of rates over a span reaches back by that span plus the base.
        counted, range_ = "rate", window - timing.base
    elif tile == timing.slow:
        # One tile ends where the next begins, and the last one now. The millisecond keeps out that
        # of the far end, which 2.x, whose ranges are closed at both ends, would count too.
        counted, range_ = f"increase{tile}", window - MILLISECOND
    else:
        return render_expression(
            "window/tiled_ratio", tenant=tenant.name, window=window, tile=tile, renames=renames
        )
    return render_expression(
        "window/ratio", tenant=tenant.name, counted=counted, range=range_, renames=renames
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
