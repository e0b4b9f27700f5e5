"""The alerts without an SLO's name: low budgets, missing data, and the rules themselves."""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from slo_compiler import naming
from slo_compiler.plan import burn
from slo_compiler.plan.exclusions import NOTICE
from slo_compiler.plan.health import (
    BudgetAlert,
    Evaluator,
    ExclusionEndsAlert,
    ExhaustionAlert,
    HealthAlert,
    IntegrityAlert,
    NoDataAlert,
    RulesFailingAlert,
    StaleAlert,
    WatchdogAlert,
)
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.plan.vanished import VanishedAlert
from slo_compiler.render.budget import budget_alert, exhaustion_alert
from slo_compiler.render.model import Rule
from slo_compiler.render.shape import tenant_expression
from slo_compiler.render.tenant_alert import (
    matchers_of,
    rules_labels,
    silent_slos,
    tenant_alert,
)
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.severity import SeverityLevel
from slo_compiler.templating import promql_string, render_expression


def health_alert(planned: PlannedTenant, rule: HealthAlert) -> Rule:  # noqa: PLR0911  (a table)
    """Render an alert on a tenant's budgets, data or rules."""
    tenant = planned.resolved
    levels = [tenant.level(severity) for severity in tenant.health_severities]
    urgent, lenient = levels[0], levels[-1]
    match rule:
        case BudgetAlert():
            return budget_alert(tenant, rule, lenient)
        case ExhaustionAlert():
            return exhaustion_alert(tenant, rule, lenient)
        case NoDataAlert():
            excepted = [*silent_slos(tenant), *_exclusions(tenant)]
            return tenant_alert(
                tenant,
                naming.ALERT_NO_DATA,
                tenant_expression("alert/no_data", tenant.name, quiet=tuple(excepted)),
                "no-data",
                "No data",
                "No events are measured any more: a target or a metric's name is gone",
                rule.for_,
                severity=urgent,
            )
        case VanishedAlert():
            return _vanished(tenant, rule, urgent)
        case IntegrityAlert():
            return tenant_alert(
                tenant,
                naming.ALERT_INTEGRITY,
                tenant_expression(
                    "alert/integrity",
                    tenant.name,
                    pairs=tuple(_pairs(tenant)),
                    quiet=(*silent_slos(tenant), *_exclusions(tenant)),
                ),
                "integrity",
                "Errors and events contradict each other",
                "Errors and events contradict each other: the SLI's queries do not fit",
                rule.for_,
                severity=urgent,
            )
        case StaleAlert():
            return _stale(tenant, rule, urgent)
        case ExclusionEndsAlert():
            return _exclusion_ends(tenant, rule, lenient)
        case RulesFailingAlert():
            return tenant_alert(
                tenant,
                naming.ALERT_RULES_FAILING,
                _failing(tenant, rule.evaluator),
                "rules-failing",
                "Rules fail",
                "Rule groups of this tenant fail or miss evaluations",
                rule.for_,
                severity=urgent,
                labels=rules_labels(tenant, naming.RULES_SLO),
            )
        case WatchdogAlert():
            return tenant_alert(
                tenant,
                naming.ALERT_WATCHDOG,
                render_expression("alert/watchdog"),
                "watchdog",
                "Rules are evaluated",
                "The rules are evaluated; this alert always fires",
                severity=None,
                labels=rules_labels(tenant, naming.WATCHDOG_SLO),
            )
        case _:
            assert_never(rule)


def _failing(tenant: ResolvedTenant, evaluator: Evaluator) -> str:
    match evaluator:
        case Evaluator.PROMETHEUS:
            groups = f".*;{naming.groups(tenant.name)}"
            return render_expression("alert/rule_group_failing", groups=groups)
        case Evaluator.VMALERT:
            return render_expression("alert/vmalert_failing", groups=naming.hops(tenant.name))


def _vanished(tenant: ResolvedTenant, rule: VanishedAlert, severity: SeverityLevel) -> Rule:
    # A label that an SLO did not have before is empty in the series of then.
    present = "".join(f',{label}!=""' for label in rule.by)
    values = ", ".join(f"{label}={{{{ $labels.{label} }}}}" for label in rule.by)
    return tenant_alert(
        tenant,
        naming.ALERT_VANISHED,
        render_expression(
            "alert/vanished",
            tenant=tenant.name,
            labels=[*naming.IDENTITY, *rule.by],
            selectors=[f"{one}{present}" for one in matchers_of(tenant, rule.slos)],
            tile=rule.tile,
            within=rule.within,
            quiet=_exclusions(tenant),
        ),
        naming.vanished_tier(rule.by, rule.within),
        "A series has no data any more",
        f"There were events within {rule.within}, and none are measured any more",
        rule.for_,
        severity=severity,
        more={"series": values},
    )


def _stale(tenant: ResolvedTenant, rule: StaleAlert, severity: SeverityLevel) -> Rule:
    series, tier = naming.BUDGET_REMAINING, "rules-budget"
    if rule.window is not None:
        series, tier = naming.error_ratio(rule.window), "rules-windows"
    return tenant_alert(
        tenant,
        naming.ALERT_STALE,
        tenant_expression(
            "alert/rules_stale", tenant.name, series=series, quiet=tuple(silent_slos(tenant))
        ),
        tier,
        "A rule is not evaluated",
        f"There are events, but {series} has no value: its rule fails or is late",
        rule.for_,
        severity=severity,
    )


def _exclusion_ends(
    tenant: ResolvedTenant, rule: ExclusionEndsAlert, severity: SeverityLevel
) -> Rule:
    spec = rule.exclusion.spec
    notice = burn.literal(Fraction(NOTICE.ms, 1000))
    return tenant_alert(
        tenant,
        naming.ALERT_EXCLUSION_ENDS,
        render_expression("alert/exclusion_ends", end=str(rule.end), notice=notice),
        "exclusion-ends",
        "An exclusion ends",
        f"The exclusion {spec.name} ends on {spec.until}: extend it, or remove it",
        severity=severity,
        labels=(*rules_labels(tenant, naming.RULES_SLO), (naming.EXCLUSION, spec.name)),
        more={"left": "{{ $value | humanizeDuration }}"},
    )


def _exclusions(tenant: ResolvedTenant) -> list[str]:
    """Select the SLOs whose data may be missing for now, if there can be any."""
    if not tenant.exclusions:
        return []
    return [f"{naming.EXCLUSION_ACTIVE}{{tenant={promql_string(tenant.name)}}}"]


def _pairs(tenant: ResolvedTenant) -> list[tuple[str, str]]:
    """Give the names of the series in which events and errors may contradict each other."""
    pairs = [(naming.EVENTS_RATE, naming.ERRORS_RATE)]
    if any(slo.slices for slo in tenant.slos):
        pairs.append((naming.SLICED_EVENTS_RATE, naming.SLICED_ERRORS_RATE))
    return pairs
