"""The alerts of an SLO's tiers, with the evidence that travels with every notification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.plan.rule import BurnAlert, ShadowAlert
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.plan.slo import PlannedSLO, PlannedTier
from slo_compiler.render.model import Rule
from slo_compiler.render.own import with_own
from slo_compiler.render.shape import (
    PLACEHOLDER,
    annotation,
    expression_shape,
    fill,
    fill_all,
)
from slo_compiler.resolve.dependencies import dependencies
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.annotation import filled
from slo_compiler.schema.sli.base import Measure
from slo_compiler.schema.sli.raw import Raw


def burn_alert(tenant: PlannedTenant, rule: BurnAlert) -> Rule:
    """Render the alert of a tier at a level of its escalation."""
    slo, tier = rule.slo, rule.tier
    level = ((naming.ESCALATION, str(rule.level)),) if rule.level > 1 else ()
    labels = (
        *_key_labels(slo, tier),
        *level,
        *_window_labels(tier),
        *rule.other_labels,
    )
    expr, annotations = _expression(tenant, slo, tier), _evidence(tenant, slo, tier)
    at = slo.resolved.at("name")
    return Rule(tier.alert, expr, at, labels, annotations, rule.for_, alert=True)


def shadow_alert(tenant: PlannedTenant, rule: ShadowAlert) -> Rule:
    """Render what would fire, as a series: what is no alert cannot reach anybody."""
    labels = (*_key_labels(rule.slo, rule.tier), *_window_labels(rule.tier))
    expr = _expression(tenant, rule.slo, rule.tier)
    return Rule(naming.SHADOW_ALERT, expr, rule.slo.resolved.at("name"), labels)


def _key_labels(slo: PlannedSLO, tier: PlannedTier) -> Pairs:
    return (
        *slo.identity.labels,
        (naming.SEVERITY, tier.severity.label),
        (naming.TIER, tier.spec.name),
    )


def _window_labels(tier: PlannedTier) -> Pairs:
    return (
        (naming.LONG_WINDOW, str(tier.spec.long_window)),
        (naming.SHORT_WINDOW, str(tier.spec.short_window)),
    )


def _expression(tenant: PlannedTenant, slo: PlannedSLO, tier: PlannedTier) -> str:
    return fill(_expression_of_tier(tier, tuple(_guards(tenant, tier))), slo.identity)


@lru_cache(maxsize=4_096)
def _expression_of_tier(tier: PlannedTier, guards: tuple[str, ...]) -> str:
    """Render the expression that SLOs with this tier share, with placeholders for their names."""
    return expression_shape(
        "alert/burn",
        long_window=tier.spec.long_window,
        short_window=tier.spec.short_window,
        threshold=burn.literal(tier.threshold),
        guards=guards,
    )


def _guards(tenant: PlannedTenant, tier: PlannedTier) -> Iterator[str]:
    """Give the shapes of a tier's guards."""
    for guard in tier.guards:
        count = tenant.guard_counts[guard.counted, tier.spec.long_window]
        yield expression_shape(
            "alert/guard",
            series=naming.guard_count(count.counted, count.window, taken=count.taken),
            bound=burn.literal(Fraction(guard.least) - Fraction(1, 2)),
        )


def _evidence(tenant: PlannedTenant, slo: PlannedSLO, tier: PlannedTier) -> Pairs:
    """Give the annotations: why the alert fires, and what to read next."""
    constants, resolved = _constants(tier), slo.resolved
    shared = _shared_evidence(
        tier, resolved.objective, resolved.period.nominal, slo.by, _failed(slo)
    )
    own = _own_evidence(slo, tenant.resolved)
    pairs = {**fill_all(shared, slo.identity), **own}
    for link in ("runbook_url", "dashboard_url"):
        pairs[link] = filled(own[link], constants, escaped=True)
    return with_own(pairs, tier.metadata, constants)


@lru_cache(maxsize=4_096)
def _shared_evidence(
    tier: PlannedTier, objective: Decimal, period: Duration, by: tuple[str, ...], failed: str
) -> Mapping[str, str]:
    """Give the annotations that SLOs with this tier share, with placeholders for their names."""
    window, id_ = str(tier.spec.long_window), PLACEHOLDER
    budget = burn.literal(burn.error_budget(objective))
    least = " and ".join(guard.words for guard in tier.guards)
    return {
        "title": "Error budget burns too fast",
        "series": ", ".join(f"{label}={{{{ $labels.{label} }}}}" for label in by),
        "summary": annotation(
            "burn_summary",
            id_,
            budget=budget,
            failed=failed,
            faster=tier.factor >= 1,
            tier=tier.spec.name,
            threshold=burn.percent(tier.threshold),
            window=window,
        ),
        "description": "",
        "burn_rate": annotation("burn_rate", id_, budget=budget),
        "error_ratio": "{{ $value | humanizePercentage }}",
        "threshold": (
            f"{burn.literal(tier.threshold)} over {window} and {tier.spec.short_window} "
            f"(burn rate {burn.literal(tier.factor)})"
        ),
        "guard": f"at least {least} in {window}" if least else "",
        "budget_remaining": annotation(
            "ask", id_, series=naming.BUDGET_REMAINING, by=by, format="humanizePercentage"
        ),
        "time_to_exhaustion": annotation(
            "exhaustion",
            id_,
            series=naming.BUDGET_REMAINING,
            by=by,
            budget=budget,
            period=burn.literal(Fraction(period.ms, 1000)),
        ),
    }


@lru_cache(maxsize=1_024)  # its tiers follow each other
def _own_evidence(planned: PlannedSLO, tenant: ResolvedTenant) -> Mapping[str, str]:
    """Give the annotations that are the same for all tiers of an SLO; links are not filled in."""
    slo = planned.resolved
    promised = f"{slo.objective}% over {slo.period.words}"
    files = (tenant.source, slo.template)
    return {
        # Worded so that it is not taken for the measured state.
        "description": f"Promised: {promised}"
        + (f": {slo.spec.description}" if slo.spec.description else ""),
        "objective": promised,
        "runbook_url": slo.alerting.runbook or "",
        "dashboard_url": slo.alerting.dashboard or "",
        "depends_on": ", ".join("/".join(key) for key in dependencies(tenant, slo)),
        "manifest": ", ".join(file.version for file in files if file),
    }


def _failed(slo: PlannedSLO) -> str:
    """Describe how much of what failed."""
    share = "{{ $value | humanizePercentage }}"
    if slo.resolved.slices:
        return f"{share} of the time slices were bad"
    pair = slo.queries.pair if slo.queries else None
    if isinstance(slo.resolved.spec.sli.body, Raw):
        return f"an error ratio of {share}"
    if pair is not None and pair.measure is Measure.SECONDS:
        return f"{share} of the time was bad"
    return f"{share} of events failed"


def _constants(tier: PlannedTier) -> dict[str, str]:
    """Give the labels that the series beneath lacks, so that Prometheus could not fill them in."""
    return {naming.SEVERITY: tier.severity.label, naming.TIER: tier.spec.name}
