"""The documents: Tenant, Project and AlertPolicy."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema, create_model, model_validator

from slo_compiler.duration import Duration
from slo_compiler.manifest.base import (
    BudgetLeft,
    Count,
    Labels,
    Link,
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
    invalid,
    shown,
)
from slo_compiler.manifest.channel import CHANNEL_KINDS
from slo_compiler.manifest.channel.base import ChannelKind
from slo_compiler.manifest.formerly import Formerly
from slo_compiler.manifest.hours import (
    DAYS,
    HolidaysByName,
    HoursByName,
    Location,
    Times,
    Weekdays,
)
from slo_compiler.manifest.lint import LintSpec, Retention, Traffic
from slo_compiler.manifest.moment import Moment, every_week, once
from slo_compiler.manifest.severity import DEFAULT_SEVERITIES, Severities
from slo_compiler.manifest.sli import SLI_TYPES
from slo_compiler.manifest.sli.base import SLIType
from slo_compiler.recurrence import Pattern

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


class Guards(Strict):
    """From how much traffic on an alert may fire, counted in its long window."""

    min_errors: Count | None = None
    min_events: Count | None = None


class Alerting(Guards):
    """Which policy watches an SLO, from how much traffic on, and what the alerts say."""

    policy: Name | None = None
    tiers: dict[Name, Guards] = {}
    runbook: Link | None = None
    dashboard: Link | None = None


def _argument(value: object) -> object:
    if isinstance(value, dict | list):
        raise invalid("type", f"expected text, a number, true or false, found {shown(value)}")
    return value


Argument = Annotated[
    str | int | bool | Decimal,
    BeforeValidator(_argument),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


class Timeslices(Strict):
    """Slices of time that are good or bad as a whole.

    A slice is good if at least `target` percent of its events are; `idle` says what one without
    events is: good, bad, or left out of the budget.
    """

    slice: Span
    target: Percentage
    idle: Literal["good", "bad", "exclude"]


class Budgeting(Strict):
    """What the budget is made of."""

    timeslices: Timeslices


class SLO(Strict):
    """One objective for one service: written out, or made of a template."""

    template: Name | None = None
    with_: dict[str, Argument] = Field(default={}, alias="with")
    name: Name
    service: Name
    description: Text = ""
    objective: Objective | None = None
    period: Period | None = None
    labels: Labels = {}
    stage: Literal["live", "shadow"] = "live"
    formerly: Formerly | None = None
    depends_on: list[SLOReference] = Field(default=[], max_length=8)
    sli: SLI
    budgeting: Budgeting | Literal["occurrences"] = "occurrences"
    traffic: Traffic | None = None
    alerting: Alerting = Alerting()


class Defaults(Alerting):
    """What holds for SLOs that do not say it themselves; labels add up."""

    objective: Objective | None = None
    period: Period | None = None
    labels: Labels = {}


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


class Exclusion(Strict):
    """Planned maintenance that no budget pays for: once up to `to`, or each week up to `until`."""

    ONE_OF: ClassVar = ("to", "until")

    name: Name
    from_: Moment = Field(alias="from")
    to: Moment | None = None
    until: Moment | None = None
    weekdays: list[Weekdays] = Field(default=["sunday:saturday"], min_length=1, max_length=7)
    times: list[Times] = Field(default=[], max_length=24)
    location: Location = "UTC"

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        for key in self.model_fields_set & {"weekdays", "times"}:
            if self.to:
                message = f"`{key}` is for what recurs, which ends with `until`, not with `to`"
                raise invalid("exclusion", message, "", key)
        if self.until and not self.times:
            message = "what recurs needs times"
            raise invalid("exclusion", message, 'add times: ["02:00-04:00"]', "until")
        if self.to or self.until:
            _ = self.patterns
        return self

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """When it is active."""
        if self.to:
            return once(self.from_, self.to, self.location)
        assert self.until is not None  # noqa: S101  (narrows the type)
        ends = [[DAYS.index(day) for day in days.split(":")] for days in self.weekdays]
        weekdays = {day for end in ends for day in range(end[0], end[-1] + 1)}
        times = [(int(s[:2]) * 60 + int(s[3:5]), int(s[6:8]) * 60 + int(s[9:])) for s in self.times]
        return every_week(weekdays, times, self.from_, self.until, self.location)


class TenantExclusion(Exclusion):
    """An exclusion of one tenant, for all of its SLOs or some: `service/name`."""

    slos: list[Text] | None = Field(default=None, min_length=1, max_length=1000)


class Tier(Guards):
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
    exclusions: list[TenantExclusion] = Field(default=[], max_length=100)
    slos: list[SLO] = Field(min_length=1, max_length=1000)


class Tenant(Strict):
    """SLOs, channels and escalation of one tenant."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["Tenant"]
    metadata: TenantMetadata
    spec: TenantSpec


# --- AlertPolicy


def _parameter(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", value):
        raise invalid(
            "name",
            f"{shown(value)} is not a parameter's name",
            "use lowercase letters, digits and underscores, the first a letter",
        )
    return value


class PolicyMetadata(Strict):
    """What SLOs call the policy, or the template."""

    name: Name


class AlertPolicy(Strict):
    """An alert policy for all tenants."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["AlertPolicy"]
    metadata: PolicyMetadata
    spec: PolicySpec


# --- SLOTemplate


class Parameter(Strict):
    """What a use of the template gives, or may give if there is a default."""

    name: Annotated[str, BeforeValidator(_parameter)]
    default: Argument | None = None


class TemplateSpec(Strict):
    """An SLO with `${parameter}` in it."""

    parameters: list[Parameter] = Field(default=[], max_length=32)
    slo: dict[str, Any]


class SLOTemplate(Strict):
    """An SLO that many tenants have, written once."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["SLOTemplate"]
    metadata: PolicyMetadata
    spec: TemplateSpec


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
    templates: list[Text] = []
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
    exclusions: list[Exclusion] = Field(default=[], max_length=100)
    holidays: HolidaysByName = {}
    severities: Severities = Field(default=DEFAULT_SEVERITIES, min_length=1, max_length=16)


class Project(Strict):
    """The platform team's settings."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["Project"]
    spec: ProjectSpec = ProjectSpec()


DOCUMENT_KINDS: tuple[type[Strict], ...] = (Tenant, Project, AlertPolicy, SLOTemplate)
