"""The rules without an SLO's name: tiles, windows, burn rates and budgets of a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.renames import renames_of
from slo_compiler.plan.rule import (
    BudgetExhaustion,
    BudgetRemaining,
    PeriodCount,
    PeriodElapsed,
    PeriodRatio,
    PeriodStart,
    Tile,
    WindowBurnRate,
    WindowRatio,
)
from slo_compiler.plan.rules import PlannedTenant, Share
from slo_compiler.plan.tenant import MILLISECOND, periods_of
from slo_compiler.render.calendars import (
    calendar_count,
    period_elapsed,
    period_matchers,
    period_start,
)
from slo_compiler.render.model import Rule
from slo_compiler.render.shape import tenant_expression
from slo_compiler.templating import promql_string, render_expression

SharedRule = (
    Tile
    | WindowRatio
    | WindowBurnRate
    | BudgetExhaustion
    | PeriodStart
    | PeriodElapsed
    | PeriodCount
    | PeriodRatio
    | BudgetRemaining
)


@dataclass(frozen=True, slots=True)
class _Part:
    expr: str
    only: str = ""  # matchers of slo_info for the SLOs that the part is for


def shared_rule(  # noqa: PLR0911  (a table)
    tenant: PlannedTenant, rule: SharedRule, share: Share | None = None
) -> Rule:
    """Render a rule of all SLOs of a tenant, or of a share of them."""
    at = tenant.resolved.position
    match rule:
        case Tile():
            return Rule(naming.increase(rule.counted, rule.length), _tile(tenant, rule, share), at)
        case WindowRatio():
            expr = _ratio(tenant, rule.window, share)
            return Rule(naming.error_ratio(rule.window), expr, at)
        case WindowBurnRate():
            expr = tenant_expression("window/burn_rate", tenant.name, window=rule.window)
            return Rule(naming.burn_rate(rule.window), expr, at)
        case BudgetExhaustion():
            return Rule(naming.BUDGET_EXHAUSTION, _joined(_exhaustion(tenant)), at)
        case PeriodStart():
            return period_start(tenant, rule)
        case PeriodElapsed():
            return period_elapsed(tenant, rule)
        case PeriodCount():
            name = naming.increase(rule.counted, rule.periods[0])
            return Rule(name, _joined(_counts(tenant, rule)), at)
        case PeriodRatio():
            expr = tenant_expression(
                "window/period_ratio", tenant.name, period=naming.suffix(rule.period)
            )
            return Rule(naming.error_ratio(rule.period), expr, at)
        case BudgetRemaining():
            name = naming.BUDGET_WHOLE if rule.whole else naming.BUDGET_REMAINING
            template = "window/budget_whole" if rule.whole else "window/budget_remaining"
            return Rule(name, _joined(_remaining(tenant, template)), at)
        case _:
            assert_never(rule)


def _joined(parts: Iterable[_Part]) -> str:
    parts = [*parts]
    if len(parts) == 1 and not parts[0].only:
        return parts[0].expr
    return render_expression("window/parts", parts=parts)


def _only(tenant: PlannedTenant, period: Period, policies: Iterable[str] = ()) -> str:
    """Build slo_info's matchers for the SLOs of a period, or of a period and some policies."""
    matchers = [period_matchers(tenant, period)]
    names = sorted(set(policies))
    if names:
        matchers.append(f"policy=~{promql_string('|'.join(names))}")
    return ",".join(matchers)


def _matchers(share: Share | None) -> str:
    """Write the matchers of a share, to follow that of the tenant."""
    if share is None:
        return ""
    return "".join(
        f",{label}={promql_string(names[0])}"
        if len(names) == 1
        # A dot is the one character of a name that means something in a regular expression.
        else f",{label}=~{promql_string('|'.join(names).replace('.', '[.]'))}"
        for label, names in ((naming.SERVICE, share.services), (naming.SLO, share.slos))
        if names
    )


def _tile(tenant: PlannedTenant, rule: Tile, share: Share | None) -> str:
    step = tenant.timing.base_step
    return tenant_expression(
        "window/tile",
        tenant.name,
        counted=rule.counted,
        range=rule.length - MILLISECOND,
        step=step,
        step_seconds=burn.literal(Fraction(step.ms, 1000)),
        only=_matchers(share),
    )


def _counts(tenant: PlannedTenant, rule: PeriodCount) -> Iterator[_Part]:
    several = len(periods_of(tenant.resolved)) > 1
    for period in rule.periods:
        if period.calendar:
            expr = calendar_count(tenant, rule.counted, period)
        else:
            expr = tenant_expression(
                "window/period",
                tenant.name,
                counted=rule.counted,
                period=period,
                tile=burn.period_tile(period),
                renames=tuple(renames_of(tenant.resolved, period)),
            )
        yield _Part(expr, _only(tenant, period) if several else "")


def _ratio(tenant: PlannedTenant, window: Duration, share: Share | None) -> str:
    """Divide the sums of a window."""
    timing, only = tenant.timing, _matchers(share)
    renames = tuple(
        rename
        for rename in renames_of(tenant.resolved, window)
        if share is None or share.holds(rename.new.service, rename.new.slo)
    )
    tile = timing.window_tile(window)
    if tile is None:
        # A sum of rates over a span reaches back by that span plus the base.
        counted, range_ = "rate", window - timing.base
    elif tile == timing.slow:
        # One tile ends where the next begins, and the last one now. The millisecond keeps out that
        # of the far end, which 2.x, whose ranges are closed at both ends, would count too.
        counted, range_ = f"increase{tile}", window - MILLISECOND
    else:
        return tenant_expression(
            "window/tiled_ratio",
            tenant.name,
            window=window,
            tile=tile,
            renames=renames,
            only=only,
        )
    return tenant_expression(
        "window/ratio", tenant.name, counted=counted, range=range_, renames=renames, only=only
    )


def _remaining(tenant: PlannedTenant, template: str) -> Iterator[_Part]:
    periods = periods_of(tenant.resolved)
    for period in periods:
        expr = tenant_expression(
            template,
            tenant.name,
            period=naming.suffix(period),
            calendar=period_matchers(tenant, period) if period.calendar else None,
        )
        yield _Part(expr, _only(tenant, period) if len(periods) > 1 else "")


def _exhaustion(tenant: PlannedTenant) -> Iterator[_Part]:
    paces: dict[tuple[Period, Duration], set[str]] = {}
    for slo in tenant.resolved.slos:
        paces.setdefault((slo.period, slo.policy.pace_window), set()).add(slo.policy.name)
    for (period, window), policies in sorted(paces.items()):
        expr = tenant_expression(
            "window/budget_exhaustion",
            tenant.name,
            window=window,
            period_seconds=burn.literal(Fraction(period.nominal.ms, 1000)),
        )
        yield _Part(expr, _only(tenant, period, policies) if len(paces) > 1 else "")
