"""The documents: Tenant, Project and AlertPolicy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, create_model

from slo_compiler.diagnostics import nearest
from slo_compiler.duration import Duration
from slo_compiler.manifest.base import (
    Count,
    Labels,
    Name,
    Objective,
    Percentage,
    Period,
    Span,
    Strict,
    Text,
    Version,
    invalid,
    shown,
)
from slo_compiler.manifest.channel import CHANNEL_KINDS
from slo_compiler.manifest.channel.base import ChannelKind
from slo_compiler.manifest.lint import LintSpec, Retention, Traffic
from slo_compiler.manifest.sli import SLI_TYPES
from slo_compiler.manifest.sli.base import SLIType

API_VERSION = "slo-compiler/v1"
AlertSeverity = Literal["page", "ticket"]


class _OneKind(Strict):
    """A mapping with one key that says which kind it is and holds its fields."""

    def _body(self) -> Any:  # noqa: ANN401
        return next(body for kind in self.ONE_OF if (body := getattr(self, kind)) is not None)


def _keyed(name: str, base: type[_OneKind], kinds: tuple[type[Any], ...]) -> type[_OneKind]:
    """Make the model with one optional key for each kind of a registry."""
    fields: dict[str, Any] = {kind.KIND: (kind | None, None) for kind in kinds}
    model = create_model(name, __base__=base, __doc__=base.__doc__, **fields)
    model.ONE_OF = tuple(kind.KIND for kind in kinds)
    return model


# --- Tenant


class SLIBase(_OneKind):
    """How errors and events are counted: exactly one SLI type."""

    @property
    def body(self) -> SLIType:
        """The fields of the type that was given."""
        body: SLIType = self._body()
        return body


class ChannelBase(_OneKind):
    """Where notifications go: a name, and exactly one kind."""

    @property
    def body(self) -> ChannelKind:
        """The fields of the kind that was given."""
        body: ChannelKind = self._body()
        return body


class NamedChannelBase(ChannelBase):
    """A channel that escalation steps refer to."""

    name: Name


if TYPE_CHECKING:
    SLI: TypeAlias = SLIBase
    HeartbeatChannel: TypeAlias = ChannelBase
    Channel: TypeAlias = NamedChannelBase
else:
    SLI = _keyed("SLI", SLIBase, SLI_TYPES)
    HeartbeatChannel = _keyed("HeartbeatChannel", ChannelBase, CHANNEL_KINDS)
    Channel = _keyed("Channel", NamedChannelBase, CHANNEL_KINDS)


class Alerting(Strict):
    """Which policy watches an SLO, from how much traffic on, and what the alerts say."""

    policy: Name | None = None
    min_errors: Count | None = None
    min_events: Count | None = None
    runbook: Text | None = None
    dashboard: Text | None = None


class SLO(Strict):
    """One objective for one service."""

    name: Name
    service: Name
    description: Text = ""
    objective: Objective | None = None
    period: Period | None = None
    labels: Labels = {}
    sli: SLI
    traffic: Traffic | None = None
    alerting: Alerting = Alerting()


class Defaults(Strict):
    """What holds for SLOs that do not say it themselves."""

    objective: Objective | None = None
    period: Period | None = None
    policy: Name | None = None


class Step(Strict):
    """One step of an escalation: who hears of which alerts, after how long, at which hours."""

    ONE_OF: ClassVar = ("severity", "budget_below")

    severity: AlertSeverity | None = None
    budget_below: Percentage | None = None
    firing_for: Span | None = None
    hours: Name | None = None
    notify: list[Name] = Field(min_length=1)


def _clock(value: object) -> object:
    pattern = r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]"
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise invalid("hours", f'expected times such as "09:00-17:00", found {shown(value)}')
    start, end = value.split("-")
    if start >= end or end > "24:00":
        raise invalid(
            "hours",
            f"{shown(value)} does not end after it starts on the same day",
            'across midnight, give two: "22:00-24:00" and "00:00-06:00"',
        )
    return value


DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def _days(value: object) -> object:
    days = value.split(":") if isinstance(value, str) else []
    wrong = [day for day in days if day not in DAYS]
    if not days or wrong or len(days) > 2:  # noqa: PLR2004
        hint = nearest(wrong[0], DAYS) if wrong else 'such as "monday:friday"'
        raise invalid("hours", f"{shown(value)} is no day or range of days", hint)
    if len(days) == 2 and DAYS.index(days[0]) > DAYS.index(days[1]):  # noqa: PLR2004
        raise invalid(
            "hours", f"{shown(value)} runs backwards: weeks start on sunday", "give two ranges"
        )
    return value


def _zone(value: object) -> object:
    if isinstance(value, str) and value not in available_timezones() | {"UTC"}:
        raise invalid(
            "hours", f"{shown(value)} is no IANA time zone", nearest(value, available_timezones())
        )
    return value


class Hours(Strict):
    """Hours of a week; several entries add up."""

    weekdays: list[Annotated[str, BeforeValidator(_days)]] = ["monday:friday"]
    times: list[Annotated[str, BeforeValidator(_clock)]] = ["09:00-17:00"]
    location: Annotated[str, BeforeValidator(_zone)] = "UTC"


BUSINESS_HOURS = {"business": [Hours()]}
HoursByName = dict[Name, Annotated[list[Hours], Field(min_length=1)]]


class Tier(Strict):
    """One alert of a policy: fires when `budget_share` of the budget burns within `long_window`."""

    name: Name
    severity: AlertSeverity
    budget_share: Percentage
    long_window: Span
    short_window: Span
    for_: Span | None = Field(default=None, alias="for")


class PolicySpec(Strict):
    """Tiers, most urgent first, and how long data may be missing."""

    tiers: list[Tier] = Field(min_length=1, max_length=16)
    no_data_for: Span = Duration.of(minutes=10)


class TenantPolicy(PolicySpec):
    """A policy of one tenant's own."""

    name: Name


class TenantMetadata(Strict):
    """Who the tenant is."""

    name: Name
    owner: Text
    labels: Labels = {}


class TenantSpec(Strict):
    """What the tenant wants."""

    defaults: Defaults = Defaults()
    policies: list[TenantPolicy] = []
    hours: HoursByName = {}
    channels: list[Channel] = []
    escalation: list[Step] = []
    slos: list[SLO] = Field(min_length=1, max_length=1000)


class Tenant(Strict):
    """SLOs, channels and escalation of one tenant."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["Tenant"]
    metadata: TenantMetadata
    spec: TenantSpec


# --- AlertPolicy


class PolicyMetadata(Strict):
    """What SLOs call the policy."""

    name: Name


class AlertPolicy(Strict):
    """An alert policy for all tenants."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["AlertPolicy"]
    metadata: PolicyMetadata
    spec: PolicySpec


# --- Project


class PrometheusSpec(Strict):
    """The Prometheus that will evaluate the rules."""

    version: Version = "3.5"
    scrape_interval: Span = Duration.of(seconds=15)
    evaluation_interval: Span = Duration.of(seconds=30)
    retention: Retention | None = None


class AlertmanagerSpec(Strict):
    """The Alertmanager that will route the alerts."""

    version: Version = "0.33"
    base: Text | None = None
    heartbeat: HeartbeatChannel | None = None
    group_wait: Span = Duration.of(seconds=30)
    group_interval: Span = Duration.of(minutes=5)
    repeat_interval: Span = Duration.of(hours=4)


class Isolation(Strict):
    """The label by which tenants' metrics are told apart."""

    label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = "tenant"


class TenantGrant(Strict):
    """What the platform says of one tenant."""

    matchers: dict[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], Text] = Field(
        min_length=1
    )


class ProjectSpec(Strict):
    """What holds for all tenants; tenants cannot widen it."""

    sources: list[Text] = Field(default=["tenants/"], min_length=1)
    output: Text = "generated/"
    policies: list[Text] = []
    prometheus: PrometheusSpec = PrometheusSpec()
    alertmanager: AlertmanagerSpec = AlertmanagerSpec()
    targets: list[Literal["prometheus"]] = Field(default=["prometheus"], min_length=1)
    isolation: Isolation | Literal["none"] = Isolation()
    tenants: dict[Name, TenantGrant] = {}
    ownership: Text | None = None
    secrets: Text | None = None
    lint: LintSpec = LintSpec()
    defaults: Defaults = Defaults()
    hours: HoursByName = {}


class Project(Strict):
    """The platform team's settings."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["Project"]
    spec: ProjectSpec = ProjectSpec()


DOCUMENT_KINDS: tuple[type[Strict], ...] = (Tenant, Project, AlertPolicy)
