"""Alerts without an SLO's name: low budgets, missing data, and the rules themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.alike import AlikeSLOs, alike_slos
from slo_compiler.plan.exclusions import recurring
from slo_compiler.plan.tenant import budget_steps, exhaustion_steps, tier_windows
from slo_compiler.plan.vanished import VanishedAlert, vanished_alerts
from slo_compiler.resolve.exclusions import ResolvedExclusion
from slo_compiler.resolve.model import ResolvedTenant

# The span of which the alert on failing rules counts failures. It waits no shorter, so that a
# single one fires nothing.
_FAILURES_OF = Duration.of(minutes=5)


class Evaluator(Enum):
    """What evaluates the rules, and counts its failures in metrics of its own."""

    PROMETHEUS = "prometheus"
    VMALERT = "vmalert"


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    """Less of a budget is left than a percentage."""

    percent: Decimal
    about: AlikeSLOs


@dataclass(frozen=True, slots=True)
class ExhaustionAlert:
    """At this pace a budget is spent within a span."""

    within: Duration
    about: AlikeSLOs


@dataclass(frozen=True, slots=True)
class NoDataAlert:
    """An SLO has no events any more."""

    for_: Duration


@dataclass(frozen=True, slots=True)
class IntegrityAlert:
    """Errors and events contradict each other."""

    for_: Duration


@dataclass(frozen=True, slots=True)
class StaleAlert:
    """There are events, but a series that is made of them has no value: its rule fails or is late.

    The series is the error ratio of a window, or what is left of the budget.
    """

    window: Duration | None
    for_: Duration


@dataclass(frozen=True, slots=True)
class ExclusionEndsAlert:
    """An exclusion that recurs runs out soon."""

    exclusion: ResolvedExclusion
    end: int  # seconds since 1970


@dataclass(frozen=True, slots=True)
class RulesFailingAlert:
    """Rule groups fail, or miss evaluations."""

    for_: Duration
    evaluator: Evaluator = Evaluator.PROMETHEUS


@dataclass(frozen=True, slots=True)
class WatchdogAlert:
    """Always fires: its absence shows that no alert arrives."""


HealthAlert = (
    BudgetAlert
    | ExhaustionAlert
    | NoDataAlert
    | VanishedAlert
    | IntegrityAlert
    | StaleAlert
    | ExclusionEndsAlert
    | RulesFailingAlert
    | WatchdogAlert
)


def health_alerts(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[HealthAlert]:
    """Give a tenant's alerts on its budgets, its data and its rules."""
    wait = min(slo.policy.spec.no_data_for for slo in tenant.slos)
    if not all(slo.recorded_only for slo in tenant.slos):
        yield from _about_slos(tenant, timing, wait)
    for exclusion, end in recurring(tenant):
        yield ExclusionEndsAlert(exclusion, end)
    yield RulesFailingAlert(max(wait, _FAILURES_OF))
    yield WatchdogAlert()


def _about_slos(
    tenant: ResolvedTenant, timing: burn.Timing, wait: Duration
) -> Iterator[HealthAlert]:
    alike = [*alike_slos(tenant)]
    yield from (BudgetAlert(percent, one) for percent in budget_steps(tenant) for one in alike)
    yield from (ExhaustionAlert(span, one) for span in exhaustion_steps(tenant) for one in alike)
    yield NoDataAlert(wait)
    yield from vanished_alerts(tenant, wait)
    yield IntegrityAlert(wait)
    yield StaleAlert(min(tier_windows(tenant.slos)), wait)
    # A tile is complete one tile after the first event, and read at the next step.
    settled = max(burn.period_tile(slo.period) for slo in tenant.slos) * 2 + timing.slow * 2
    yield StaleAlert(None, max(wait, settled))
