"""The document of a tenant: SLOs, channels and escalation."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from slo_compiler.schema.base import OneOf, Strict
from slo_compiler.schema.exclusion import TenantExclusion
from slo_compiler.schema.hours import (
    HolidaysByName,
    HoursByName,
)
from slo_compiler.schema.kinds import Channel
from slo_compiler.schema.policy import TenantPolicy
from slo_compiler.schema.quantities import BudgetLeft, Pace, ScrapeInterval, Span
from slo_compiler.schema.slo import SLO, Defaults
from slo_compiler.schema.texts import FilePath, Labels, Line, Name


class Step(OneOf):
    """One step of an escalation: who is notified of which alerts, after how long, and when."""

    ONE_OF: ClassVar = ("severity", "budget_below", "exhausted_within")

    severity: Name | None = None
    budget_below: BudgetLeft | None = None
    exhausted_within: Pace | None = None
    firing_for: Span | None = None
    hours: Name | None = None
    notify: list[Name] = Field(min_length=1)

    @property
    def on(self) -> str:
        """The key that selects the alerts of the step."""
        return next(key for key in self.ONE_OF if getattr(self, key) is not None)

    @property
    def alerts(self) -> tuple[object, ...]:
        """Which alerts the step is for: the same for steps that differ in their hours only."""
        return (self.severity, self.budget_below, self.exhausted_within, self.firing_for)


class TenantDefaults(Defaults):
    """Defaults for all SLOs of the tenant that do not set them themselves, and for its metrics.

    `scrape_interval` is for all of its SLOs: they share the rules of their windows.
    """

    scrape_interval: ScrapeInterval | None = None


class TenantMetadata(Strict):
    """Who the tenant is."""

    name: Name
    owner: Line
    labels: Labels = {}


class ForeignFiles(Strict):
    """Files of another tool whose SLOs are the tenant's, as `slo-compiler import` reads them."""

    format: Literal["sloth", "pyrra", "openslo"]
    files: list[FilePath] = Field(min_length=1, max_length=50)
    period: Span | None = None
    policy: Name | None = None


class TenantSpec(Strict):
    """What the tenant wants."""

    defaults: TenantDefaults = TenantDefaults.model_construct()
    policies: list[TenantPolicy] = []
    hours: HoursByName = {}
    holidays: HolidaysByName = {}
    channels: list[Channel] = []
    escalation: list[Step] = []
    exclusions: list[TenantExclusion] = Field(default=[], max_length=100)
    imports: list[ForeignFiles] = Field(default=[], max_length=20, alias="import")
    slos: list[SLO] = Field(min_length=1, max_length=1000)


class Tenant(Strict):
    """SLOs, channels and escalation of one tenant."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["Tenant"]
    metadata: TenantMetadata
    spec: TenantSpec
