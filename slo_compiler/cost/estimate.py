"""What each SLO of a tenant costs, by the rules that are about it and its share of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slo_compiler.cost.catalogue import Catalogue, combinations
from slo_compiler.cost.model import NOTHING_KNOWN, SECONDS_A_RULE, Assumed, Owner, Usage
from slo_compiler.cost.reading import Reader
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.emit import BY_NAME
from slo_compiler.emit.emitter import EvaluatedRules, TenantContext
from slo_compiler.plan.rule import GuardCount
from slo_compiler.plan.rules import PlannedTenant, Rule, slo_of
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.render import Rule as RuleText
from slo_compiler.render import TenantRules
from slo_compiler.schema import ProjectSpec

ENGINES = tuple(name for name, emitter in BY_NAME.items() if emitter.evaluated is not None)
# Of vmalert no time was measured; Mimir's and Thanos' rulers evaluate with Prometheus' engine.
_MEASURED = frozenset({"prometheus", "operator", "thanos", "mimir"})


@dataclass(frozen=True, slots=True)
class SLOCost:
    """What an SLO costs: rules are those about it alone, all else has its share of the others."""

    slo: PlannedSLO
    usage: Usage


@dataclass(frozen=True, slots=True)
class TenantCost:
    """What a tenant costs, and each of its SLOs; the dearest first."""

    planned: PlannedTenant
    usage: Usage
    slos: tuple[SLOCost, ...]


@dataclass(slots=True)
class _Rate:
    """What is spent for an SLO in a second."""

    recording: int = 0
    alerting: int = 0
    samples: float = 0
    seconds: float = 0


def tenant_cost(
    planned: PlannedTenant,
    rules: TenantRules,
    project: ProjectSpec,
    target: str = "prometheus",
    assumed: Assumed = NOTHING_KNOWN,
) -> TenantCost | None:
    """Estimate what a tenant's rules cost on the engine of a target; None if they do not fit.

    Args:
        planned: the tenant.
        rules: its rules, as they are planned.
        project: the settings for all tenants.
        target: one of ENGINES.
        assumed: how many series there are that no manifest declares.
    """
    evaluated = BY_NAME[target].evaluated
    assert evaluated is not None  # noqa: S101  (the targets that are offered have it)
    context = TenantContext(planned, rules, project, (planned.resolved,))
    report = Report()  # what does not fit is reported by the compile
    found = evaluated(context, report)
    if found is None or report.failed:
        return None
    return _cost(found, project, assumed, timed=target in _MEASURED)


def _cost(
    rules: EvaluatedRules, project: ProjectSpec, assumed: Assumed, *, timed: bool
) -> TenantCost:
    planned, catalogue = rules.planned, Catalogue(rules, assumed)
    rates: dict[Owner, _Rate] = {None: _Rate(), **{s.identity: _Rate() for s in planned.slos}}
    for rule, text, interval in _pairs(rules):
        slo = rule.slo if isinstance(rule, GuardCount) else slo_of(rule)
        own = rates[slo.identity if slo else None]
        own.recording += not text.alert
        own.alerting += text.alert
        own.seconds += SECONDS_A_RULE / interval.seconds
        reader = Reader(
            catalogue,
            assumed,
            slo.identity if slo else None,
            combinations(slo, assumed) if slo else 1,
            planned.timing.scrape,
            project.prometheus.evaluation_interval,
            len(planned.groups),
        )
        for owner, load in reader.read(text.expr).items():
            rates[owner].samples += load.samples / interval.seconds
            rates[owner].seconds += load.seconds / interval.seconds
    shared, number = rates.pop(None), len(planned.slos)
    together = catalogue.by_owner.get(None, 0)
    costs = [
        SLOCost(
            slo,
            Usage(
                (own := rates[slo.identity]).recording,
                own.alerting,
                series=catalogue.by_owner.get(slo.identity, 0) + together / number,
                samples_per_second=own.samples + shared.samples / number,
                cpu_ratio=own.seconds + shared.seconds / number if timed else None,
            ),
        )
        for slo in planned.slos
    ]
    usage = Usage(
        shared.recording + sum(cost.usage.recording_rules for cost in costs),
        shared.alerting + sum(cost.usage.alerting_rules for cost in costs),
        rules.groups,
        sum(catalogue.by_owner.values()),
        sum(cost.usage.samples_per_second for cost in costs),
        sum(cost.usage.cpu_ratio or 0 for cost in costs) if timed else None,
    )
    return TenantCost(planned, usage, tuple(sorted(costs, key=_dearest_first)))


def _pairs(rules: EvaluatedRules) -> Iterator[tuple[Rule, RuleText, Duration]]:
    for group, text in zip(rules.planned.groups, rules.rules.groups, strict=True):
        for rule, written in zip(group.rules, text.rules, strict=True):
            yield rule, written, group.interval


def _dearest_first(cost: SLOCost) -> tuple[float, float, str, str]:
    usage, identity = cost.usage, cost.slo.identity
    return (
        -(usage.cpu_ratio or 0),
        -usage.samples_per_second,
        identity.service,
        identity.slo,
    )
