"""The routing part of the plan, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.resolve.hours import OpenHours
from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.severity import SeverityLevel

Pairs = tuple[tuple[str, str], ...]


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
class Routing:
    """The generated part of an Alertmanager configuration."""

    route: Route
    receivers: tuple[Receiver, ...]
    time_intervals: tuple[tuple[str, tuple[Interval, ...]], ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    hours: Mapping[str, OpenHours] = field(default_factory=dict)  # by their time intervals' names
    external_labels: tuple[str, ...] = ()  # that distinguish the Prometheus servers


@dataclass(frozen=True, slots=True)
class TenantRouting:
    """What one tenant adds to the generated part, and to the inhibitions of all."""

    route: Route
    receivers: tuple[Receiver, ...]
    time_intervals: tuple[tuple[str, tuple[Interval, ...]], ...]
    hours: Mapping[str, OpenHours]  # by their time intervals' names
    inhibitions: tuple[Inhibition, ...]  # of what its SLOs depend on
    levels: tuple[SeverityLevel, ...]  # the project's severities, most urgent first
    tiers: frozenset[tuple[str, Duration]]  # severity and long window of each
    by_labels: frozenset[str]
