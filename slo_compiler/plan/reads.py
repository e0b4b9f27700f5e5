"""Which recorded series a planned rule reads: what must be recorded before it, and visible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.health import (
    BudgetAlert,
    ExclusionEndsAlert,
    ExhaustionAlert,
    IntegrityAlert,
    NoDataAlert,
    RulesFailingAlert,
    StaleAlert,
    WatchdogAlert,
)
from slo_compiler.plan.rule import (
    BaseSeries,
    BudgetExhaustion,
    BudgetRemaining,
    BurnAlert,
    Constant,
    Counted,
    ExclusionActive,
    ExclusionScheduled,
    ForeignRule,
    GuardCount,
    PeriodCount,
    PeriodElapsed,
    PeriodRatio,
    PeriodStart,
    PyrraBurnRate,
    PyrraReading,
    PyrraSeries,
    ShadowAlert,
    Slices,
    SlothBudget,
    SlothCurrentBurn,
    SlothRatio,
    Tile,
    WindowBurnRate,
    WindowRatio,
)
from slo_compiler.plan.rules import PlannedTenant, Rule
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import Identity, periods_of, tier_windows
from slo_compiler.plan.vanished import VanishedAlert
from slo_compiler.promql import metrics_of

RATE = {Counted.EVENTS: naming.EVENTS_RATE, Counted.ERRORS: naming.ERRORS_RATE}
SLICED = {Counted.EVENTS: naming.SLICED_EVENTS_RATE, Counted.ERRORS: naming.SLICED_ERRORS_RATE}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded series: its name, and the SLO that it is of; None for those of all SLOs."""

    name: str
    of: Identity | None = None

    def meets(self, other: Recorded) -> bool:
        """Whether both may be the same."""
        either = self.of is None or other.of is None
        return self.name == other.name and (either or self.of == other.of)


def subject_of(rule: Rule) -> Identity | None:
    """Return the SLO of which a rule records series; None if it records those of all SLOs."""
    match rule:
        case Constant() | ExclusionActive() | BaseSeries() | Slices() | GuardCount():
            return rule.slo.identity
        case ShadowAlert() | BurnAlert() | PyrraSeries() | PyrraBurnRate():
            return rule.slo.identity
        case _:
            return None


def reads(tenant: PlannedTenant, rule: Rule) -> Iterator[Recorded]:  # noqa: C901, PLR0912  (a table)
    """Give the recorded series that a rule's expression and its annotations read."""
    match rule:
        case Constant() | ExclusionScheduled() | PeriodStart():
            pass
        case ExclusionActive():
            yield Recorded(naming.EXCLUSION_SCHEDULED)
        case BaseSeries():
            yield from _of_base(rule)
        case Slices():
            yield from (Recorded(name, rule.slo.identity) for name in SLICED.values())
            yield from _exclusions(rule.slo)
        case Tile():
            yield Recorded(RATE[rule.counted])
        case GuardCount():
            yield Recorded(_summed(tenant, rule.counted, rule.window))
        case WindowRatio():
            yield from (Recorded(_summed(tenant, counted, rule.window)) for counted in Counted)
        case WindowBurnRate():
            yield from _named(naming.error_ratio(rule.window), naming.ERROR_BUDGET)
        case BudgetExhaustion():
            paces = sorted({slo.policy.pace_window for slo in tenant.resolved.slos})
            yield from _named(*map(naming.burn_rate, paces), naming.BUDGET_REMAINING, naming.INFO)
        case PeriodElapsed():
            yield Recorded(naming.PERIOD_START)
        case PeriodCount():
            yield from _of_period(rule)
        case PeriodRatio():
            yield from (Recorded(naming.increase(counted, rule.period)) for counted in Counted)
        case BudgetRemaining():
            for period in periods_of(tenant.resolved):
                yield from _of_budget(period, whole=rule.whole)
            yield from _named(naming.ERROR_BUDGET, naming.INFO)
        case SlothRatio() | SlothCurrentBurn() | SlothBudget() | PyrraSeries() | PyrraBurnRate():
            yield from map(Recorded, _of_foreign(tenant, rule))
        case BurnAlert() | ShadowAlert():
            yield from _of_alert(tenant, rule)
        case BudgetAlert() | ExhaustionAlert() | NoDataAlert() | VanishedAlert():
            yield from _of_health(rule)
        case IntegrityAlert() | StaleAlert() | ExclusionEndsAlert():
            yield from _of_health(rule)
        case RulesFailingAlert() | WatchdogAlert():
            pass
        case _:
            assert_never(rule)


def _named(*names: str) -> Iterator[Recorded]:
    return map(Recorded, names)


def _exclusions(slo: PlannedSLO) -> Iterator[Recorded]:
    if slo.exclusions:
        yield Recorded(naming.EXCLUSION_ACTIVE, slo.identity)


def _of_base(rule: BaseSeries) -> Iterator[Recorded]:
    slo, names = rule.slo, SLICED if rule.sliced else RATE
    if not rule.sliced:
        yield from _exclusions(slo)
    if slo.queries is None:
        for part in slo.components:
            for id_ in (part.identity, *part.excluded_beside):
                yield Recorded(RATE[rule.counted], id_)
            yield Recorded(naming.EXCLUSION_ACTIVE, part.identity)
        return
    # Users may read what is recorded, too: their queries are text alone.
    yield from map(Recorded, metrics_of(slo.queries.events))
    if rule.counted is Counted.ERRORS:
        yield from map(Recorded, metrics_of(slo.queries.second))
        if not rule.raw:
            yield Recorded(names[Counted.EVENTS], slo.identity)


def _summed(tenant: PlannedTenant, counted: Counted, window: Duration) -> str:
    """Name the series that a window is a sum of."""
    tile = tenant.timing.window_tile(window)
    return RATE[counted] if tile is None else naming.increase(counted, tile)


def _of_period(rule: PeriodCount) -> Iterator[Recorded]:
    for period in rule.periods:
        yield Recorded(naming.increase(rule.counted, burn.period_tile(period)))
        if period.calendar:
            yield Recorded(naming.PERIOD_START)
    yield Recorded(naming.INFO)


def _of_budget(period: Period, *, whole: bool) -> Iterator[Recorded]:
    if whole or period.calendar:
        yield from (Recorded(naming.increase(counted, period)) for counted in Counted)
    if not whole:
        yield Recorded(naming.error_ratio(period))
    if period.calendar:
        yield Recorded(naming.PERIOD_ELAPSED)


def _of_foreign(tenant: PlannedTenant, rule: ForeignRule) -> Iterator[str]:
    match rule:
        case SlothRatio():
            yield from (naming.error_ratio(rule.span), naming.SLOTH_INFO)
        case SlothCurrentBurn():
            shortest = {min(tier_windows([slo.resolved])) for slo in tenant.slos}
            yield from map(naming.error_ratio, sorted(shortest))
            yield from (naming.ERROR_BUDGET, naming.INFO, naming.SLOTH_INFO)
        case SlothBudget():
            yield from (naming.BUDGET_REMAINING, naming.SLOTH_INFO)
        case PyrraSeries(reading=PyrraReading.AVAILABILITY):
            yield naming.error_ratio(rule.slo.resolved.period)
        case PyrraSeries(reading=reading):
            yield RATE[Counted.EVENTS if reading is PyrraReading.REQUESTS else Counted.ERRORS]
        case PyrraBurnRate():
            yield naming.error_ratio(rule.window)
        case _:
            assert_never(rule)


def _of_alert(tenant: PlannedTenant, rule: BurnAlert | ShadowAlert) -> Iterator[Recorded]:
    tier, id_ = rule.tier, rule.slo.identity
    windows = (tier.spec.long_window, tier.spec.short_window)
    yield from (Recorded(naming.error_ratio(window)) for window in windows)
    for guard in tier.guards:
        count = tenant.guard_counts[guard.counted, tier.spec.long_window]
        name = naming.guard_count(count.counted, count.window, taken=count.taken)
        yield Recorded(name, id_)
    if isinstance(rule, BurnAlert):  # its annotations
        yield Recorded(naming.BUDGET_REMAINING)


def _of_health(
    rule: BudgetAlert
    | ExhaustionAlert
    | NoDataAlert
    | VanishedAlert
    | IntegrityAlert
    | StaleAlert
    | ExclusionEndsAlert,
) -> Iterator[Recorded]:
    match rule:
        case BudgetAlert():
            names: Iterable[str] = (naming.BUDGET_REMAINING, naming.INFO)
        case ExhaustionAlert():
            names = (naming.BUDGET_EXHAUSTION, naming.INFO)
        case NoDataAlert():
            names = (naming.EVENTS_RATE, naming.INFO, naming.EXCLUSION_ACTIVE)
        case VanishedAlert():
            tile = naming.increase(Counted.EVENTS, rule.tile)
            names = (tile, naming.EVENTS_RATE, naming.EXCLUSION_ACTIVE)
        case IntegrityAlert():
            names = (*RATE.values(), *SLICED.values(), naming.INFO, naming.EXCLUSION_ACTIVE)
        case StaleAlert():
            of_window = rule.window and naming.error_ratio(rule.window)
            names = (of_window or naming.BUDGET_REMAINING, *RATE.values(), naming.INFO)
        case ExclusionEndsAlert():
            names = ()
    yield from map(Recorded, names)
