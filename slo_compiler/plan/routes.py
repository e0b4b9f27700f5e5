"""Which receivers and routes the tenants get."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from slo_compiler import naming
from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.plan.hours import time_intervals
from slo_compiler.plan.inhibitions import dependency_inhibitions, window_inhibitions
from slo_compiler.plan.routed import Target, matchers, receiver
from slo_compiler.plan.routing_ir import Integration, Receiver, Route, Routing, TenantRouting
from slo_compiler.resolve.hours import OpenHours
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import ChannelBase, ProjectSpec


def plan_routing(
    tenants: Sequence[ResolvedTenant], project: ProjectSpec, project_position: Position
) -> Routing:
    """Plan one subtree: tenants below it, their alerts below them, nothing beside them."""
    return join_routing([plan_routes(each, tenants) for each in tenants], project, project_position)


def plan_routes(
    tenant: ResolvedTenant,
    known: Sequence[ResolvedTenant],
    reaching: Collection[str] | None = None,
) -> TenantRouting:
    """Plan what one tenant adds to the tree.

    Args:
        tenant: the tenant.
        known: itself and those that its SLOs depend on.
        reaching: the tenants of which the Alertmanager gets alerts; without it, all.
    """
    receivers: dict[str, Receiver] = {}
    hours: dict[str, OpenHours] = {}  # by the names of their time intervals
    children = [*_tenant_routes(tenant, receivers, hours)]
    # Alerts of the tenant's own making that carry these labels reach the tenant.
    fallback = naming.RECEIVER_SHADOW
    if tenant.severities:
        urgent = tenant.escalation.levels(tenant.severities[0])[0]
        fallback = receiver(tenant, urgent, urgent.steps[0])
    else:
        receivers[naming.RECEIVER_SHADOW] = Receiver(naming.RECEIVER_SHADOW)
    return TenantRouting(
        route=Route(
            matchers=((naming.TENANT, tenant.name),),
            receiver=fallback,
            routes=tuple(children),
        ),
        receivers=tuple(receivers.values()),
        time_intervals=tuple(time_intervals(hours)),
        hours=hours,
        inhibitions=tuple(dependency_inhibitions(tenant, known, reaching)),
        levels=tuple(tenant.levels),
        tiers=frozenset(
            (tier.severity, tier.long_window) for slo in tenant.live for tier in slo.policy.tiers
        ),
        by_labels=frozenset(label for slo in tenant.live for label in slo.by),
    )


def join_routing(
    tenants: Sequence[TenantRouting], project: ProjectSpec, project_position: Position
) -> Routing:
    """Join the routes of all tenants to one subtree."""
    spec, external = project.alertmanager, tuple(project.prometheus.external_labels)
    heartbeat = _heartbeat(spec.heartbeat, project_position)
    receivers = {heartbeat.name: heartbeat}
    receivers |= {each.name: each for tenant in tenants for each in tenant.receivers}
    routes = [
        Route(
            matchers=((naming.SEVERITY, naming.SEVERITY_HEARTBEAT),),
            receiver=heartbeat.name,
            group_by=(naming.TENANT, *external),
            group_wait=min(spec.group_wait, Duration.of(seconds=30)),
            group_interval=min(spec.group_interval, Duration.of(minutes=1)),
            repeat_interval=min(spec.repeat_interval, Duration.of(minutes=5)),
        ),
        *(tenant.route for tenant in tenants),
    ]
    root = Route(
        matchers=(),
        group_by=(*naming.IDENTITY, *external),
        group_wait=spec.group_wait,
        group_interval=spec.group_interval,
        repeat_interval=spec.repeat_interval,
        routes=tuple(routes),
    )
    return Routing(
        route=root,
        receivers=tuple(receivers.values()),
        time_intervals=tuple(sorted(each for t in tenants for each in t.time_intervals)),
        inhibitions=(
            *window_inhibitions(
                tenants[0].levels if tenants else (),
                frozenset[tuple[str, Duration]]().union(*(t.tiers for t in tenants)),
                frozenset[str]().union(*(t.by_labels for t in tenants)),
                external,
            ),
            *(replace(each, equal=external) for t in tenants for each in t.inhibitions),
        ),
        hours={name: hours for tenant in tenants for name, hours in tenant.hours.items()},
        external_labels=external,
    )


def _heartbeat(channel: ChannelBase | None, at: Position) -> Receiver:
    integrations = () if channel is None else (Integration("heartbeat", channel.body, at),)
    return Receiver(naming.RECEIVER_HEARTBEAT, integrations)


def _tenant_routes(
    tenant: ResolvedTenant, receivers: dict[str, Receiver], hours: dict[str, OpenHours]
) -> Iterator[Route]:
    """Return the routes of a tenant: the most specific first, one for each step."""
    targets: tuple[Target, ...] = (*tenant.escalation.budgets, *tenant.escalation.exhaustions)
    for severity in tenant.severities:
        first, *later = tenant.escalation.levels(severity)
        targets = (*targets, *reversed(later), first)
    for target in targets:
        yield from _steps(tenant, target, receivers, hours)


def _steps(
    tenant: ResolvedTenant,
    target: Target,
    receivers: dict[str, Receiver],
    hours: dict[str, OpenHours],
) -> Iterator[Route]:
    """Return one route for each step on the same alerts; all but the last let the next match."""
    alerts = matchers(tenant, target)
    for number, step in enumerate(target.steps, start=1):
        named = step.spec.hours
        name = receiver(tenant, target, step)
        receivers[name] = Receiver(
            name,
            tuple(Integration(c.spec.name, c.spec.body, c.position) for c in step.channels),
        )
        active: tuple[str, ...] = ()
        muted: tuple[str, ...] = ()
        if named and step.hours:
            active = (naming.time_interval(tenant.name, named),)
            muted = (naming.holidays(active[0]),) if step.hours.holidays else ()
            hours[active[0]] = step.hours
        yield Route(alerts, name, active, muted, continue_=number < len(target.steps))
