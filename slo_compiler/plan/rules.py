"""All rule groups of a tenant: constants and base pairs here, the rest by their modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.alerts import burn_alerts, health_alerts
from slo_compiler.plan.base import base_rules
from slo_compiler.plan.calendars import labels_of
from slo_compiler.plan.composite import components_first
from slo_compiler.plan.ir import Group, Pairs, Rule, TenantRules
from slo_compiler.plan.tenant import (
    identity,
    user_labels,
)
from slo_compiler.plan.windows import budget_rules, tile_rules, window_rules
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.templating import render_expression

MAX_GROUP = 20  # Mimir's default limit of rules in a group


def plan_tenant(tenant: ResolvedTenant, timing: burn.Timing, report: Report) -> TenantRules:
    """Plan all groups of a tenant. Findings about its queries go to `report`."""
    base = [
        *(rule for slo in components_first(tenant) for rule in _base(tenant, slo, timing, report)),
        *window_rules(tenant, timing, tiled=False),
        *_burn_alerts(tenant, timing, tiled=False),
    ]
    tiles = [
        *tile_rules(tenant, timing),
        *window_rules(tenant, timing, tiled=True),
        *_burn_alerts(tenant, timing, tiled=True),
    ]
    info = (_constants(tenant, slo) for slo in tenant.slos)
    budget = ([rule] for rule in budget_rules(tenant))
    health = ([rule] for rule in health_alerts(tenant, timing))
    groups = [
        *_chunks(tenant, naming.INFO_GROUP, timing.slow, info),
        _chain(tenant, naming.BASE_GROUP, timing.evaluation, base),
        _chain(tenant, naming.TILES_GROUP, timing.slow, tiles),
        *_chunks(tenant, naming.BUDGET_GROUP, timing.slow, budget),
        *_chunks(tenant, naming.HEALTH_GROUP, timing.health, health),
    ]
    return TenantRules(tenant.name, tenant.source.name, tuple(groups))


def _burn_alerts(tenant: ResolvedTenant, timing: burn.Timing, *, tiled: bool) -> Iterator[Rule]:
    """Give the alerts whose long window reads tiles, or those whose long window does not."""
    for slo in tenant.slos:
        tiers = (t for t in slo.policy.tiers if timing.is_tiled(t.long_window) is tiled)
        yield from burn_alerts(tenant, slo, tiers, timing)


def _chain(tenant: ResolvedTenant, part: str, interval: Duration, rules: Iterable[Rule]) -> Group:
    """Keep rules in one group, whatever their number: each sees what those before it record.

    Groups have phases of their own, so that each hop from group to group makes alerts up to an
    evaluation late.
    """
    return Group(naming.group(tenant.name, part, 1), interval, tuple(rules))


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
        **labels_of(slo.period),
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
    clash = sorted({*slo.by} & {*user_labels(tenant, slo)})
    for label in clash:
        report.error(
            slo.at("sli", slo.spec.sli.body.KIND, "by"),
            "label-clash",
            f'"{label}" is both a label of the SLI (by) and a label of the SLO',
            "rename the SLO's label",
        )
    return base_rules(tenant, slo, timing, report)
