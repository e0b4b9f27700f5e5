"""The isolated rates behind an SLO's base pair, whatever its SLI type."""

from __future__ import annotations

from dataclasses import dataclass

from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.manifest.sli.base import Term
from slo_compiler.promql import QueryError, prepare, selector


@dataclass(frozen=True, slots=True)
class BaseRates:
    """Isolated expressions, in events per second, and the template that makes errors of them."""

    events: str
    errors: str
    template: str
    events_origin: Position
    errors_origin: Position


def base_rates(
    tenant: ResolvedTenant, slo: ResolvedSLO, window: Duration, report: Report
) -> BaseRates | None:
    """Isolate the queries of an SLO; None if any is refused, each told at its own token."""
    pair = slo.spec.sli.body.base_pair()
    events = _rate(tenant, slo, pair.events, window, report)
    errors = _rate(tenant, slo, pair.errors, window, report)
    if events is None or errors is None:
        return None
    kind = slo.spec.sli.body.KIND
    origins = (slo.at("sli", kind, term.field) for term in (pair.events, pair.errors))
    return BaseRates(events, errors, pair.template, *origins)


def _rate(
    tenant: ResolvedTenant, slo: ResolvedSLO, term: Term, window: Duration, report: Report
) -> str | None:
    body = slo.spec.sli.body

    def isolated(query: str) -> str:
        if term.suffix:
            series = selector(query, tenant.matchers, term.suffix, term.matcher)
            return f"rate({series}[{window}])"
        return prepare(query, tenant.matchers, window)

    def refused(query: str) -> bool:
        try:
            isolated(query)
        except QueryError:
            return True
        return False

    try:
        return isolated(getattr(body, term.field))
    except QueryError as error:
        loc = (*slo.loc, "sli", body.KIND, term.field)
        at = slo.document.within(loc, error.offset, error.width, refused)
        report.error(at, error.id, error.message, error.help)
        return None
