"""The plan: everything that will be written, as frozen data, before anything is."""

from __future__ import annotations

from dataclasses import dataclass, field

from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.manifest.channel.base import ChannelKind

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A recording rule, or an alert if `alert`; `origin` is the manifest's line behind it."""

    name: str
    expr: str
    origin: Position
    labels: Pairs = ()
    annotations: Pairs = ()
    for_: Duration | None = None
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A rule group: its rules are evaluated in order, every `interval`."""

    name: str
    interval: Duration
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class TenantRules:
    """All rule groups of one tenant."""

    tenant: str
    source: str  # the manifest's name in the repo
    groups: tuple[Group, ...]

    @property
    def alerts(self) -> tuple[Rule, ...]:
        """The alerting rules, in order."""
        return tuple(r for group in self.groups for r in group.rules if r.alert)


@dataclass(frozen=True, slots=True)
class Integration:
    """One integration of a receiver; `origin` is the channel's line."""

    channel: str
    kind: ChannelKind
    origin: Position


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a route's notifications go."""

    name: str
    integrations: tuple[Integration, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the routing tree."""

    matchers: Pairs
    receiver: str | None = None
    active_time_intervals: tuple[str, ...] = ()
    mute_time_intervals: tuple[str, ...] = ()
    continue_: bool = False
    group_by: tuple[str, ...] = ()
    repeat_interval: Duration | None = None
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """One entry of a time interval: an instant is within if it is within each field given."""

    location: str
    weekdays: tuple[str, ...] = ()
    times: tuple[tuple[str, str], ...] = ()
    days_of_month: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    years: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While a source fires, its targets with the same `equal` labels do not notify."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectedRoute:
    """Which receivers an alert must reach, by its labels, and which tiers keep it quiet.

    A tier of the same SLO is named by itself, another SLO's by tenant/service/slo/tier.
    """

    labels: Pairs
    receivers: tuple[str, ...]
    hours: tuple[str, ...] = ()  # the time interval of each receiver, or nothing
    inhibited_by: tuple[str, ...] = ()
    origin: str = ""  # tenants/customer-b.yaml:26

    @property
    def waits(self) -> bool:
        """Whether other SLOs keep it quiet, on which its own depends."""
        return any("/" in name for name in self.inhibited_by)


@dataclass(frozen=True, slots=True)
class ExpectedHours:
    """Times at which a time interval must be active, or must not, in UTC."""

    name: str
    active_at: tuple[str, ...]
    silent_at: tuple[str, ...]
    holidays: str = ""  # the time interval that takes days out of it


@dataclass(frozen=True, slots=True)
class Routing:
    """The generated part of an Alertmanager configuration."""

    route: Route
    receivers: tuple[Receiver, ...]
    time_intervals: tuple[tuple[str, tuple[Interval, ...]], ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    expected: tuple[ExpectedRoute, ...] = ()
    expected_hours: tuple[ExpectedHours, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A query at a time, and the samples that it must give: labels and value."""

    at: Duration
    expr: str
    samples: tuple[tuple[str, str], ...]
    why: str


@dataclass(frozen=True, slots=True)
class UnitTest:
    """One promtool test: input series and checks."""

    name: str
    origin: str  # the manifest's lines, told by promtool with a failure
    why: tuple[str, ...]
    interval: Duration
    series: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class UnitTestFile:
    """Tests that load the same rules, and evaluate them at one interval."""

    path: str
    title: str
    tenants: tuple[str, ...]
    evaluation: Duration
    groups: tuple[str, ...]
    tests: tuple[UnitTest, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one compile will write."""

    tenants: tuple[TenantRules, ...]
    routing: Routing
    proofs: tuple[UnitTestFile, ...]
    counts: dict[str, int] = field(default_factory=dict)
