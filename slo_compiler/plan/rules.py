"""All rule groups of a tenant, and the order of their rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.exclusions import tail
from slo_compiler.plan.foreign import facts_of, foreign_rules
from slo_compiler.plan.health import HealthAlert, health_alerts
from slo_compiler.plan.rule import (
    BaseSeries,
    BurnAlert,
    Constant,
    Counted,
    ExclusionActive,
    ExclusionScheduled,
    GuardCount,
    PyrraBurnRate,
    PyrraSeries,
    RecordingRule,
    ShadowAlert,
    Slices,
)
from slo_compiler.plan.slo import PlannedSLO, Tiers, plan_slo
from slo_compiler.plan.tenant import tenant_timing
from slo_compiler.plan.tiers import check_tiers
from slo_compiler.plan.vanished import check_vanished
from slo_compiler.plan.windows import budget_rules, guard_rules, tile_rules, window_rules
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import PrometheusSpec

MAX_GROUP = 20  # Mimir's default limit of rules in a group
Rule = RecordingRule | ShadowAlert | BurnAlert | HealthAlert


def slo_of(rule: Rule) -> PlannedSLO | None:
    """Give the SLO that a rule is about; none of a rule that is about all SLOs of a tenant."""
    match rule:
        case Constant() | ExclusionActive() | BaseSeries() | Slices() | ShadowAlert() | BurnAlert():
            return rule.slo
        case PyrraSeries() | PyrraBurnRate():
            return rule.slo
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Share:
    """Some SLOs of a tenant: those of these services, and of these names unless there are none."""

    services: tuple[str, ...]
    slos: tuple[str, ...] = ()

    def holds(self, service: str, slo: str) -> bool:
        """Whether an SLO is among them."""
        return service in self.services and (not self.slos or slo in self.slos)


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """A rule group: its rules are evaluated in order, every `interval`."""

    name: str
    part: str  # of naming.GROUPS
    interval: Duration
    rules: tuple[Rule, ...]
    share: Share | None = None  # of the SLOs that the rules about all SLOs are for


@dataclass(frozen=True, slots=True)
class PlannedTenant:
    """A tenant: the spans that its rules are built on, its SLOs, and its rules."""

    resolved: ResolvedTenant
    timing: burn.Timing
    slos: tuple[PlannedSLO, ...]
    groups: tuple[PlannedGroup, ...]
    guard_counts: Mapping[tuple[str, Duration], GuardCount]  # by what is counted and by window

    @property
    def name(self) -> str:
        """The tenant's name."""
        return self.resolved.name


def plan_tenant(tenant: ResolvedTenant, project: PrometheusSpec, report: Report) -> PlannedTenant:
    """Plan a tenant; findings about its tiers and queries go to `report`."""
    timing = tenant_timing(tenant, project.scrape_interval, project.evaluation_interval)
    check_tiers(tenant, timing, report)
    check_vanished(tenant, report)
    tiers = Tiers(tenant, timing)
    slos = tuple(plan_slo(tenant, slo, timing, tiers, report) for slo in tenant.slos)
    guards = [*guard_rules(tenant, timing, slos)]
    base = [
        *_scheduled(slos, timing),
        # A composite reads what its components record.
        *(rule for slo in sorted(slos, key=_is_composite) for rule in _base(slo, timing)),
        *window_rules(tenant, timing, tiled=False),
        *(guard for guard in guards if not timing.is_tiled(guard.window)),
        *_burn_alerts(slos, tiled=False),
    ]
    tiles = [
        *tile_rules(tenant, timing),
        *window_rules(tenant, timing, tiled=True),
        *(guard for guard in guards if timing.is_tiled(guard.window)),
        *_burn_alerts(slos, tiled=True),
    ]
    info = ([Constant(slo, fact) for fact in facts_of(slo)] for slo in slos)
    budget = ([rule] for rule in (*budget_rules(tenant), *foreign_rules(slos)))
    health = ([rule] for rule in health_alerts(tenant, timing))
    groups = [
        *_chunks(tenant, naming.INFO_GROUP, timing.slow, info),
        _chain(tenant, naming.BASE_GROUP, timing.evaluation, base),
        _chain(tenant, naming.TILES_GROUP, timing.slow, tiles),
        *_chunks(tenant, naming.BUDGET_GROUP, timing.slow, budget),
        *_chunks(tenant, naming.HEALTH_GROUP, timing.health, health),
    ]
    counts = {(str(guard.counted), guard.window): guard for guard in guards}
    return PlannedTenant(tenant, timing, slos, tuple(groups), counts)


def _is_composite(slo: PlannedSLO) -> bool:
    return bool(slo.components)


def _scheduled(slos: Sequence[PlannedSLO], timing: burn.Timing) -> Iterator[Rule]:
    """Give each exclusion once for all SLOs that look back by as much; they read it afterwards."""
    found = ((each, tail(slo.resolved, timing)) for slo in slos for each in slo.exclusions)
    seen: list[ExclusionScheduled] = []
    for exclusion, after in found:
        rule = ExclusionScheduled(exclusion, after)
        if rule not in seen:
            seen.append(rule)
            yield rule


def _base(slo: PlannedSLO, timing: burn.Timing) -> Iterator[Rule]:
    """Give the base pair; what it is made of comes first, so that all is of the same moment."""
    for exclusion in slo.exclusions:
        yield ExclusionActive(slo, exclusion, tail(slo.resolved, timing))
    if slo.resolved.slices is not None:
        yield from (BaseSeries(slo, counted, sliced=True) for counted in Counted)
        yield from (Slices(slo, counted) for counted in Counted)
    else:
        yield from (BaseSeries(slo, counted) for counted in Counted)


def _burn_alerts(slos: Sequence[PlannedSLO], *, tiled: bool) -> Iterator[Rule]:
    """Give the alerts whose long window reads tiles, or those whose long window does not."""
    for slo in slos:
        for tier in slo.tiers:
            if tier.tiled is not tiled:
                continue
            if slo.resolved.shadow:
                yield ShadowAlert(slo, tier)
                continue
            # Escalation over time is a second alert with a longer `for`, on a route of its own.
            for level in range(1, len(tier.waits) + 2):
                yield BurnAlert(slo, tier, level)


def _chain(
    tenant: ResolvedTenant, part: str, interval: Duration, rules: Iterable[Rule]
) -> PlannedGroup:
    """Keep rules in one group, whatever their number: each sees what those before it record.

    Groups have phases of their own, so that each hop from group to group makes alerts up to an
    evaluation late.
    """
    return PlannedGroup(naming.group(tenant.name, part, 1), part, interval, tuple(rules))


def _chunks(
    tenant: ResolvedTenant, part: str, interval: Duration, units: Iterable[Sequence[Rule]]
) -> Iterator[PlannedGroup]:
    """Split rules into groups within the limit; a unit that depends on its order stays whole."""
    chunks: list[list[Rule]] = [[]]
    for unit in units:
        if chunks[-1] and len(chunks[-1]) + len(unit) > MAX_GROUP:
            chunks.append([])
        chunks[-1] += unit
    for number, rules in enumerate(chunks, start=1):
        if rules:
            name = naming.group(tenant.name, part, number)
            yield PlannedGroup(name, part, interval, tuple(rules))
