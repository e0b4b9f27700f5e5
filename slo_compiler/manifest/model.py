"""The documents: Tenant, Project and AlertPolicy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, create_model

from slo_compiler.duration import Duration
from slo_compiler.manifest.base import (
    BudgetLeft,
    Count,
    Labels,
    Name,
    Objective,
    Pace,
    Percentage,
    Period,
    SLOReference,
    Span,
    Strict,
    Text,
    Version,
)
from slo_compiler.manifest.channel import CHANNEL_KINDS
from slo_compiler.manifest.channel.base import ChannelKind
from slo_compiler.manifest.hours import HolidaysByName, HoursByName
from slo_compiler.manifest.severity import DEFAULT_SEVERITIES, Severities
from slo_compiler.manifest.sli import SLI_TYPES
from slo_compiler.manifest.sli.base import SLIType

API_VERSION = "slo-compiler/v1"


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
    depends_on: list[SLOReference] = Field(default=[], max_length=8)
    sli: SLI
    alerting: Alerting = Alerting()


class Defaults(Strict):
    """What holds for SLOs that do not say it themselves."""

    objective: Objective | None = None
    period: Period | None = None
    policy: Name | None = None


class Step(Strict):
    """One step of an escalation: who hears of which alerts, after how long, at which hours."""

    ONE_OF: ClassVar = ("severity", "budget_below", "exhausted_within")

    severity: Name | None = None
    budget_below: BudgetLeft | None = None
    exhausted_within: Pace | None = None
    firing_for: Span | None = None
    hours: Name | None = None
    notify: list[Name] = Field(min_length=1)

    @property
    def on(self) -> str:
        """The key that says which alerts the step is for."""
        return next(key for key in self.ONE_OF if getattr(self, key) is not None)

    @property
    def alerts(self) -> tuple[object, ...]:
        """Which alerts the step is for: the same for steps that differ in their hours only."""
        return (self.severity, self.budget_below, self.exhausted_within, self.firing_for)


class Tier(Strict):
    """One alert of a policy: fires when `budget_share` of the budget burns within `long_window`."""

    name: Name
    severity: Name
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
    holidays: HolidaysByName = {}
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
    defaults: Defaults = Defaults()
    hours: HoursByName = {}
    holidays: HolidaysByName = {}
    severities: Severities = Field(default=DEFAULT_SEVERITIES, min_length=1, max_length=16)


class Project(Strict):
    """The platform team's settings."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["Project"]
    spec: ProjectSpec = ProjectSpec()


DOCUMENT_KINDS: tuple[type[Strict], ...] = (Tenant, Project, AlertPolicy)
