"""Who is notified of an SLO's alerts, and at which hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slo_compiler import naming
from slo_compiler.plan.routed import RoutedAlert
from slo_compiler.plan.routing_ir import Interval, Routing
from slo_compiler.plan.tenant import identity
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.resolve.steps import EscalationLevel


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is notified of which alerts, and at which hours."""

    alerts: tuple[str, ...]  # tiers, in the order of the plan
    receiver: str
    channels: tuple[str, ...]  # incident (slack)
    hours: str = ""


def audiences_of(
    tenant: ResolvedTenant,
    slo: ResolvedSLO,
    routing: Routing,
    routes: Sequence[tuple[RoutedAlert, ExpectedRoute]],
) -> Iterator[Audience]:
    """Give the receivers of an SLO's alerts, from the routes that are proved."""
    receivers = {receiver.name: receiver for receiver in routing.receivers}
    intervals = dict(routing.time_intervals)
    mine = identity(tenant, slo)
    notified: dict[tuple[str, str], list[str]] = {}
    for alert, expected in routes:
        if alert.identity != mine:
            continue
        tier = alert.tier
        if isinstance(alert.target, EscalationLevel) and alert.target.wait:
            tier = f"{tier} after {alert.target.wait}"
        at_hours = expected.hours or ("",) * len(expected.receivers)
        for pair in zip(expected.receivers, at_hours, strict=True):
            notified.setdefault(pair, []).append(tier)
    order = [tier.name for tier in slo.policy.tiers]
    for (receiver, hours), tiers in sorted(notified.items()):
        yield Audience(
            alerts=tuple(sorted(tiers, key=lambda t: (_rank(t, order), t))),
            receiver=receiver,
            channels=tuple(
                f"{integration.channel} ({integration.kind.KIND})"
                for integration in receivers[receiver].integrations
            ),
            hours="; ".join(map(_week, intervals.get(hours, ())))
            + (" but holidays" if naming.holidays(hours) in intervals else ""),
        )


def _rank(tier: str, order: Sequence[str]) -> int:
    name = tier.split(maxsplit=1)[0]
    return order.index(name) if name in order else len(order)


def _week(hours: Interval) -> str:
    times = ", ".join(f"{start}-{end}" for start, end in hours.times)
    return f"{', '.join(hours.weekdays)} {times} {hours.location}"
