"""Which receivers each alert must reach and what inhibits it: from the steps, not the tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from slo_compiler import naming
from slo_compiler.plan.routed import RoutedAlert, alerts_of, receiver
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.resolve.dependencies import dependencies
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant

SLOs = Mapping[tuple[str, str, str], ResolvedSLO]


def expected_routes(
    planned: PlannedTenant, known: Sequence[ResolvedTenant]
) -> Iterator[ExpectedRoute]:
    """Return for each alert of a tenant the receivers that the manifests want.

    `known` are the tenant itself, and those that its SLOs depend on.
    """
    return (route for _, route in routes_by_alert(planned, known))


def routes_by_alert(
    planned: PlannedTenant, known: Sequence[ResolvedTenant]
) -> Iterator[tuple[RoutedAlert, ExpectedRoute]]:
    """Return each alert of a tenant with its expected route."""
    tenant = planned.resolved
    slos = {(t.name, s.spec.service, s.spec.name): s for t in known for s in t.slos}
    # Two exclusions that end are one alert to the routing tree.
    found = {alert.labels: alert for alert in alerts_of(planned)}
    routed = bool(tenant.severities)  # computed once: it looks at all SLOs
    for labels, alert in sorted(found.items(), key=lambda item: item[0]):
        wanted = _wanted(tenant, alert, routed=routed)
        yield (
            alert,
            ExpectedRoute(
                labels,
                receivers=tuple(name for name, _ in wanted),
                hours=tuple(hours for _, hours in wanted),
                inhibited_by=tuple(_inhibiting(tenant, alert, slos)),
                origin=f"{tenant.source.name}:{alert.position.line}",
                others=alert.others,
            ),
        )


def _wanted(tenant: ResolvedTenant, alert: RoutedAlert, *, routed: bool) -> list[tuple[str, str]]:
    """Return the receivers of an alert, each with its time interval or nothing."""
    if alert.target is None:
        return [(naming.RECEIVER_HEARTBEAT, "")]
    if not routed:
        return [(naming.RECEIVER_SHADOW, "")]
    return [
        (
            receiver(tenant, alert.target, step),
            naming.time_interval(tenant.name, step.spec.hours) if step.spec.hours else "",
        )
        for step in alert.steps
    ]


def _inhibiting(tenant: ResolvedTenant, alert: RoutedAlert, slos: SLOs) -> Iterator[str]:
    """Name the tiers of the same SLO with shorter windows, as urgent as the alert or more.

    Then those of the SLOs that it depends on, if both are of the most urgent severity.
    """
    if alert.burn is None:
        return
    own, slo = alert.burn.tier, alert.burn.slo
    rank = {level.name: number for number, level in enumerate(tenant.levels)}
    for tier in slo.tiers:
        shorter = tier.spec.long_window < own.spec.long_window
        if shorter and rank[tier.severity.name] <= rank[own.severity.name]:
            yield tier.spec.name
    if rank[own.severity.name]:
        return
    for key in dependencies(tenant, slo.resolved):
        for other in slos[key].policy.tiers:
            if other.severity == own.severity.name:
                yield "/".join((*key, other.name))
