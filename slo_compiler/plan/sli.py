"""The isolated queries behind an SLO's base pair, whatever its SLI type."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.promql import QueryError, prepare, prepare_value, samples, selector
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema.sli.base import BasePair, Reading, Term
from slo_compiler.source import Loc
from slo_compiler.templating import render_expression


@dataclass(frozen=True, slots=True)
class BaseQueries:
    """The isolated expressions of an SLI, and what they mean; labels have their own names there."""

    pair: BasePair
    events: str
    second: str
    events_origin: Position
    second_origin: Position
    events_terms: TermQueries
    second_terms: TermQueries


def base_queries(
    tenant: ResolvedTenant, slo: ResolvedSLO, window: Duration, report: Report
) -> BaseQueries | None:
    """Isolate the queries of an SLO; None if it has none or one is refused, at its token."""
    body = slo.spec.sli.body
    pair = body.base_pair()
    if pair is None:
        return None
    events = term_queries(tenant, slo, pair.events, window, report)
    same = pair.second == pair.events  # and reported once
    second = events if same else term_queries(tenant, slo, pair.second, window, report)
    if events is None or second is None:
        return None
    return BaseQueries(
        pair,
        events.expression(slo.sources),
        second.expression(slo.sources),
        slo.at("sli", body.KIND, pair.events.field),
        slo.at("sli", body.KIND, pair.second.field),
        events,
        second,
    )


@dataclass(frozen=True, slots=True)
class TermQueries:
    """The isolated expressions of a term: what is added up, and what is taken away from it."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()

    def expression(self, by: tuple[str, ...]) -> str:
        """Write them as one expression: a missing one is zero as long as one of `plus` is there."""
        if len(self.plus) == 1 and not self.minus:
            return self.plus[0]
        return render_expression("sli/terms", by=by, plus=self.plus, minus=self.minus)


def term_queries(
    tenant: ResolvedTenant, slo: ResolvedSLO, term: Term, window: Duration, report: Report
) -> TermQueries | None:
    """Isolate the queries of a term; None if one is refused, at its token."""
    plus = _of_field(tenant, slo, term, term.field, window, report)
    minus = _of_field(tenant, slo, term, term.minus, window, report) if term.minus else ()
    return None if plus is None or minus is None else TermQueries(plus, minus)


def _of_field(
    tenant: ResolvedTenant,
    slo: ResolvedSLO,
    term: Term,
    field: str,
    window: Duration,
    report: Report,
) -> tuple[str, ...] | None:
    """Isolate the queries of a key of the SLI: one, or those of a list."""
    given = getattr(slo.spec.sli.body, field)
    loc: Loc = (*slo.loc, "sli", slo.spec.sli.body.KIND, field)
    listed = [(given, loc)]
    if isinstance(given, list):
        listed = [(query, (*loc, index)) for index, query in enumerate(given)]
    found = [_isolated(tenant, slo, term, query, at, window, report) for query, at in listed]
    isolated = tuple(query for query in found if query is not None)
    return isolated if len(isolated) == len(found) else None


def _isolated(
    tenant: ResolvedTenant,
    slo: ResolvedSLO,
    term: Term,
    query: str,
    loc: Loc,
    window: Duration,
    report: Report,
) -> str | None:
    matchers = tuple(tenant.matchers.items())

    def isolated(query: str) -> str:
        return _expression(query, term, matchers, window, tenant.isolating)

    def refused(query: str) -> bool:
        try:
            isolated(query)
        except QueryError:
            return True
        return False

    try:
        return isolated(query)
    except QueryError as error:
        at = slo.document.within(loc, error.offset, error.width, refused)
        report.error(at, error.id, error.message, error.help)
        return None


@lru_cache(maxsize=4_096)  # rules and proofs need the same; parsing takes time
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
        case _:
            assert_never(term.reading)
