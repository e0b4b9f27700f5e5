"""Which receivers and routes the tenants get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.plan.burn import literal
from slo_compiler.plan.hours import time_intervals
from slo_compiler.plan.inhibitions import dependency_inhibitions, window_inhibitions
from slo_compiler.plan.ir import Integration, Pairs, Receiver, Route, Routing, TenantRouting
from slo_compiler.plan.tenant import (
    budget_steps,
    escalation_waits,
    exhaustion_steps,
    step_parts,
)
from slo_compiler.resolve.hours import OpenHours
from slo_compiler.resolve.model import ResolvedStep, ResolvedTenant
from slo_compiler.schema import ChannelBase, ProjectSpec


def plan_routing(
    tenants: Sequence[ResolvedTenant], project: ProjectSpec, project_position: Position
) -> Routing:
    """Plan one subtree: tenants below it, their alerts below them, nothing beside them."""
    return join_routing([plan_routes(each, tenants) for each in tenants], project, project_position)


def plan_routes(tenant: ResolvedTenant, known: Sequence[ResolvedTenant]) -> TenantRouting:
    """Plan what one tenant adds to the tree; `known` are also those that its SLOs depend on."""
    receivers: dict[str, Receiver] = {}
    hours: dict[str, OpenHours] = {}  # by the names of their time intervals
    children = [*_tenant_routes(tenant, receivers, hours)]
    # Alerts of the tenant's own making that carry these labels reach the tenant.
    receiver: str | None = naming.RECEIVER_SHADOW
    if tenant.severities:
        urgent = ((naming.SEVERITY, tenant.level(tenant.severities[0]).label),)
        receiver = next(r.receiver for r in children if r.matchers == urgent)
    else:
        receivers[naming.RECEIVER_SHADOW] = Receiver(naming.RECEIVER_SHADOW)
    return TenantRouting(
        route=Route(
            matchers=((naming.TENANT, tenant.name),),
            receiver=receiver,
            routes=tuple(children),
        ),
        receivers=tuple(receivers.values()),
        time_intervals=tuple(time_intervals(hours)),
        hours=hours,
        inhibitions=tuple(dependency_inhibitions(tenant, known)),
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
    spec = project.alertmanager
    heartbeat = _heartbeat(spec.heartbeat, project_position)
    receivers = {heartbeat.name: heartbeat}
    receivers |= {each.name: each for tenant in tenants for each in tenant.receivers}
    routes = [
        Route(
            matchers=((naming.SEVERITY, naming.SEVERITY_HEARTBEAT),),
            receiver=heartbeat.name,
            group_by=(naming.TENANT,),
            group_wait=min(spec.group_wait, Duration.of(seconds=30)),
            group_interval=min(spec.group_interval, Duration.of(minutes=1)),
            repeat_interval=min(spec.repeat_interval, Duration.of(minutes=5)),
        ),
        *(tenant.route for tenant in tenants),
    ]
    root = Route(
        matchers=(),
        group_by=naming.IDENTITY,
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
            ),
            *(each for tenant in tenants for each in tenant.inhibitions),
        ),
        hours={name: hours for tenant in tenants for name, hours in tenant.hours.items()},
    )


def _heartbeat(channel: ChannelBase | None, at: Position) -> Receiver:
    integrations = () if channel is None else (Integration("heartbeat", channel.body, at),)
    return Receiver(naming.RECEIVER_HEARTBEAT, integrations)


def _tenant_routes(
    tenant: ResolvedTenant,
    receivers: dict[str, Receiver],
    hours: dict[str, OpenHours],
) -> Iterator[Route]:
    """Give the routes of a tenant: the most specific first, one for each step."""
    for percent in budget_steps(tenant):
        shown = literal(Fraction(percent))
        steps = [s for s in tenant.steps if s.spec.budget_below == percent]
        matchers = ((naming.BUDGET_BELOW, f"{shown}%"),)
        parts = (naming.budget_tier(shown),)
        yield from _steps(tenant, steps, matchers, parts, receivers, hours)
    for span in exhaustion_steps(tenant):
        steps = [s for s in tenant.steps if s.spec.exhausted_within == span]
        matchers = ((naming.EXHAUSTED_WITHIN, str(span)),)
        parts = (naming.exhaustion_tier(span),)
        yield from _steps(tenant, steps, matchers, parts, receivers, hours)
    for severity in tenant.severities:
        waits = escalation_waits(tenant, severity)
        levels: list[tuple[str | None, Duration | None]] = [
            *reversed([(str(level), wait) for level, wait in enumerate(waits, start=2)]),
            (None, None),
        ]
        for level, wait in levels:
            steps = [
                s for s in tenant.steps if s.spec.severity == severity and s.spec.firing_for == wait
            ]
            alerts: Pairs = ((naming.SEVERITY, tenant.level(severity).label),)
            if level is not None:
                alerts = (*alerts, (naming.ESCALATION, level))
            yield from _steps(tenant, steps, alerts, step_parts(severity, wait), receivers, hours)


def _steps(
    tenant: ResolvedTenant,
    steps: Sequence[ResolvedStep],
    matchers: Pairs,
    parts: tuple[str, ...],
    receivers: dict[str, Receiver],
    hours: dict[str, OpenHours],
) -> Iterator[Route]:
    """Give one route for each step on the same alerts; all but the last let the next see them."""
    for number, step in enumerate(steps, start=1):
        named = step.spec.hours
        name = naming.receiver(tenant.name, *parts, *([named] if named else []))
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
        yield Route(matchers, name, active, muted, continue_=number < len(steps))
