"""The isolated queries behind an SLO's base pair, whatever its SLI type."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.promql import QueryError, prepare, prepare_value, samples, selector
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema.sli.base import BasePair, Reading, Term


@dataclass(frozen=True, slots=True)
class BaseQueries:
    """The isolated expressions of an SLI, and what they mean."""

    pair: BasePair
    events: str
    second: str
    events_origin: Position
    second_origin: Position


def base_queries(
    tenant: ResolvedTenant, slo: ResolvedSLO, window: Duration, report: Report
) -> BaseQueries | None:
    """Isolate the queries of an SLO; None if it has none or one is refused, at its token."""
    body = slo.spec.sli.body
    pair = body.base_pair()
    if pair is None:
        return None
    events = _isolated(tenant, slo, pair.events, window, report)
    same = pair.second == pair.events  # and reported once
    second = events if same else _isolated(tenant, slo, pair.second, window, report)
    if events is None or second is None:
        return None
    return BaseQueries(
        pair,
        events,
        second,
        slo.at("sli", body.KIND, pair.events.field),
        slo.at("sli", body.KIND, pair.second.field),
    )


def _isolated(
    tenant: ResolvedTenant, slo: ResolvedSLO, term: Term, window: Duration, report: Report
) -> str | None:
    body, matchers = slo.spec.sli.body, tuple(tenant.matchers.items())

    def isolated(query: str) -> str:
        return _expression(query, term, matchers, window, tenant.isolating)

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


@lru_cache(maxsize=4_096)  # rules and proofs ask for the same; the parser takes its time
def _expression(
    query: str,
    term: Term,
    matchers: tuple[tuple[str, str], ...],
    window: Duration,
    isolating: frozenset[str],
) -> str:
    own = dict(matchers)
    match term.reading:
        case Reading.RATE:
            return prepare(query, own, window, isolating)
        case Reading.FAMILY:
            return f"rate({selector(query, own, term.suffix, term.matcher)}[{window}])"
        case Reading.SAMPLES:
            return samples(query, own)
        case Reading.VALUE:
            return prepare_value(query, own, window, isolating)
