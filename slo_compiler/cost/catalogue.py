"""Which series a tenant's rules record, so that it is known how many a selector matches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from slo_compiler import naming
from slo_compiler.cost.model import Assumed, Owner
from slo_compiler.duration import Duration
from slo_compiler.emit.emitter import EvaluatedRules
from slo_compiler.plan.rule import (
    BudgetExhaustion,
    BudgetRemaining,
    Constant,
    ExclusionActive,
    ExclusionScheduled,
    GuardCount,
    PeriodCount,
    PeriodElapsed,
    PeriodRatio,
    PeriodStart,
    ShadowAlert,
    SlothBudget,
    SlothCurrentBurn,
    SlothRatio,
    Tile,
    WindowBurnRate,
    WindowRatio,
)
from slo_compiler.plan.rules import PlannedTenant, Rule, Share, slo_of
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import Identity
from slo_compiler.promql import Selector
from slo_compiler.render import Rule as RuleText
from slo_compiler.schema.compat import CompatTool

Counts = dict[Owner, float]


@dataclass(frozen=True, slots=True)
class RecordedSeries:
    """Series of one metric that have these labels, beside those of `by`."""

    owner: Owner
    labels: dict[str, str]
    number: float


class Catalogue:
    """The series that a tenant's rules record, by metric and SLO."""

    def __init__(self, rules: EvaluatedRules, assumed: Assumed) -> None:
        """Collect what the rules record."""
        self.by_owner: Counts = {}
        self._intervals: dict[str, Duration] = {}
        self._series: dict[str, dict[Owner, list[RecordedSeries]]] = {}
        self._selected: dict[Selector, Counts] = {}
        for planned, text in zip(rules.planned.groups, rules.rules.groups, strict=True):
            for rule, written in zip(planned.rules, text.rules, strict=True):
                if written.alert:
                    continue
                self._intervals[written.name] = planned.interval
                for series in _recorded(rules.planned, rule, written, planned.share, assumed):
                    of_metric = self._series.setdefault(written.name, {})
                    of_metric.setdefault(series.owner, []).append(series)
                    self.by_owner[series.owner] = self.by_owner.get(series.owner, 0) + series.number

    def interval(self, metric: str) -> Duration | None:
        """Return how often a metric is recorded; None if no rule does."""
        return self._intervals.get(metric)

    def select(self, selector: Selector) -> Counts:
        """Return how many of the recorded series a selector matches, by SLO."""
        if selector not in self._selected:
            found: Counts = {}
            for series in self._candidates(selector):
                if series.number and selector.selects(selector.metric, series.labels):
                    found[series.owner] = found.get(series.owner, 0) + series.number
            self._selected[selector] = found
        return self._selected[selector]

    def _candidates(self, selector: Selector) -> Iterable[RecordedSeries]:
        """Give the series of the one SLO that a selector names, or all of its metric."""
        of_metric = self._series.get(selector.metric, {})
        named = {m.name: m.value for m in selector.matchers if m.op == "="}
        if all(label in named for label in naming.IDENTITY):
            return of_metric.get(Identity(*(named[label] for label in naming.IDENTITY)), ())
        return [series for each in of_metric.values() for series in each]


def combinations(slo: PlannedSLO, assumed: Assumed) -> float:
    """Return how many series each metric of an SLO has."""
    return assumed.combined(slo.identity) if slo.by else 1


def _recorded(
    tenant: PlannedTenant, rule: Rule, text: RuleText, share: Share | None, assumed: Assumed
) -> Iterator[RecordedSeries]:
    """Give the series that a recording rule writes while there is traffic, and no exclusion."""
    slo = rule.slo if isinstance(rule, GuardCount) else slo_of(rule)
    labels = dict(text.labels)
    match rule:
        case ExclusionScheduled() | ExclusionActive() | ShadowAlert():
            return  # they have a result for hours of a year
        case Constant():
            yield RecordedSeries(rule.slo.identity, labels, 1)
        case PeriodStart() | PeriodElapsed():
            yield RecordedSeries(None, {naming.TENANT: tenant.name, **labels}, 1)
        case (
            Tile()
            | WindowRatio()
            | WindowBurnRate()
            | BudgetExhaustion()
            | PeriodCount()
            | PeriodRatio()
            | BudgetRemaining()
            | SlothRatio()
            | SlothCurrentBurn()
            | SlothBudget()
        ):
            for each in tenant.slos:
                if _is_about(rule, each, share):
                    whole = isinstance(rule, BudgetRemaining) and rule.whole
                    number = 1 if whole else combinations(each, assumed)
                    yield RecordedSeries(each.identity, dict(each.identity.labels), number)
        case _ if slo is not None:
            yield RecordedSeries(slo.identity, labels, combinations(slo, assumed))


def _is_about(rule: Rule, slo: PlannedSLO, share: Share | None) -> bool:
    if share is not None and not share.holds(slo.identity.service, slo.identity.slo):
        return False
    period = slo.resolved.period
    match rule:
        case SlothRatio() | SlothCurrentBurn() | SlothBudget():
            return slo.foreign is not None and slo.foreign.tool is CompatTool.SLOTH
        case PeriodCount():
            return period in rule.periods
        case PeriodRatio():
            return naming.suffix(period) == naming.suffix(rule.period)
        case _:
            return True
