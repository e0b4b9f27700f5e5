"""Where each alert must arrive and what must keep it quiet: from the steps, not from the tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Position
from slo_compiler.plan.burn import literal
from slo_compiler.plan.ir import Pairs
from slo_compiler.plan.tenant import escalation_waits, step_parts
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.render import Rule, TenantRules
from slo_compiler.resolve.dependencies import dependencies
from slo_compiler.resolve.model import ResolvedSLO, ResolvedStep, ResolvedTenant


def expected_routes(
    tenant: ResolvedTenant, rules: TenantRules, tenants: Sequence[ResolvedTenant]
) -> Iterator[ExpectedRoute]:
    """Give for each alert of a tenant the receivers that the manifests want.

    `tenants` are the tenant itself, and those that its SLOs depend on.
    """
    slos = {(t.name, s.spec.service, s.spec.name): s for t in tenants for s in t.slos}
    places = [(slo, slo.at("name")) for slo in tenant.live or tenant.slos]
    found = {
        pairs: line for rule in rules.alerts for pairs, line in _alert_labels(tenant, rule, places)
    }
    routed = bool(tenant.severities)
    for pairs, line in sorted(found.items()):
        labels = dict(pairs)
        if labels[naming.SEVERITY] == naming.SEVERITY_HEARTBEAT:
            wanted = [(naming.RECEIVER_HEARTBEAT, "")]
        elif not routed:
            wanted = [(naming.RECEIVER_SHADOW, "")]
        else:
            wanted = [
                (name, naming.time_interval(tenant.name, hours) if hours else "")
                for step in tenant.steps
                for name, hours in [(_wanted(tenant, step, labels), step.spec.hours)]
                if name
            ]
        yield ExpectedRoute(
            pairs,
            receivers=tuple(name for name, _ in wanted),
            hours=tuple(hours for _, hours in wanted),
            inhibited_by=_quieted_by(tenant, labels, slos),
            origin=f"{tenant.source.name}:{line}",
        )


def _quieted_by(
    tenant: ResolvedTenant,
    labels: Mapping[str, str],
    slos: Mapping[tuple[str, str, str], ResolvedSLO],
) -> tuple[str, ...]:
    """Name the tiers of the same SLO with shorter windows, as urgent as the alert or more.

    Then those of the SLOs that it depends on, if both are of the most urgent severity.
    """
    if labels["alertname"] != naming.ALERT_BURN:
        return ()
    slo = slos[tenant.name, labels[naming.SERVICE], labels[naming.SLO]]
    own = next(tier for tier in slo.policy.tiers if tier.name == labels[naming.TIER])
    names = [level.name for level in tenant.levels]
    urgency = names.index(own.severity)
    shorter = (
        tier.name
        for tier in slo.policy.tiers
        if tier.long_window < own.long_window and names.index(tier.severity) <= urgency
    )
    others = (
        "/".join((*key, tier.name))
        for key in dependencies(tenant, slo)
        for tier in slos[key].policy.tiers
        if tier.severity == own.severity == names[0]
    )
    return (*shorter, *others)


def _wanted(tenant: ResolvedTenant, step: ResolvedStep, labels: Mapping[str, str]) -> str | None:
    """Name the receiver of a step if the step is for an alert with these labels."""
    spec, below = step.spec, labels.get(naming.BUDGET_BELOW)
    within = labels.get(naming.EXHAUSTED_WITHIN)
    parts: tuple[str, ...]
    if below is not None:
        if spec.budget_below is None or f"{literal(Fraction(spec.budget_below))}%" != below:
            return None
        parts = (naming.budget_tier(below.removesuffix("%")),)
    elif within is not None:
        if spec.exhausted_within is None or str(spec.exhausted_within) != within:
            return None
        parts = (naming.exhaustion_tier(spec.exhausted_within),)
    else:
        value, level = labels[naming.SEVERITY], labels.get(naming.ESCALATION)
        severity = next(known.name for known in tenant.levels if known.label == value)
        wait = escalation_waits(tenant, severity)[int(level) - 2] if level else None
        if spec.severity != severity or spec.firing_for != wait:
            return None
        parts = step_parts(severity, wait)
    return naming.receiver(tenant.name, *parts, *([spec.hours] if spec.hours else []))


_ROUTED_BY = (
    naming.TENANT,
    naming.SERVICE,
    naming.SLO,
    naming.SEVERITY,
    naming.TIER,
    naming.ESCALATION,
    naming.BUDGET_BELOW,
    naming.EXHAUSTED_WITHIN,
    naming.LONG_WINDOW,
)


def _alert_labels(
    tenant: ResolvedTenant, rule: Rule, places: Sequence[tuple[ResolvedSLO, Position]]
) -> Iterator[tuple[Pairs, int]]:
    """Give the labels of a rule's alerts, as far as routes read them, and the manifest's line."""
    own = {"alertname": rule.name, **dict(rule.labels)}
    for slo, place in places:
        if rule.name == naming.ALERT_BURN and rule.origin != place:
            continue
        identity = {
            naming.TENANT: tenant.name,
            naming.SERVICE: slo.spec.service,
            naming.SLO: slo.spec.name,
        }
        labels = {**identity, **own}
        yield tuple((k, labels[k]) for k in ("alertname", *_ROUTED_BY) if k in labels), place.line
