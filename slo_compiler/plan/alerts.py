"""The alerts: one for each SLO and tier, with their evidence, and those on the rules' health."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.exclusions import NOTICE, recurring
from slo_compiler.plan.guards import guards_of
from slo_compiler.plan.ir import Pairs, Rule
from slo_compiler.plan.renames import rename_of
from slo_compiler.plan.tenant import (
    MILLISECOND,
    Identity,
    budget_steps,
    escalation_waits,
    exhaustion_steps,
    identity,
    tier_windows,
    user_labels,
)
from slo_compiler.resolve.dependencies import dependencies
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier
from slo_compiler.schema.severity import Severity
from slo_compiler.templating import promql_string, render, render_expression


def burn_alerts(
    tenant: ResolvedTenant, slo: ResolvedSLO, tiers: Iterable[Tier], timing: burn.Timing
) -> Iterator[Rule]:
    """Give the alerts of an SLO: one for each tier, and one more for each level of escalation.

    A shadow SLO has a recording rule in place of each tier's alert.
    """
    id_ = identity(tenant, slo)
    for tier in tiers:
        factor = burn.burn_factor(tier.budget_share, slo.period.nominal, tier.long_window)
        threshold = burn.threshold(factor, slo.objective)
        expr = render_expression(
            "alert/burn",
            id=id_,
            long_window=tier.long_window,
            short_window=tier.short_window,
            threshold=burn.literal(threshold),
            guards=[*_guards(tenant, slo, tier, timing)],
        )
        labels = (
            *id_.labels,
            (naming.SEVERITY, tenant.level(tier.severity).label),
            (naming.TIER, tier.name),
            (naming.LONG_WINDOW, str(tier.long_window)),
            (naming.SHORT_WINDOW, str(tier.short_window)),
            *sorted({**user_labels(tenant, slo), **tenant.level(tier.severity).labels}.items()),
        )
        annotations = _evidence(tenant, slo, id_, tier, factor)
        at = slo.at("name")
        if slo.shadow:
            # What would fire, as a series: nothing that is no alert can reach anybody.
            yield Rule(naming.SHADOW_ALERT, expr, at, labels[:7])
            continue
        yield Rule(naming.ALERT_BURN, expr, at, labels, annotations, tier.for_, alert=True)
        # Escalation over time is a second alert with a longer `for`, on a route of its own.
        for level, wait in enumerate(escalation_waits(tenant, tier.severity), start=2):
            later = (*labels[:5], (naming.ESCALATION, str(level)), *labels[5:])
            for_ = (tier.for_ or Duration(0)) + wait
            yield Rule(naming.ALERT_BURN, expr, at, later, annotations, for_, alert=True)


def _guards(
    tenant: ResolvedTenant, slo: ResolvedSLO, tier: Tier, timing: burn.Timing
) -> Iterator[str]:
    id_, rename = identity(tenant, slo), rename_of(tenant, slo)
    for guard in guards_of(slo, tier):
        yield render_expression(
            "alert/guard",
            id=id_,
            counted=guard.counted,
            window=tier.long_window,
            tile=timing.window_tile(tier.long_window),
            range=tier.long_window - MILLISECOND,
            step=timing.base_step,
            step_seconds=burn.literal(Fraction(timing.base_step.ms, 1000)),
            bound=burn.literal(Fraction(guard.least) - Fraction(1, 2)),
            renames=[rename] if rename else [],
        )


def _evidence(
    tenant: ResolvedTenant, slo: ResolvedSLO, id_: Identity, tier: Tier, factor: Fraction
) -> Pairs:
    """Say why the alert fires, in the alert: this travels with every notification."""
    threshold = burn.threshold(factor, slo.objective)

    def ask(series: str, format_: str) -> str:
        return render("annotation/ask.j2", series=series, id=id_, by=slo.by, format=format_).strip()

    guards = " and ".join(guard.words for guard in guards_of(slo, tier))
    summary = render("annotation/burn_summary.j2", id=id_, by=slo.by, tier=tier.name).strip()
    pairs = {
        "summary": summary,
        "description": slo.spec.description,
        "burn_rate": ask(naming.burn_rate(tier.long_window), 'printf "%.2f"'),
        "error_ratio": "{{ $value | humanizePercentage }}",
        "threshold": (
            f"{burn.literal(threshold)} over {tier.long_window} and {tier.short_window} "
            f"(burn rate {burn.literal(factor)})"
        ),
        "guard": f"at least {guards} in {tier.long_window}" if guards else "",
        "budget_remaining": ask(naming.BUDGET_REMAINING, "humanizePercentage"),
        "time_to_exhaustion": ask(naming.BUDGET_EXHAUSTION, "humanizeDuration"),
        "objective": f"{slo.objective}% over {slo.period.words}",
        **_links(tenant, slo),
    }
    return tuple((key, value) for key, value in pairs.items() if value)


def _links(tenant: ResolvedTenant, slo: ResolvedSLO) -> dict[str, str]:
    return {
        "runbook_url": slo.alerting.runbook or "",
        "dashboard_url": slo.alerting.dashboard or "",
        "depends_on": ", ".join("/".join(key) for key in dependencies(tenant, slo)),
        "manifest": ", ".join(f.version for f in (tenant.source, slo.template) if f),
    }


def _shadows(tenant: ResolvedTenant) -> list[str]:
    """Select the SLOs of whose data and budgets nobody is told, if there are any."""
    if len(tenant.live) == len(tenant.slos):
        return []
    return [f'{naming.INFO}{{tenant={promql_string(tenant.name)},stage="shadow"}}']


def _exclusions(tenant: ResolvedTenant) -> list[str]:
    """Select the SLOs whose data may be missing for now, if there can be any."""
    if not tenant.exclusions:
        return []
    return [f"{naming.EXCLUSION_ACTIVE}{{tenant={promql_string(tenant.name)}}}"]


def health_alerts(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[Rule]:
    """Alerts that hold no SLO's name: low budgets, missing data, and the rules themselves."""
    levels = [tenant.level(severity) for severity in tenant.health_severities]
    top, name = levels[0], tenant.name
    shadow, excluded = _shadows(tenant), _exclusions(tenant)
    rules = ((naming.TENANT, name), (naming.SERVICE, naming.RULES_SERVICE))
    one = "{{ $labels.tenant }}/{{ $labels.service }}/{{ $labels.slo }}"

    def alert(
        alertname: str,
        expr: str,
        tier: str,
        summary: str,
        wait: Duration | None = None,
        severity: Severity | None = top,
        labels: Pairs = (),
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Rule:
        value = severity.label if severity else naming.SEVERITY_HEARTBEAT
        beside = severity.labels.items() if severity else ()
        own = ((naming.SEVERITY, value), (naming.TIER, tier), *beside)
        annotations = {
            "summary": summary,
            **more,
            "manifest": tenant.source.version,
        }
        return Rule(
            alertname,
            expr,
            tenant.position,
            (*labels, *own),
            tuple(annotations.items()),
            wait,
            alert=True,
        )

    for percent in budget_steps(tenant):
        shown = burn.literal(Fraction(percent))
        yield alert(
            naming.ALERT_BUDGET_LOW,
            render_expression(
                "alert/budget_low",
                tenant=name,
                bound=burn.literal(Fraction(percent) / 100),
                quiet=shadow,
            ),
            naming.budget_tier(shown),
            f"{one}: less than {shown}% of the error budget is left"
            if percent
            else f"{one}: the error budget is spent",
            severity=levels[-1],
            labels=((naming.BUDGET_BELOW, f"{shown}%"),),
            more={"budget_remaining": "{{ $value | humanizePercentage }}"},
        )
    for span in exhaustion_steps(tenant):
        yield alert(
            naming.ALERT_EXHAUSTION,
            render_expression(
                "alert/exhaustion",
                tenant=name,
                seconds=burn.literal(Fraction(span.ms, 1000)),
                quiet=shadow,
            ),
            naming.exhaustion_tier(span),
            f"{one}: at this pace the error budget is spent within {span}",
            severity=levels[-1],
            labels=((naming.EXHAUSTED_WITHIN, str(span)),),
            more={"time_to_exhaustion": "{{ $value | humanizeDuration }}"},
        )
    wait = min(slo.policy.spec.no_data_for for slo in tenant.slos)
    yield alert(
        naming.ALERT_NO_DATA,
        render_expression("alert/no_data", tenant=name, quiet=[*shadow, *excluded]),
        "no-data",
        f"{one}: no events are measured any more; a target or a metric's name is gone",
        wait,
    )
    yield alert(
        naming.ALERT_INTEGRITY,
        render_expression(
            "alert/integrity",
            tenant=name,
            pairs=_pairs(tenant),
            quiet=[*shadow, *excluded],
        ),
        "integrity",
        f"{one}: errors and events contradict each other; the SLI's queries do not fit",
        wait,
    )
    shortest = min(tier_windows(tenant.slos))
    # A tile is complete one tile after the first event, and seen at the next step.
    settled = max(burn.period_tile(slo.period) for slo in tenant.slos) * 2 + timing.slow * 2
    for series, tier, patience in (
        (naming.error_ratio(shortest), "rules-windows", wait),
        (naming.BUDGET_REMAINING, "rules-budget", max(wait, settled)),
    ):
        yield alert(
            naming.ALERT_STALE,
            render_expression("alert/rules_stale", tenant=name, series=series, quiet=shadow),
            tier,
            f"{one}: there are events, but {series} has no value; its rule fails or is late",
            patience,
        )
    for exclusion, end in recurring(tenant):
        yield alert(
            naming.ALERT_EXCLUSION_ENDS,
            render_expression(
                "alert/exclusion_ends", end=end, notice=burn.literal(Fraction(NOTICE.ms, 1000))
            ),
            "exclusion-ends",
            f"{name}: the exclusion {exclusion.spec.name} ends on {exclusion.spec.until}; extend "
            "it, or remove it",
            severity=levels[-1],
            labels=(
                *rules,
                (naming.SLO, naming.RULES_SLO),
                (naming.EXCLUSION, exclusion.spec.name),
            ),
            more={"left": "{{ $value | humanizeDuration }}"},
        )
    yield alert(
        naming.ALERT_RULES_FAILING,
        render_expression("alert/rule_group_failing", groups=f".*;{naming.groups(name)}"),
        "rules-failing",
        f"{name}: rule groups of this tenant fail or miss evaluations",
        wait,
        labels=(*rules, (naming.SLO, naming.RULES_SLO)),
    )
    yield alert(
        naming.ALERT_WATCHDOG,
        render_expression("alert/watchdog"),
        "watchdog",
        f"{name}: the rules are evaluated; this alert always fires",
        severity=None,
        labels=(*rules, (naming.SLO, naming.WATCHDOG_SLO)),
    )


def _pairs(tenant: ResolvedTenant) -> list[tuple[str, str]]:
    """Give the names of the series in which events and errors may contradict each other."""
    pairs = [(naming.EVENTS_RATE, naming.ERRORS_RATE)]
    if any(slo.slices for slo in tenant.slos):
        pairs.append((naming.SLICED_EVENTS_RATE, naming.SLICED_ERRORS_RATE))
    return pairs
