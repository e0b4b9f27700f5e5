"""All rule groups of a tenant: constants and base pairs here, the rest by their modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.plan import burn
from slo_compiler.plan.alerts import burn_alerts, health_alerts
from slo_compiler.plan.exclusions import active_rules, counted
from slo_compiler.plan.ir import Group, Pairs, Rule, TenantRules
from slo_compiler.plan.sli import base_rates
from slo_compiler.plan.tenant import (
    identity,
    user_labels,
)
from slo_compiler.plan.windows import budget_rules, tile_rules, window_rules
from slo_compiler.templating import render_expression

MAX_GROUP = 20  # Mimir's default limit of rules in a group


def plan_tenant(tenant: ResolvedTenant, timing: burn.Timing, report: Report) -> TenantRules:
    """Plan all groups of a tenant. Findings about its queries go to `report`."""
    groups = [
        *_chunks(tenant, "info", timing.evaluation, (_constants(tenant, s) for s in tenant.slos)),
        *_chunks(
            tenant,
            "base",
            timing.evaluation,
            (_base(tenant, s, timing, report) for s in tenant.slos),
        ),
        *_chunks(tenant, "tiles", timing.tiling, [[r] for r in tile_rules(tenant, timing)]),
        *_chunks(tenant, "windows", timing.evaluation, [[r] for r in window_rules(tenant, timing)]),
        *_chunks(tenant, "budget", timing.slow, [[r] for r in budget_rules(tenant)]),
        *_chunks(
            tenant,
            "alerts",
            timing.evaluation,
            ([*burn_alerts(tenant, s, timing)] for s in tenant.slos),
        ),
        *_chunks(tenant, "health", timing.evaluation, [[r] for r in health_alerts(tenant, timing)]),
    ]
    return TenantRules(tenant.name, tenant.source.name, tuple(groups))


def _chunks(
    tenant: ResolvedTenant, part: str, interval: Duration, units: Iterable[list[Rule]]
) -> Iterator[Group]:
    """Split rules into groups within the limit; a unit that depends on its order stays whole."""
    chunks: list[list[Rule]] = [[]]
    for unit in units:
        if chunks[-1] and len(chunks[-1]) + len(unit) > MAX_GROUP:
            chunks.append([])
        chunks[-1] += unit
    for number, rules in enumerate(chunks, start=1):
        if rules:
            yield Group(naming.group(tenant.name, part, number), interval, tuple(rules))


def _constants(tenant: ResolvedTenant, slo: ResolvedSLO) -> list[Rule]:
    id_, at = identity(tenant, slo), slo.at("name")
    info = {
        "period": str(slo.period),
        "policy": slo.policy.name,
        "objective": str(slo.objective),
        "owner": tenant.owner,
        "stage": slo.spec.stage,
        **user_labels(tenant, slo),
    }

    def constant(name: str, value: Fraction, labels: Pairs = ()) -> Rule:
        expr = render_expression("window/constant", value=burn.literal(value))
        return Rule(name, expr, at, labels=(*id_.labels, *labels))

    return [
        constant(naming.OBJECTIVE, burn.objective_ratio(slo.objective)),
        constant(naming.ERROR_BUDGET, burn.error_budget(slo.objective)),
        constant(naming.INFO, Fraction(1), tuple(sorted(info.items()))),
    ]


def _base(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing, report: Report
) -> list[Rule]:
    id_ = identity(tenant, slo)
    clash = sorted({*slo.by} & {*user_labels(tenant, slo)})
    for label in clash:
        report.error(
            slo.at("sli", slo.spec.sli.body.KIND, "by"),
            "label-clash",
            f'"{label}" is both a label of the SLI (by) and a label of the SLO',
            "rename the SLO's label",
        )
    rates = base_rates(tenant, slo, timing.base_range, report)
    if rates is None:
        return []
    events = render_expression("sli/events", by=slo.by, rate=rates.events)
    errors = render_expression(
        f"sli/{rates.template}", by=slo.by, rate=rates.errors, id=id_, base=timing.base
    )
    return [
        *active_rules(tenant, slo, timing),
        Rule(
            naming.EVENTS_RATE,
            counted(tenant, slo, events),
            rates.events_origin,
            labels=id_.labels,
        ),
        Rule(
            naming.ERRORS_RATE,
            counted(tenant, slo, errors),
            rates.errors_origin,
            labels=id_.labels,
        ),
    ]
