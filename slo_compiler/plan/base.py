"""The base pair of an SLO: the only rules that read what its targets expose."""

from __future__ import annotations

from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Rule
from slo_compiler.plan.sli import base_queries
from slo_compiler.plan.tenant import MILLISECOND, identity
from slo_compiler.templating import render_expression


def base_rules(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing, report: Report
) -> list[Rule]:
    """Plan events and errors of an SLO; nothing, if one of its queries is refused."""
    queries = base_queries(tenant, slo, timing.base_range, report)
    if queries is None:
        return []
    id_ = identity(tenant, slo)
    timed = {
        # Of samples, exactly those of one base: 2.x ranges hold both of their ends.
        "range": timing.base - MILLISECOND,
        "scrape": timing.scrape,
        "samples": burn.literal(Fraction(timing.base.ms, timing.scrape.ms)),
    }
    common = {"by": slo.by, "id": id_, "base": timing.base, **timed, **queries.values}
    events = render_expression(f"sli/{queries.events_template}", query=queries.events, **common)
    errors = render_expression(f"sli/{queries.errors_template}", query=queries.errors, **common)
    return [
        Rule(naming.EVENTS_RATE, events, queries.events_origin, labels=id_.labels),
        Rule(naming.ERRORS_RATE, errors, queries.errors_origin, labels=id_.labels),
    ]
