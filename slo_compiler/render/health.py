"""The alerts that hold no SLO's name: low budgets, missing data, and the rules themselves."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import assert_never

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.exclusions import NOTICE
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
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.plan.vanished import VanishedAlert
from slo_compiler.render.model import Rule
from slo_compiler.render.shape import tenant_expression
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.severity import SeverityLevel
from slo_compiler.templating import promql_string, render_expression

_ONE = "{{ $labels.tenant }}/{{ $labels.service }}/{{ $labels.slo }}"
_NONE: Mapping[str, str] = MappingProxyType({})


def health_alert(planned: PlannedTenant, rule: HealthAlert) -> Rule:  # noqa: PLR0911  (a table)
    """Render an alert on a tenant's budgets, data or rules."""
    tenant = planned.resolved
    levels = [tenant.level(severity) for severity in tenant.health_severities]
    urgent, lenient = levels[0], levels[-1]
    match rule:
        case BudgetAlert():
            return _budget(tenant, rule, lenient)
        case ExhaustionAlert():
            return _alert(
                tenant,
                naming.ALERT_EXHAUSTION,
                tenant_expression(
                    "alert/exhaustion",
                    tenant.name,
                    seconds=burn.literal(Fraction(rule.within.ms, 1000)),
                    quiet=tuple(_shadows(tenant)),
                ),
                naming.exhaustion_tier(rule.within),
                f"{_ONE}: at this pace the error budget is spent within {rule.within}",
                severity=lenient,
                labels=((naming.EXHAUSTED_WITHIN, str(rule.within)),),
                more={"time_to_exhaustion": "{{ $value | humanizeDuration }}"},
            )
        case NoDataAlert():
            excepted = [*_shadows(tenant), *_exclusions(tenant)]
            return _alert(
                tenant,
                naming.ALERT_NO_DATA,
                tenant_expression("alert/no_data", tenant.name, quiet=tuple(excepted)),
                "no-data",
                f"{_ONE}: no events are measured any more; a target or a metric's name is gone",
                rule.for_,
                severity=urgent,
            )
        case VanishedAlert():
            return _vanished(tenant, rule, urgent)
        case IntegrityAlert():
            return _alert(
                tenant,
                naming.ALERT_INTEGRITY,
                tenant_expression(
                    "alert/integrity",
                    tenant.name,
                    pairs=tuple(_pairs(tenant)),
                    quiet=(*_shadows(tenant), *_exclusions(tenant)),
                ),
                "integrity",
                f"{_ONE}: errors and events contradict each other; the SLI's queries do not fit",
                rule.for_,
                severity=urgent,
            )
        case StaleAlert():
            return _stale(tenant, rule, urgent)
        case ExclusionEndsAlert():
            return _exclusion_ends(tenant, rule, lenient)
        case RulesFailingAlert():
            return _alert(
                tenant,
                naming.ALERT_RULES_FAILING,
                render_expression(
                    "alert/rule_group_failing", groups=f".*;{naming.groups(tenant.name)}"
                ),
                "rules-failing",
                f"{tenant.name}: rule groups of this tenant fail or miss evaluations",
                rule.for_,
                severity=urgent,
                labels=_rules_labels(tenant, naming.RULES_SLO),
            )
        case WatchdogAlert():
            return _alert(
                tenant,
                naming.ALERT_WATCHDOG,
                render_expression("alert/watchdog"),
                "watchdog",
                f"{tenant.name}: the rules are evaluated; this alert always fires",
                severity=None,
                labels=_rules_labels(tenant, naming.WATCHDOG_SLO),
            )
        case _:
            assert_never(rule)


def _budget(tenant: ResolvedTenant, rule: BudgetAlert, severity: SeverityLevel) -> Rule:
    shown = burn.literal(Fraction(rule.percent))
    return _alert(
        tenant,
        naming.ALERT_BUDGET_LOW,
        tenant_expression(
            "alert/budget_low",
            tenant.name,
            bound=burn.literal(Fraction(rule.percent) / 100),
            quiet=tuple(_shadows(tenant)),
        ),
        naming.budget_tier(shown),
        f"{_ONE}: less than {shown}% of the error budget is left"
        if rule.percent
        else f"{_ONE}: the error budget is spent",
        severity=severity,
        labels=((naming.BUDGET_BELOW, f"{shown}%"),),
        more={"budget_remaining": "{{ $value | humanizePercentage }}"},
    )


def _vanished(tenant: ResolvedTenant, rule: VanishedAlert, severity: SeverityLevel) -> Rule:
    services: dict[str, list[str]] = {}
    for slo in rule.slos:
        services.setdefault(slo.spec.service, []).append(slo.spec.name)
    # A label that an SLO did not have before is empty in the series of then.
    present = "".join(f',{label}!=""' for label in rule.by)
    values = ", ".join(f"{label}={{{{ $labels.{label} }}}}" for label in rule.by)
    return _alert(
        tenant,
        naming.ALERT_VANISHED,
        render_expression(
            "alert/vanished",
            tenant=tenant.name,
            labels=[*naming.IDENTITY, *rule.by],
            selectors=[
                f"tenant={promql_string(tenant.name)},service={promql_string(service)},"
                f"slo{'=~' if len(names) > 1 else '='}{promql_string('|'.join(names))}{present}"
                for service, names in services.items()
            ],
            tile=rule.tile,
            within=rule.within,
            quiet=_exclusions(tenant),
        ),
        naming.vanished_tier(rule.by, rule.within),
        f"{_ONE} {values}: there were events within {rule.within}, and none are measured any more",
        rule.for_,
        severity=severity,
    )


def _stale(tenant: ResolvedTenant, rule: StaleAlert, severity: SeverityLevel) -> Rule:
    series, tier = naming.BUDGET_REMAINING, "rules-budget"
    if rule.window is not None:
        series, tier = naming.error_ratio(rule.window), "rules-windows"
    return _alert(
        tenant,
        naming.ALERT_STALE,
        tenant_expression(
            "alert/rules_stale", tenant.name, series=series, quiet=tuple(_shadows(tenant))
        ),
        tier,
        f"{_ONE}: there are events, but {series} has no value; its rule fails or is late",
        rule.for_,
        severity=severity,
    )


def _exclusion_ends(
    tenant: ResolvedTenant, rule: ExclusionEndsAlert, severity: SeverityLevel
) -> Rule:
    spec = rule.exclusion.spec
    notice = burn.literal(Fraction(NOTICE.ms, 1000))
    return _alert(
        tenant,
        naming.ALERT_EXCLUSION_ENDS,
        render_expression("alert/exclusion_ends", end=str(rule.end), notice=notice),
        "exclusion-ends",
        f"{tenant.name}: the exclusion {spec.name} ends on {spec.until}; extend it, or remove it",
        severity=severity,
        labels=(*_rules_labels(tenant, naming.RULES_SLO), (naming.EXCLUSION, spec.name)),
        more={"left": "{{ $value | humanizeDuration }}"},
    )


def _alert(
    tenant: ResolvedTenant,
    alertname: str,
    expr: str,
    tier: str,
    summary: str,
    wait: Duration | None = None,
    *,
    severity: SeverityLevel | None,
    labels: Pairs = (),
    more: Mapping[str, str] = _NONE,
) -> Rule:
    value = severity.label if severity else naming.SEVERITY_HEARTBEAT
    beside = severity.labels.items() if severity else ()
    own = ((naming.SEVERITY, value), (naming.TIER, tier), *beside)
    annotations = {"summary": summary, **more}
    if tenant.runbooks is not None:
        annotations["runbook_url"] = f"{tenant.runbooks}#{alertname.lower()}"
    annotations["manifest"] = tenant.source.version
    return Rule(
        alertname,
        expr,
        tenant.position,
        (*labels, *own),
        tuple(annotations.items()),
        wait,
        alert=True,
    )


def _rules_labels(tenant: ResolvedTenant, slo: str) -> Pairs:
    """Give the identity of alerts about a tenant's rules as a whole."""
    return (
        (naming.TENANT, tenant.name),
        (naming.SERVICE, naming.RULES_SERVICE),
        (naming.SLO, slo),
    )


def _shadows(tenant: ResolvedTenant) -> list[str]:
    """Select the shadow SLOs, if there are any: no alert is about their data and budgets."""
    if len(tenant.live) == len(tenant.slos):
        return []
    return [f'{naming.INFO}{{tenant={promql_string(tenant.name)},stage="shadow"}}']


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
