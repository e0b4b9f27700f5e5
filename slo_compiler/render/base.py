"""The rules of one SLO that are recorded: constants, exclusions, its base pair, its slices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache, partial

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.rule import (
    BaseSeries,
    Constant,
    Counted,
    ExclusionActive,
    ExclusionScheduled,
    Fact,
    GuardCount,
    Slices,
)
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.plan.sli import BaseQueries, base_queries
from slo_compiler.plan.slices import error_bound
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import MILLISECOND, Identity, identity
from slo_compiler.recurrence import DAY, Pattern
from slo_compiler.render.calendars import period_labels
from slo_compiler.render.foreign import FOREIGN_FACTS, foreign_fact
from slo_compiler.render.model import Rule
from slo_compiler.render.shape import expression, query_expression
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.templating import render_expression

_ROUNDING = Fraction(1, 10**9)
_RATE = {Counted.EVENTS: naming.EVENTS_RATE, Counted.ERRORS: naming.ERRORS_RATE}
_SLICED = {Counted.EVENTS: naming.SLICED_EVENTS_RATE, Counted.ERRORS: naming.SLICED_ERRORS_RATE}


def constant(tenant: PlannedTenant, rule: Constant) -> Rule:
    """Render a fact about an SLO."""
    slo = rule.slo.resolved
    foreign = rule.slo.foreign
    if foreign is not None and rule.fact in FOREIGN_FACTS:
        return foreign_fact(rule.slo, foreign, rule.fact)
    name, value, labels = naming.INFO, Fraction(1), rule.slo.identity.labels
    match rule.fact:
        case Fact.OBJECTIVE:
            name, value = naming.OBJECTIVE, burn.objective_ratio(slo.objective)
        case Fact.ERROR_BUDGET:
            name, value = naming.ERROR_BUDGET, rule.slo.error_budget
        case Fact.INFO:
            info = {
                **period_labels(slo.period),
                "policy": slo.policy.name,
                "objective": str(slo.objective),
                "owner": tenant.resolved.owner,
                "stage": slo.stage,
                **rule.slo.labels,
            }
            labels = (*labels, *sorted(info.items()))
    if foreign is not None and rule.fact is not Fact.INFO:
        labels = (*labels, *foreign.sloth_labels)  # Sloth's series of this name, too
    return Rule(name, f"vector({burn.literal(value)})", slo.at("name"), labels)


def base_series(tenant: PlannedTenant, rule: BaseSeries) -> Rule:
    """Render events or errors per second."""
    slo, names = rule.slo, _SLICED if rule.sliced else _RATE
    body = slo.resolved.spec.sli.body
    at = slo.resolved.at("sli", body.KIND)
    if slo.queries is None:
        expr = render_expression(
            "sli/composite",
            by=slo.by,
            series=_RATE[rule.counted],
            parts=[
                (part.identity, burn.literal(part.weight), part.excluded_beside)
                for part in slo.components
            ],
        )
    else:
        queries = slo.queries
        measured = partial(
            _measured,
            queries,
            slo.identity,
            slo.resolved,
            tenant.timing,
            names[Counted.EVENTS],
        )
        raw = measured() if rule.raw and rule.counted is Counted.ERRORS else ""
        expr = measured(rule.counted, raw)
        events = rule.counted is Counted.EVENTS
        at = queries.events_origin if events else queries.second_origin
    expr = expr if rule.sliced else _counted(slo, expr)
    return Rule(names[rule.counted], expr, at, slo.identity.labels)


def slices(tenant: PlannedTenant, rule: Slices) -> Rule:
    """Render slices, or bad slices, per second."""
    slo, spec = rule.slo, rule.slo.resolved.slices
    assert spec is not None  # noqa: S101  (planned only where there are some)
    values: dict[str, object] = {
        "id": slo.identity,
        "events_series": naming.SLICED_EVENTS_RATE,
        "range": spec.slice - MILLISECOND,
        "step": tenant.timing.base_step,
        "slice": spec.slice,
        "slice_seconds": burn.literal(Fraction(spec.slice.ms, 1000)),
        "idle": spec.idle,
    }
    if rule.counted is Counted.ERRORS:
        values["errors_series"] = naming.SLICED_ERRORS_RATE
        values["bound"] = burn.literal(error_bound(spec) + _ROUNDING)
    expr = _counted(slo, render_expression(f"sli/{rule.counted}_of_slices", **values))
    return Rule(
        _RATE[rule.counted], expr, slo.resolved.at("budgeting", "timeslices"), slo.identity.labels
    )


def guard_count(tenant: PlannedTenant, rule: GuardCount) -> Rule:
    """Render the events or errors of a window that guards read."""
    slo, timing, window = rule.slo, tenant.timing, rule.window
    expr = expression(
        "window/guard_count",
        slo.identity,
        counted=rule.counted,
        window=window,
        tile=timing.window_tile(window),
        range=window - MILLISECOND,
        step=timing.base_step,
        step_seconds=burn.literal(Fraction(timing.base_step.ms, 1000)),
        renames=(slo.former,) if slo.former else (),
    )
    name = naming.guard_count(rule.counted, window, taken=rule.taken)
    return Rule(name, expr, slo.resolved.at("name"), slo.identity.labels)


def exclusion_scheduled(tenant: PlannedTenant, rule: ExclusionScheduled) -> Rule:
    """Render 1 while an exclusion of a tenant is active."""
    exclusion = rule.exclusion
    return Rule(
        naming.EXCLUSION_SCHEDULED,
        active(exclusion.patterns, rule.after),
        exclusion.position,
        (
            (naming.TENANT, tenant.name),
            (naming.EXCLUSION, exclusion.spec.name),
            (naming.AFTER, str(rule.after)),
        ),
    )


def exclusion_active(rule: ExclusionActive, *, alone: bool = False) -> Rule:
    """Render 1 while an exclusion of an SLO is active.

    `alone`: what the tenant has scheduled is in another group, and would be read an evaluation
    late, so that the calendar is written here.
    """
    exclusion, id_ = rule.exclusion, rule.slo.identity
    return Rule(
        naming.EXCLUSION_ACTIVE,
        active(exclusion.patterns, rule.after)
        if alone
        else render_expression(
            "exclusion/of_slo", tenant=id_.tenant, exclusion=exclusion.spec.name, after=rule.after
        ),
        exclusion.position,
        (*id_.labels, (naming.EXCLUSION, exclusion.spec.name)),
    )


def events_expression(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing, window: Duration
) -> str | None:
    """Render the events per second that an SLO's own query counts; rates are taken over `window`.

    None if it has no query, or if that is refused.
    """
    queries = base_queries(tenant, slo, window, Report())
    if queries is None:
        return None
    return _measured(queries, identity(tenant, slo), slo, timing, naming.EVENTS_RATE)


def _measured(
    queries: BaseQueries,
    id_: Identity,
    slo: ResolvedSLO,
    timing: burn.Timing,
    events_series: str,
    counted: Counted = Counted.EVENTS,
    raw: str = "",
) -> str:
    pair, events = queries.pair, counted is Counted.EVENTS
    return query_expression(
        f"sli/{pair.events_template if events else pair.errors_template}",
        id_,
        queries.events if events else queries.second,
        by=slo.by,
        sources=slo.sources,
        renames=slo.renames,
        base=timing.base,
        events_series=events_series,
        raw=raw,
        # Of samples, exactly those of one base: 2.x ranges include both of their ends.
        range=timing.base - MILLISECOND,
        scrape=timing.scrape,
        samples=burn.literal(Fraction(timing.base.ms, timing.scrape.ms)),
        **pair.values,
    )


def _counted(slo: PlannedSLO, expr: str) -> str:
    """Let an expression of the base pair count nothing while an exclusion is active."""
    if not slo.exclusions:
        return expr
    return render_expression("exclusion/counted", id=slo.identity, expr=expr)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A pattern as the template writes it; `every` is empty for what happens once."""

    start: str
    end: str
    length: str
    every: str
    shown: str


@cache
def active(patterns: tuple[Pattern, ...], after: Duration) -> str:
    """Render when patterns are active, and for a while after each."""
    shown = [_shown(pattern, Fraction(after.ms, 1000)) for pattern in patterns]
    return render_expression("exclusion/active", patterns=shown)


def _shown(pattern: Pattern, after: Fraction) -> _Shown:
    once = pattern.count == 1
    first, last = pattern.start, pattern.start + pattern.length
    until = f"{_utc(last)} UTC"
    if not once:
        until += f", each {'day' if pattern.every == DAY else 'week'} until {_utc(pattern.end)}"
    return _Shown(
        str(pattern.start),
        burn.literal(pattern.end + after),
        burn.literal(pattern.length + after),
        "" if once else str(pattern.every),
        f"{_utc(first)} to {until}, and {burn.literal(after)}s",
    )


def _utc(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
