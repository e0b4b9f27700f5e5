"""The base pair of an SLO: the only rules that read what its targets expose."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.composite import composite_rules
from slo_compiler.plan.exclusions import active_rules, counted
from slo_compiler.plan.ir import Rule
from slo_compiler.plan.sli import base_queries
from slo_compiler.plan.slices import slice_rules
from slo_compiler.plan.tenant import MILLISECOND, identity
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema.sli.composite import Composite
from slo_compiler.templating import render_expression


def base_rules(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing, report: Report
) -> list[Rule]:
    """Plan events and errors of an SLO; nothing, if one of its queries is refused.

    Where the budget is one of slices, the events beneath them come first.
    """
    slices = slo.slices
    names = (naming.EVENTS_RATE, naming.ERRORS_RATE)
    if slices is None:
        beneath, pair = [], _counted(tenant, slo, timing, report, *names)
    else:
        sliced = (naming.SLICED_EVENTS_RATE, naming.SLICED_ERRORS_RATE)
        beneath = _counted(tenant, slo, timing, report, *sliced)
        pair = slice_rules(tenant, slo, slices, timing, report)
    pair = [replace(rule, expr=counted(tenant, slo, rule.expr)) for rule in pair]
    return [*active_rules(tenant, slo, timing), *beneath, *pair]


def _counted(
    tenant: ResolvedTenant,
    slo: ResolvedSLO,
    timing: burn.Timing,
    report: Report,
    events_series: str,
    errors_series: str,
) -> list[Rule]:
    if isinstance(slo.spec.sli.body, Composite):
        return composite_rules(tenant, slo, events_series, errors_series, report)
    queries = base_queries(tenant, slo, timing.base_range, report)
    if queries is None:
        return []
    id_, values = identity(tenant, slo), _values(tenant, slo, timing, events_series)
    events, errors = (
        render_expression(f"sli/{template}", query=query, **values, **queries.values)
        for template, query in (
            (queries.events_template, queries.events),
            (queries.errors_template, queries.errors),
        )
    )
    return [
        Rule(events_series, events, queries.events_origin, labels=id_.labels),
        Rule(errors_series, errors, queries.errors_origin, labels=id_.labels),
    ]


def events_expression(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing, window: Duration
) -> str | None:
    """Give the events per second that an SLO's own query counts; rates are taken over `window`.

    None if it has no query, or if that is refused.
    """
    queries = base_queries(tenant, slo, window, Report())
    if queries is None:
        return None
    values = _values(tenant, slo, timing, naming.EVENTS_RATE)
    return render_expression(
        f"sli/{queries.events_template}", query=queries.events, **values, **queries.values
    )


def _values(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing, events_series: str
) -> dict[str, object]:
    """Give what the templates of SLIs use beside the query."""
    return {
        "by": slo.by,
        "id": identity(tenant, slo),
        "base": timing.base,
        "events_series": events_series,
        # Of samples, exactly those of one base: 2.x ranges hold both of their ends.
        "range": timing.base - MILLISECOND,
        "scrape": timing.scrape,
        "samples": burn.literal(Fraction(timing.base.ms, timing.scrape.ms)),
    }
