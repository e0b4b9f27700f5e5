"""The alerts of a plan as the routing tree reads them: typed, with their labels made here only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from slo_compiler import naming
from slo_compiler.diagnostics import Position
from slo_compiler.plan.burn import literal
from slo_compiler.plan.health import (
    BudgetAlert,
    ExclusionEndsAlert,
    ExhaustionAlert,
    HealthAlert,
    IntegrityAlert,
    NoDataAlert,
    RulesFailingAlert,
    StaleAlert,
    WatchdogAlert,
)
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.plan.rule import BurnAlert
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.plan.tenant import Identity
from slo_compiler.plan.vanished import VanishedAlert
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.resolve.steps import BudgetStep, EscalationLevel, ExhaustionStep, ResolvedStep
from slo_compiler.schema.severity import SeverityLevel

Target = EscalationLevel | BudgetStep | ExhaustionStep


@dataclass(frozen=True, slots=True)
class RoutedAlert:
    """An alert of one SLO, or of a tenant's rules as a whole."""

    name: str
    identity: Identity
    tier: str
    severity: SeverityLevel | None  # none of the watchdog
    target: Target | None  # which steps it is for; none of the watchdog
    position: Position  # the line of the SLO in the manifest
    burn: BurnAlert | None = None
    others: Pairs = ()  # labels that users and severities put on it, which routes do not read

    @property
    def labels(self) -> Pairs:
        """Its labels, as far as routes and inhibitions read them."""
        label = self.severity.label if self.severity else naming.SEVERITY_HEARTBEAT
        window = self.burn.tier.spec.long_window if self.burn else None
        return (
            ("alertname", self.name),
            *self.identity.labels,
            (naming.SEVERITY, label),
            (naming.TIER, self.tier),
            *_distinguishing(self.target),
            *([(naming.LONG_WINDOW, str(window))] if window else []),
        )

    @property
    def steps(self) -> tuple[ResolvedStep, ...]:
        """The steps that it reaches."""
        return self.target.steps if self.target else ()


def matchers(tenant: ResolvedTenant, target: Target) -> Pairs:
    """Return what an alert must carry to be for a tenant's steps."""
    own = _distinguishing(target)
    if isinstance(target, EscalationLevel):
        return ((naming.SEVERITY, tenant.level(target.severity).label), *own)
    return own


def receiver(tenant: ResolvedTenant, target: Target, step: ResolvedStep) -> str:
    """Name the receiver of a step."""
    hours = [step.spec.hours] if step.spec.hours else []
    return naming.receiver(tenant.name, *_parts(target), *hours)


def alerts_of(planned: PlannedTenant) -> Iterator[RoutedAlert]:
    """Return all alerts of a tenant, in the order of its rules; those on health once for an SLO."""
    for group in planned.groups:
        for rule in group.rules:
            if isinstance(rule, BurnAlert):
                yield _burn(planned.resolved, rule)
            elif isinstance(rule, HealthAlert):
                yield from _health(planned.resolved, rule)


def _burn(tenant: ResolvedTenant, rule: BurnAlert) -> RoutedAlert:
    severity = rule.tier.severity
    return RoutedAlert(
        rule.tier.alert,
        rule.slo.identity,
        rule.tier.spec.name,
        severity,
        tenant.escalation.levels(severity.name)[rule.level - 1],
        rule.slo.resolved.at("name"),
        rule,
        rule.other_labels,
    )


def _health(tenant: ResolvedTenant, rule: HealthAlert) -> Iterator[RoutedAlert]:
    levels = [tenant.level(severity) for severity in tenant.health_severities]
    name, tier, severity, about = _kind(rule, levels[0], levels[-1])
    target: Target | None = None
    if isinstance(rule, BudgetAlert):
        target = tenant.escalation.budget(rule.percent)
    elif isinstance(rule, ExhaustionAlert):
        target = tenant.escalation.exhaustion(rule.within)
    elif severity is not None:
        target = tenant.escalation.levels(severity.name)[0]
    slos = tenant.live or tenant.slos
    if isinstance(rule, VanishedAlert):
        slos = rule.slos
    elif isinstance(rule, BudgetAlert | ExhaustionAlert):
        slos = rule.about.slos
    if about is not None:
        id_ = Identity(tenant.name, naming.RULES_SERVICE, about)
        yield RoutedAlert(name, id_, tier, severity, target, slos[-1].at("name"))
        return
    others = dict(severity.labels) if severity else {}
    if isinstance(rule, BudgetAlert | ExhaustionAlert):
        others |= rule.about.metadata.labels
    more = tuple(sorted(others.items()))
    for slo in slos:
        id_ = Identity(tenant.name, slo.spec.service, slo.spec.name)
        yield RoutedAlert(name, id_, tier, severity, target, slo.at("name"), others=more)


def _kind(  # noqa: PLR0911  (a table)
    rule: HealthAlert, urgent: SeverityLevel, lenient: SeverityLevel
) -> tuple[str, str, SeverityLevel | None, str | None]:
    """Return name, tier, severity, and what is in place of an SLO where the alert is about none."""
    match rule:
        case BudgetAlert():
            tier = naming.budget_tier(literal(Fraction(rule.percent)))
            return rule.about.metadata.name or naming.ALERT_BUDGET_LOW, tier, lenient, None
        case ExhaustionAlert():
            name = rule.about.metadata.name or naming.ALERT_EXHAUSTION
            return name, naming.exhaustion_tier(rule.within), lenient, None
        case NoDataAlert():
            return naming.ALERT_NO_DATA, "no-data", urgent, None
        case VanishedAlert():
            tier = naming.vanished_tier(rule.by, rule.within)
            return naming.ALERT_VANISHED, tier, urgent, None
        case IntegrityAlert():
            return naming.ALERT_INTEGRITY, "integrity", urgent, None
        case StaleAlert():
            tier = "rules-budget" if rule.window is None else "rules-windows"
            return naming.ALERT_STALE, tier, urgent, None
        case ExclusionEndsAlert():
            return naming.ALERT_EXCLUSION_ENDS, "exclusion-ends", lenient, naming.RULES_SLO
        case RulesFailingAlert():
            return naming.ALERT_RULES_FAILING, "rules-failing", urgent, naming.RULES_SLO
        case WatchdogAlert():
            return naming.ALERT_WATCHDOG, "watchdog", None, naming.WATCHDOG_SLO
        case _:
            assert_never(rule)


def _distinguishing(target: Target | None) -> Pairs:
    """Return the labels that distinguish an alert from others of its severity."""
    match target:
        case EscalationLevel():
            return ((naming.ESCALATION, str(target.number)),) if target.number > 1 else ()
        case BudgetStep():
            return ((naming.BUDGET_BELOW, f"{literal(Fraction(target.percent))}%"),)
        case ExhaustionStep():
            return ((naming.EXHAUSTED_WITHIN, str(target.within)),)
        case None:
            return ()
        case _:
            assert_never(target)


def _parts(target: Target) -> tuple[str, ...]:
    """Return the parts of a receiver's name that distinguish the steps of one target."""
    match target:
        case EscalationLevel():
            wait = [f"{naming.WAIT_PREFIX}{target.wait}"] if target.wait else []
            return (target.severity, *wait)
        case BudgetStep():
            return (naming.budget_tier(literal(Fraction(target.percent))),)
        case ExhaustionStep():
            return (naming.exhaustion_tier(target.within),)
        case _:
            assert_never(target)
