"""Periods as labels and matchers, and the counts of those that begin with a calendar's.

All is computed from the time of the evaluation and from recorded tiles; no rule reads its own last
value. What Prometheus misses while it is down is missing from the counts, and nothing else is.
"""

from __future__ import annotations

from slo_compiler import naming
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.renames import renames_of
from slo_compiler.plan.rule import Counted, PeriodElapsed, PeriodStart
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.render.model import Rule
from slo_compiler.templating import promql_string, render_expression


def period_labels(period: Period) -> dict[str, str]:
    """Return the labels that distinguish a period from others, on slo_info too."""
    zone = {naming.UTC_OFFSET: period.offset} if period.calendar else {}
    return {naming.PERIOD: str(period), **zone}


def period_matchers(tenant: PlannedTenant, period: Period) -> str:
    """Build the matchers of a tenant's series of one period."""
    labels = {naming.TENANT: tenant.name, **period_labels(period)}
    return ",".join(f"{name}={promql_string(value)}" for name, value in labels.items())


def period_start(tenant: PlannedTenant, rule: PeriodStart) -> Rule:
    """Render when a calendar's period began."""
    period = rule.period
    expr = render_expression(f"window/{period.calendar}_start", offset=period.utc_offset * 60)
    return _of_calendar(tenant, period, naming.PERIOD_START, expr)


def period_elapsed(tenant: PlannedTenant, rule: PeriodElapsed) -> Rule:
    """Render how much of a calendar's period is over."""
    period = rule.period
    expr = render_expression(
        f"window/{period.calendar}_elapsed",
        period=period_matchers(tenant, period),
        **({} if period.calendar == "week" else {"offset": period.utc_offset * 60}),
    )
    return _of_calendar(tenant, period, naming.PERIOD_ELAPSED, expr)


def _of_calendar(tenant: PlannedTenant, period: Period, name: str, expr: str) -> Rule:
    # By the labels promtool knows, too, that the rules of two calendars do not record the same.
    labels = ((naming.TENANT, tenant.name), *period_labels(period).items())
    return Rule(name, expr, tenant.resolved.position, labels)


def calendar_count(tenant: PlannedTenant, counted: Counted, period: Period) -> str:
    """Render a calendar period's events or errors so far."""
    lag = burn.tile_lag(period)
    return render_expression(
        "window/calendar",
        tenant=tenant.name,
        counted=counted,
        calendar=period_matchers(tenant, period),
        longest=period.longest,
        renames=renames_of(tenant.resolved, period),
        tile=burn.period_tile(period),
        lag=lag if lag.ms else None,
        lag_seconds=lag.ms // 1000,
    )
