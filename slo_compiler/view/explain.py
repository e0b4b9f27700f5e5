"""What an SLO amounts to: its budget, its alerts, who is notified, and where each value is from.

Everything comes from the plan that compile writes, so that what is shown is what will happen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher, get_close_matches
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.cost import Usage, tenant_cost
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn, plan_tenant, reach
from slo_compiler.plan.guards import guards_of
from slo_compiler.plan.health import HealthAlert
from slo_compiler.plan.routes import plan_routing
from slo_compiler.plan.rule import BurnAlert, Constant, GuardCount
from slo_compiler.plan.rules import PlannedTenant, slo_of
from slo_compiler.plan.rules import Rule as PlannedRule
from slo_compiler.proofs.generate.routes import routes_by_alert
from slo_compiler.render import rule_text, tenant_rules
from slo_compiler.resolve.dependencies import dependencies
from slo_compiler.resolve.metadata import metadata_of
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import ProjectSpec, Tier
from slo_compiler.source import Document
from slo_compiler.view.audience import Audience, audiences_of
from slo_compiler.view.relations import Relations, relations_of
from slo_compiler.view.values import Value, metadata_values, place, values_of

Found = list[tuple[ResolvedTenant, list[ResolvedSLO]]]
MUCH_LIKE = 0.05
SLOWER = 10  # times the threshold: an incident that is no outage

_EXACT = 10_000  # a share of more digits is rounded


@dataclass(frozen=True, slots=True)
class TierFacts:
    """When one alert fires and ends; times are of constant error ratios from a clean history."""

    tier: str
    alert: str  # its name
    severity: str
    budget_share: str
    long_window: str
    short_window: str
    burn_rate: str
    threshold: str
    wait: str  # the tier's `for`
    guard: str  # from how much traffic on: 5 errors, 100 events
    fires_at_full_outage: str
    fires_at_ten_times: str  # the threshold; nothing if that is more than all events
    ends: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What Prometheus evaluates and stores for the SLO."""

    own_recording_rules: int
    own_alerts: int
    shared_recording_rules: int  # of the tenant, one for all of its SLOs
    shared_by_slos: int
    series: int  # for each combination of `by`
    samples_per_second: float  # that evaluation reads, its share of the tenant's rules included
    cpu_ratio: float  # of a core, for evaluation


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is shown of one SLO."""

    slo: str
    at: str
    description: str
    template: str
    shadow: bool
    recorded_only: bool
    values: tuple[Value, ...]
    budget_ratio: str
    budget_outage: str
    budget_events: str
    tiers: tuple[TierFacts, ...]
    by: tuple[str, ...]
    queries: tuple[tuple[str, str], ...]  # the SLO's own recorded series, as they are emitted
    notified: tuple[Audience, ...]
    relations: Relations
    cost: Cost


def select(tenants: Sequence[ResolvedTenant], wanted: str) -> Found:
    """Find the SLOs of TENANT, TENANT/SERVICE or TENANT/SERVICE/SLO."""
    found = []
    for tenant in tenants:
        slos = [s for s in tenant.slos if f"{_name(tenant, s)}/".startswith(f"{wanted}/")]
        if slos:
            found.append((tenant, slos))
    return found


def similar(tenants: Sequence[ResolvedTenant], wanted: str) -> list[str]:
    """Give the nearest names of the same depth, nearest first."""
    depth = min(wanted.count("/"), 2) + 1
    names = {
        "/".join(_name(tenant, slo).split("/")[:depth]) for tenant in tenants for slo in tenant.slos
    }
    near = get_close_matches(wanted, sorted(names), n=3, cutoff=0.6)
    likeness = [SequenceMatcher(None, wanted, name).ratio() for name in near]
    return [n for n, like in zip(near, likeness, strict=True) if like > likeness[0] - MUCH_LIKE]


def explain(
    found: Found,
    tenants: Sequence[ResolvedTenant],
    project: ProjectSpec,
    project_document: Document | None,
    report: Report,
    now: datetime,
) -> Iterator[Explanation]:
    """Explain SLOs; what the plan finds wrong with them goes to `report`.

    Args:
        found: the SLOs, by tenant.
        tenants: all tenants, of which some inhibit others' alerts.
        project: the settings for all.
        project_document: the file of these settings.
        report: takes the findings.
        now: the time from which on exclusions are listed.

    Raises:
        CompileError: the tenant's rules cannot be planned.
    """
    planned: dict[str, PlannedTenant] = {}  # each once, however many depend on it
    for tenant, slos in found:
        names = {one.name for one in _related(tenant, tenants)}
        related = [one for one in tenants if one.name in names]
        for one in related:
            if one.name not in planned:
                planned[one.name] = plan_tenant(one, project.prometheus, report)
        report.raise_if_failed()
        routing = plan_routing(related, project, tenant.position)
        expected = [*routes_by_alert(planned[tenant.name], related)]
        by_slo = {id(one.resolved): one for one in planned[tenant.name].slos}
        cost = tenant_cost(planned[tenant.name], tenant_rules(planned[tenant.name]), project)
        assert cost is not None  # noqa: S101  (a Prometheus takes any rules)
        usages = {one.slo.identity: one.usage for one in cost.slos}
        for slo in slos:
            own = _own(planned[tenant.name], slo)
            usage = usages[by_slo[id(slo)].identity]
            budget = burn.error_budget(slo.objective)
            yield Explanation(
                slo=_name(tenant, slo),
                at=place(slo.at("name")),
                description=slo.spec.description,
                template=slo.spec.template or "",
                shadow=slo.shadow,
                recorded_only=slo.recorded_only,
                values=(
                    *values_of(slo, project_document),
                    *metadata_values(slo, project_document),
                ),
                budget_ratio=burn.literal(budget),
                budget_outage=str(Duration(int(slo.period.nominal.ms * budget))),
                budget_events=f"{budget.numerator} in {budget.denominator}",
                tiers=tuple(tier_facts(slo, tier) for tier in slo.tiers),
                by=slo.by,
                queries=tuple(
                    (text.name, text.expr)
                    for rule in own
                    if not isinstance(rule, BurnAlert | Constant)
                    for text in [rule_text(planned[tenant.name], rule)]
                ),
                notified=tuple(audiences_of(tenant, slo, routing, expected)),
                relations=relations_of(
                    planned[tenant.name], by_slo[id(slo)], project, project_document, now
                ),
                cost=_cost(planned[tenant.name], usage),
            )


def _related(tenant: ResolvedTenant, tenants: Sequence[ResolvedTenant]) -> Iterator[ResolvedTenant]:
    """Give a tenant, and those whose SLOs its own depend on, at whatever distance."""
    by_name = {one.name: one for one in tenants}
    seen, waiting = {tenant.name}, [tenant.name]
    while waiting:
        one = by_name[waiting.pop()]
        yield one
        others = {key[0] for slo in one.slos for key in dependencies(one, slo)} - seen
        seen |= others
        waiting += sorted(others)


def _name(tenant: ResolvedTenant, slo: ResolvedSLO) -> str:
    return f"{tenant.name}/{slo.spec.service}/{slo.spec.name}"


def tier_facts(slo: ResolvedSLO, tier: Tier) -> TierFacts:
    """Give what one tier of an SLO amounts to."""
    factor = reach.burn_factor(slo, tier)
    threshold = burn.threshold(factor, slo.objective)

    def fires(error_ratio: Fraction) -> str:
        detected = reach.detection_time(slo, tier, error_ratio)
        return "never" if detected is None else _rounded(detected)

    return TierFacts(
        tier=tier.name,
        alert=metadata_of(slo, tier.severity, tier.name).name or naming.ALERT_BURN,
        severity=tier.severity,
        budget_share=_percent(reach.budget_share(slo, tier)),
        long_window=str(tier.long_window),
        short_window=str(tier.short_window),
        burn_rate=burn.literal(factor),
        threshold=burn.literal(threshold),
        wait=str(tier.for_ or ""),
        guard=", ".join(guard.words for guard in guards_of(slo, tier)),
        fires_at_full_outage=fires(Fraction(1)),
        fires_at_ten_times=fires(threshold * SLOWER) if threshold * SLOWER <= 1 else "",
        ends=_rounded(burn.reset_time(tier.short_window, threshold, Fraction(1))),
    )


def _percent(share: Fraction) -> str:
    return f"{burn.literal(share) if share.denominator <= _EXACT else f'{float(share):.3g}'}%"


def _rounded(seconds: float) -> str:
    return str(Duration.of(seconds=round(seconds)))


def _own(tenant: PlannedTenant, slo: ResolvedSLO) -> list[PlannedRule]:
    """Give the rules that are about an SLO alone, but those that count for guards."""
    return [
        rule
        for group in tenant.groups
        for rule in group.rules
        if (planned := slo_of(rule)) is not None and planned.resolved is slo
    ]


def _cost(tenant: PlannedTenant, usage: Usage) -> Cost:
    shared = sum(
        not isinstance(rule, HealthAlert | GuardCount) and slo_of(rule) is None
        for group in tenant.groups
        for rule in group.rules
    )
    return Cost(
        own_recording_rules=usage.recording_rules,
        own_alerts=usage.alerting_rules,
        shared_recording_rules=shared,
        shared_by_slos=len(tenant.slos),
        series=usage.recording_rules + shared,
        samples_per_second=usage.samples_per_second,
        cpu_ratio=usage.cpu_ratio or 0,
    )
