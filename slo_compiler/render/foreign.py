"""Series under the names of other tools: copies of what is recorded, with their labels."""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.compat import ForeignNames
from slo_compiler.plan.rule import (
    Fact,
    ForeignRule,
    PyrraBurnRate,
    PyrraReading,
    PyrraSeries,
    SlothBudget,
    SlothCurrentBurn,
    SlothRatio,
)
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.render.model import Rule
from slo_compiler.render.shape import expression, tenant_expression
from slo_compiler.schema.compat import CompatTool
from slo_compiler.templating import promql_string

_DAY = Fraction(86_400_000)
_RATE_OVER = Duration.of(minutes=5)  # of Pyrra's rates of requests and errors
_MODE = "slo-compiler"
FOREIGN_FACTS = (Fact.SLOTH_INFO, Fact.SLOTH_DAYS, Fact.PYRRA_OBJECTIVE, Fact.PYRRA_WINDOW)


def foreign_fact(slo: PlannedSLO, names: ForeignNames, fact: Fact) -> Rule:
    """Render a fact about an SLO as another tool records it."""
    period = Fraction(slo.resolved.period.nominal.ms)
    match fact:
        case Fact.SLOTH_INFO:
            info = {"sloth_mode": _MODE, "sloth_spec": _MODE}
            info |= {"sloth_objective": str(slo.resolved.objective)}
            labels = {**slo.labels, **info, **dict(_labels(slo, names))}
            return _constant(slo, naming.SLOTH_INFO, Fraction(1), labels)
        case Fact.SLOTH_DAYS:
            return _constant(slo, naming.SLOTH_DAYS, period / _DAY, dict(_labels(slo, names)))
        case Fact.PYRRA_OBJECTIVE:
            labels = {**slo.labels, **dict(_labels(slo, names))}
            ratio = burn.objective_ratio(slo.resolved.objective)
            return _constant(slo, naming.PYRRA_OBJECTIVE, ratio, labels)
        case _:
            labels = {**slo.labels, **dict(_labels(slo, names))}
            return _constant(slo, naming.PYRRA_WINDOW, period / 1000, labels)


def _constant(slo: PlannedSLO, name: str, value: Fraction, labels: dict[str, str]) -> Rule:
    expr = f"vector({burn.literal(value)})"
    first = {**dict.fromkeys(naming.IDENTITY, ""), **dict(sorted(labels.items()))}
    return Rule(name, expr, slo.resolved.at("name"), tuple(first.items()))


def _labels(slo: PlannedSLO, names: ForeignNames) -> tuple[tuple[str, str], ...]:
    """Give an SLO's own labels and those of the tool; Pyrra's label `slo` is one of both."""
    own = dict(slo.identity.labels)
    if names.tool is CompatTool.PYRRA:
        own[naming.SLO] = names.slo
    return (*own.items(), *names.sloth_labels)


def foreign_rule(tenant: PlannedTenant, rule: ForeignRule) -> Rule:
    """Render a copy under the name of another tool."""
    match rule:
        case SlothRatio():
            series = naming.error_ratio(rule.span)
            expr = tenant_expression("foreign/sloth_copy", tenant.name, series=series)
            window = ((naming.SLOTH_WINDOW, naming.prometheus_span(rule.span)),)
            return Rule(naming.sloth_ratio(rule.span), expr, tenant.resolved.position, window)
        case SlothCurrentBurn():
            expr = tenant_expression("foreign/sloth_burn", tenant.name, parts=_shortest(tenant))
            return Rule(naming.SLOTH_CURRENT_BURN, expr, tenant.resolved.position)
        case SlothBudget():
            series = naming.BUDGET_REMAINING
            template = "foreign/sloth_copy" if rule.left else "foreign/sloth_period_burn"
            expr = tenant_expression(template, tenant.name, series=series)
            name = naming.SLOTH_REMAINING if rule.left else naming.SLOTH_PERIOD_BURN
            return Rule(name, expr, tenant.resolved.position)
        case PyrraSeries():
            return _pyrra_series(tenant, rule)
        case PyrraBurnRate():
            names = _names(rule.slo)
            series = naming.error_ratio(rule.window)
            return _pyrra(rule.slo, naming.pyrra_burn_rate(names.metric, rule.window), series)
        case _:
            assert_never(rule)


def _shortest(tenant: PlannedTenant) -> tuple[tuple[str, str], ...]:
    """Give the series of each SLO's shortest window, with the matchers of slo_info for its SLOs."""
    policies: dict[Duration, set[str]] = {}
    for slo in tenant.slos:
        window = min(tier_windows([slo.resolved]))
        policies.setdefault(window, set()).add(slo.resolved.policy.name)
    several = len(policies) > 1
    return tuple(
        (
            naming.error_ratio(window),
            f"policy=~{promql_string('|'.join(sorted(names)))}" if several else "",
        )
        for window, names in sorted(policies.items())
    )


def _pyrra_series(tenant: PlannedTenant, rule: PyrraSeries) -> Rule:
    base = tenant.timing.base
    over = "" if base >= _RATE_OVER else str(_RATE_OVER - base)
    match rule.reading:
        case PyrraReading.AVAILABILITY:
            series = naming.error_ratio(rule.slo.resolved.period)
            return _pyrra(rule.slo, naming.PYRRA_AVAILABILITY, series, good=True)
        case PyrraReading.REQUESTS:
            return _pyrra(rule.slo, naming.PYRRA_REQUESTS, naming.EVENTS_RATE, over=over)
        case PyrraReading.ERRORS:
            return _pyrra(rule.slo, naming.PYRRA_ERRORS, naming.ERRORS_RATE, over=over)


def _pyrra(slo: PlannedSLO, name: str, series: str, *, good: bool = False, over: str = "") -> Rule:
    names = _names(slo)
    expr = expression(
        "foreign/pyrra_copy",
        slo.identity,
        series=series,
        good=good,
        over=over,
    )
    # Its tables subtract one from another by all labels, so that all have the same.
    labels = (*_labels(slo, names), *slo.labels.items())
    return Rule(name, expr, slo.resolved.at("name"), labels)


def _names(slo: PlannedSLO) -> ForeignNames:
    assert slo.foreign is not None  # noqa: S101  (planned only where there are some)
    return slo.foreign
