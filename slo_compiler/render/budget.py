"""The alerts on what is left of budgets, and on the pace at which they go."""

from __future__ import annotations

from fractions import Fraction

from slo_compiler import naming
from slo_compiler.plan import burn
from slo_compiler.plan.alike import AlikeSLOs
from slo_compiler.plan.health import BudgetAlert, ExhaustionAlert
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.plan.tenant import identity
from slo_compiler.render.model import Rule
from slo_compiler.render.shape import tenant_expression
from slo_compiler.render.tenant_alert import matchers_of, silent_slos, tenant_alert
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.severity import SeverityLevel


def budget_alert(tenant: ResolvedTenant, rule: BudgetAlert, severity: SeverityLevel) -> Rule:
    """Render the alert on budgets of which less than a percentage is left."""
    shown = burn.literal(Fraction(rule.percent))
    return tenant_alert(
        tenant,
        naming.ALERT_BUDGET_LOW,
        _expression(
            tenant,
            rule.about,
            naming.BUDGET_REMAINING,
            # Of a budget that is spent exactly nothing is left: 0 % is fired at, not only below.
            f"{'<' if rule.percent else '<='} {burn.literal(Fraction(rule.percent) / 100)}",
        ),
        naming.budget_tier(shown),
        f"Less than {shown}% of the error budget is left"
        if rule.percent
        else "The error budget is spent",
        f"{{{{ $value | humanizePercentage }}}} of the error budget is left, less than {shown}%"
        if rule.percent
        else "The error budget is spent: {{ $value | humanizePercentage }} of it is left",
        severity=severity,
        labels=(*_labels(tenant, rule.about), (naming.BUDGET_BELOW, f"{shown}%")),
        more={"budget_remaining": "{{ $value | humanizePercentage }}"},
        own=rule.about.metadata,
    )


def exhaustion_alert(
    tenant: ResolvedTenant, rule: ExhaustionAlert, severity: SeverityLevel
) -> Rule:
    """Render the alert on budgets that are spent within a span, at the pace of now."""
    return tenant_alert(
        tenant,
        naming.ALERT_EXHAUSTION,
        _expression(
            tenant,
            rule.about,
            naming.BUDGET_EXHAUSTION,
            f"< {burn.literal(Fraction(rule.within.ms, 1000))}",
        ),
        naming.exhaustion_tier(rule.within),
        f"The error budget is spent within {rule.within} at this pace",
        "At this pace the error budget is spent in {{ $value | humanizeDuration }}, "
        f"which is within {rule.within}",
        severity=severity,
        labels=(*_labels(tenant, rule.about), (naming.EXHAUSTED_WITHIN, str(rule.within))),
        more={"time_to_exhaustion": "{{ $value | humanizeDuration }}"},
        own=rule.about.metadata,
    )


def _expression(tenant: ResolvedTenant, about: AlikeSLOs, series: str, bound: str) -> str:
    """Compare a series with a bound: of one SLO, or of all of the tenant but some."""
    one = "" if about.shared else f"{{{next(matchers_of(tenant, about.slos))}}}"
    excepted = (f"{series}{{{others}}}" for others in matchers_of(tenant, about.others))
    return tenant_expression(
        "alert/budget",
        tenant.name,
        series=series,
        bound=bound,
        selector=one,
        quiet=(*excepted, *silent_slos(tenant)),
    )


def _labels(tenant: ResolvedTenant, about: AlikeSLOs) -> Pairs:
    """Give the labels of an alert about one SLO: rules of the same name differ in them."""
    return () if about.shared else identity(tenant, about.slos[0]).labels
