"""Which receivers, routes and inhibitions the tenants get, and where each alert must arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from slo_compiler import naming
from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.manifest.model import DAYS, ChannelBase, Hours, ProjectSpec
from slo_compiler.manifest.resolve import ResolvedStep, ResolvedTenant
from slo_compiler.plan.burn import literal
from slo_compiler.plan.ir import (
    ExpectedHours,
    ExpectedRoute,
    Inhibition,
    Integration,
    Pairs,
    Receiver,
    Route,
    Routing,
    Rule,
    TenantRules,
)
from slo_compiler.plan.tenant import budget_steps, escalation_waits


def plan_routing(
    tenants: Sequence[ResolvedTenant],
    rules: Sequence[TenantRules],
    project: ProjectSpec,
    project_position: Position,
) -> Routing:
    """Plan one subtree: tenants below it, their alerts below them, nothing beside them."""
    spec = project.alertmanager
    receivers: dict[str, Receiver] = {}
    intervals: dict[str, tuple[Hours, ...]] = {}
    heartbeat = _heartbeat(spec.heartbeat, project_position)
    receivers[heartbeat.name] = heartbeat
    routes = [
        Route(
            matchers=((naming.SEVERITY, naming.SEVERITY_HEARTBEAT),),
            receiver=heartbeat.name,
            group_by=(naming.TENANT,),
            group_wait=min(spec.group_wait, Duration.of(seconds=30)),
            group_interval=min(spec.group_interval, Duration.of(minutes=1)),
            repeat_interval=min(spec.repeat_interval, Duration.of(minutes=5)),
        )
    ]
    for tenant in tenants:
        children = [*_tenant_routes(tenant, receivers, intervals)]
        # Alerts of the tenant's own making that carry these labels reach the tenant.
        receiver: str | None = naming.RECEIVER_SHADOW
        if tenant.severities:
            urgent = ((naming.SEVERITY, tenant.severities[0]),)
            receiver = next(r.receiver for r in children if r.matchers == urgent)
        else:
            receivers[naming.RECEIVER_SHADOW] = Receiver(naming.RECEIVER_SHADOW)
        routes.append(
            Route(
                matchers=((naming.TENANT, tenant.name),),
                receiver=receiver,
                routes=tuple(children),
            )
        )
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
        time_intervals=tuple(sorted(intervals.items())),
        inhibitions=tuple(_inhibitions(tenants)),
        expected=tuple(
            expected
            for tenant, planned in zip(tenants, rules, strict=True)
            for expected in _expected(tenant, planned)
        ),
        expected_hours=tuple(_expected_hours(intervals)),
    )


def _heartbeat(channel: ChannelBase | None, at: Position) -> Receiver:
    integrations = () if channel is None else (Integration("heartbeat", channel.body, at),)
    return Receiver(naming.RECEIVER_HEARTBEAT, integrations)


def _tenant_routes(
    tenant: ResolvedTenant,
    receivers: dict[str, Receiver],
    intervals: dict[str, tuple[Hours, ...]],
) -> Iterator[Route]:
    """Give the routes of a tenant: the most specific first, one for each step."""
    for percent in budget_steps(tenant):
        shown = literal(Fraction(percent))
        steps = [s for s in tenant.steps if s.spec.budget_below == percent]
        matchers = ((naming.BUDGET_BELOW, f"{shown}%"),)
        parts = (naming.budget_tier(shown),)
        yield from _steps(tenant, steps, matchers, parts, receivers, intervals)
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
            alerts: Pairs = ((naming.SEVERITY, severity),)
            if level is not None:
                alerts = (*alerts, (naming.ESCALATION, level))
            yield from _steps(tenant, steps, alerts, _parts(severity, wait), receivers, intervals)


def _parts(severity: str, wait: Duration | None) -> tuple[str, ...]:
    """Give the parts of a receiver's name that tell a severity's steps apart."""
    return (severity, f"after-{wait}") if wait else (severity,)


def _steps(
    tenant: ResolvedTenant,
    steps: Sequence[ResolvedStep],
    matchers: Pairs,
    parts: tuple[str, ...],
    receivers: dict[str, Receiver],
    intervals: dict[str, tuple[Hours, ...]],
) -> Iterator[Route]:
    """Give one route for each step on the same alerts; all but the last let the next see them."""
    for number, step in enumerate(steps, start=1):
        hours = step.spec.hours
        name = naming.receiver(tenant.name, *parts, *([hours] if hours else []))
        receivers[name] = Receiver(
            name,
            tuple(Integration(c.spec.name, c.spec.body, c.position) for c in step.channels),
        )
        active: tuple[str, ...] = ()
        if hours and step.hours:
            active = (naming.time_interval(tenant.name, hours),)
            intervals[active[0]] = step.hours
        yield Route(matchers, name, active, continue_=number < len(steps))


def _inhibitions(tenants: Sequence[ResolvedTenant]) -> Iterator[Inhibition]:
    """While an alert fires, those of the same SLO with longer windows do not notify.

    Keyed by window and severity rather than by tier, because tiers are named by users: two policies
    may give the same names another order, but a longer window is longer in both, so that no two
    alerts can silence each other, and a ticket never silences a page.
    """
    by_labels = sorted({label for t in tenants for slo in t.live for label in slo.by})
    equal = (*naming.IDENTITY, naming.ESCALATION, *by_labels)
    tiers = {
        (tier.severity, tier.long_window)
        for tenant in tenants
        for slo in tenant.live
        for tier in slo.policy.tiers
    }
    for severity, quieter in (("page", ("page", "ticket")), ("ticket", ("ticket",))):
        for window in sorted(w for s, w in tiers if s == severity):
            longer = sorted({w for s, w in tiers if s in quieter and w > window})
            if longer:
                source = (f'severity="{severity}"', f'long_window="{window}"', 'slo!=""')
                target = (
                    'severity="ticket"' if quieter == ("ticket",) else 'severity=~"page|ticket"',
                    f'long_window=~"{"|".join(map(str, longer))}"',
                    'slo!=""',
                )
                yield Inhibition(source, target, equal)


def _expected(tenant: ResolvedTenant, rules: TenantRules) -> Iterator[ExpectedRoute]:
    """Say for each alert which receivers the manifest wants, from the steps and not the tree."""
    found = {pairs: line for rule in rules.alerts for pairs, line in _alert_labels(tenant, rule)}
    for pairs, line in sorted(found.items()):
        labels = dict(pairs)
        if labels[naming.SEVERITY] == naming.SEVERITY_HEARTBEAT:
            wanted = [(naming.RECEIVER_HEARTBEAT, "")]
        elif not tenant.severities:
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
            inhibited_by=_quieted_by(tenant, labels),
            origin=f"{tenant.source.name}:{line}",
        )


def _quieted_by(tenant: ResolvedTenant, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Name the tiers of the same SLO with shorter windows, as urgent as the alert or more."""
    if labels["alertname"] != naming.ALERT_BURN:
        return ()
    tiers = next(
        slo.policy.tiers
        for slo in tenant.slos
        if (slo.spec.service, slo.spec.name) == (labels[naming.SERVICE], labels[naming.SLO])
    )
    own = next(tier for tier in tiers if tier.name == labels[naming.TIER])
    return tuple(
        tier.name
        for tier in tiers
        if tier.long_window < own.long_window
        and (tier.severity == "page" or own.severity == "ticket")
    )


def _expected_hours(
    intervals: Mapping[str, tuple[Hours, ...]],
) -> Iterator[ExpectedHours]:
    """Give the edges of a winter's and a summer's week: a minute inside and outside of each."""
    weeks = (datetime(2026, 1, 4, tzinfo=UTC), datetime(2026, 7, 5, tzinfo=UTC))  # Sundays
    for name, hours in sorted(intervals.items()):
        edges = {
            datetime.combine(week + timedelta(days=day), time(), ZoneInfo(entry.location))
            + timedelta(minutes=minute)
            for entry in hours
            for week in weeks
            for day in range(7)
            for span in entry.times
            for minute in _minutes(span)
        }
        at = sorted({e.astimezone(UTC) + timedelta(minutes=m) for e in edges for m in (-1, 0)})
        active = [t for t in at if any(_is_within(t, entry) for entry in hours)]
        yield ExpectedHours(
            name,
            tuple(t.isoformat() for t in active),
            tuple(t.isoformat() for t in at if t not in active),
        )


def _minutes(span: str) -> tuple[int, int]:
    """Read `09:00-17:00` as minutes of the day."""
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in span.split("-"))
    return start, end


def _is_within(at: datetime, hours: Hours) -> bool:
    local = at.astimezone(ZoneInfo(hours.location))
    minute = local.hour * 60 + local.minute
    day = local.isoweekday() % 7  # Sunday is 0
    on_day = any(
        DAYS.index(days.split(":")[0]) <= day <= DAYS.index(days.split(":")[-1])
        for days in hours.weekdays
    )
    return on_day and any(
        start <= minute < end for start, end in (_minutes(span) for span in hours.times)
    )


def _wanted(tenant: ResolvedTenant, step: ResolvedStep, labels: Mapping[str, str]) -> str | None:
    """Name the receiver of a step if the step is for an alert with these labels."""
    spec, below = step.spec, labels.get(naming.BUDGET_BELOW)
    if below is not None:
        if not spec.budget_below or f"{literal(Fraction(spec.budget_below))}%" != below:
            return None
        parts: tuple[str, ...] = (naming.budget_tier(below.removesuffix("%")),)
    else:
        severity, level = labels[naming.SEVERITY], labels.get(naming.ESCALATION)
        wait = escalation_waits(tenant, severity)[int(level) - 2] if level else None
        if spec.severity != severity or spec.firing_for != wait:
            return None
        parts = _parts(severity, wait)
    return naming.receiver(tenant.name, *parts, *([spec.hours] if spec.hours else []))


_ROUTED_BY = (
    naming.TENANT,
    naming.SERVICE,
    naming.SLO,
    naming.SEVERITY,
    naming.TIER,
    naming.ESCALATION,
    naming.BUDGET_BELOW,
    naming.LONG_WINDOW,
)


def _alert_labels(tenant: ResolvedTenant, rule: Rule) -> Iterator[tuple[Pairs, int]]:
    """Give the labels of a rule's alerts, as far as routes read them, and the manifest's line."""
    own = {"alertname": rule.name, **dict(rule.labels)}
    for slo in tenant.live or tenant.slos:
        line = slo.at("name").line
        identity = {
            naming.TENANT: tenant.name,
            naming.SERVICE: slo.spec.service,
            naming.SLO: slo.spec.name,
        }
        if rule.name == naming.ALERT_BURN and rule.origin != slo.at("name"):
            continue
        labels = {**identity, **own}
        yield tuple((k, labels[k]) for k in ("alertname", *_ROUTED_BY) if k in labels), line
