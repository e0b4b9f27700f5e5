"""The rules of budgets that begin with a week, month or quarter: where it began, what counts since.

All is computed from the time of the evaluation and from recorded tiles; no rule reads its own last
value. What Prometheus misses while it is down is missing from the counts, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler import naming
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Rule
from slo_compiler.plan.renames import renames_of
from slo_compiler.plan.tenant import periods_of
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.templating import promql_string, render_expression


def labels_of(period: Period) -> dict[str, str]:
    """Give the labels that tell a period from others, on slo_info too."""
    zone = {naming.UTC_OFFSET: period.offset} if period.calendar else {}
    return {naming.PERIOD: str(period), **zone}


def matchers_of(tenant: ResolvedTenant, period: Period) -> str:
    """Build the matchers of a tenant's series of one period."""
    labels = {naming.TENANT: tenant.name, **labels_of(period)}
    return ",".join(f"{name}={promql_string(value)}" for name, value in labels.items())


def calendar_rules(tenant: ResolvedTenant) -> Iterator[Rule]:
    """When each calendar's period began, and how much of it is over.

    They come first in their group: the rules after them read what the same evaluation recorded, at
    the first evaluation after a restart as well.
    """
    for period in periods_of(tenant):
        if not period.calendar:
            continue
        offset, labels = period.utc_offset * 60, labels_of(period)
        start = render_expression(f"window/{period.calendar}_start", offset=offset)
        own = ((naming.TENANT, tenant.name), *labels.items())
        yield Rule(naming.PERIOD_START, start, tenant.position, own)
        elapsed = render_expression(
            f"window/{period.calendar}_elapsed",
            period=matchers_of(tenant, period),
            **({} if period.calendar == "week" else {"offset": offset}),
        )
        # Labels tell promtool, too, that the rules of two calendars do not record the same.
        yield Rule(naming.PERIOD_ELAPSED, elapsed, tenant.position, own)


def calendar_count(tenant: ResolvedTenant, counted: str, period: Period) -> str:
    """Count a calendar period's events or errors so far."""
    lag = burn.tile_lag(period)
    return render_expression(
        "window/calendar",
        tenant=tenant.name,
        counted=counted,
        calendar=matchers_of(tenant, period),
        longest=period.longest,
        renames=renames_of(tenant, period),
        tile=burn.period_tile(period),
        lag=lag if lag.ms else None,
        lag_seconds=lag.ms // 1000,
    )
