"""The document of the platform team."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.schema.base import OneOf, Strict, invalid
from slo_compiler.schema.exclusion import Exclusion
from slo_compiler.schema.hours import (
    HolidaysByName,
    HoursByName,
)
from slo_compiler.schema.kinds import HeartbeatChannel
from slo_compiler.schema.lint import LintSpec, Retention
from slo_compiler.schema.quantities import Span
from slo_compiler.schema.quotas import Limits, Quotas
from slo_compiler.schema.severity import DEFAULT_SEVERITIES, Severities
from slo_compiler.schema.slo import Defaults
from slo_compiler.schema.texts import FilePath, LabelName, Line, Name, Text, Version
from slo_compiler.schema.url import Url

# Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
KubernetesLabel = Annotated[str, Field(pattern=rf"^(?:[a-z0-9.-]{{1,253}}/)?{_PART}$")]
KubernetesLabelValue = Annotated[str, Field(pattern=rf"^(?:{_PART})?$")]


class PrometheusSpec(Strict):
    """The Prometheus that will evaluate the rules."""

    version: Version = "3.5"
    scrape_interval: Span = Duration.of(seconds=15)
    evaluation_interval: Span = Duration.of(seconds=30)
    retention: Retention | None = None
    external_labels: list[LabelName] = Field(
        default=[],
        max_length=8,
        description="Labels by which several Prometheus servers that send to one Alertmanager "
        "differ, such as cluster; not those of replicas, which alert_relabel_configs drop.",
    )

    @field_validator("external_labels")
    @classmethod
    def _unique(cls, names: list[str]) -> list[str]:
        for index, name in enumerate(names):
            if name in names[:index]:
                raise invalid("duplicate-label", f'"{name}" is named twice', "remove one")
        return names


class AlertmanagerSpec(Strict):
    """The Alertmanager that will route the alerts."""

    version: Version = "0.33"
    base: FilePath | None = None
    heartbeat: HeartbeatChannel | None = None
    templates: Line | None = Field(
        default=None,
        min_length=1,
        description="Where Alertmanager finds alertmanager/slo.tmpl of the output, which then has "
        "the texts of notifications as named templates; slo.tmpl is beside its configuration.",
    )
    group_wait: Span = Duration.of(seconds=30)
    group_interval: Span = Duration.of(minutes=5)
    repeat_interval: Span = Duration.of(hours=4)


class OperatorSpec(Strict):
    """The objects of the target `operator`."""

    namespace: Name | None = Field(
        default=None, description="Of the objects; without it, they get that of their deploy."
    )
    labels: dict[KubernetesLabel, KubernetesLabelValue] = Field(
        default={},
        max_length=16,
        description="By which a Prometheus selects the objects, such as release; each object has "
        "its tenant, too.",
    )
    config_secret: Name | None = Field(
        default=None,
        description="Name of a Secret with Alertmanager's whole configuration, for configSecret of "
        "the Alertmanager object; without it, none is written.",
    )


class GrafanaSpec(Strict):
    """The dashboards of the target `grafana`."""

    datasource: Line | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Name of the Prometheus that dashboards show first; without it, Grafana's "
        "default.",
    )


# Of Mimir's tenant IDs, those that are plain names of folders.
# Source: https://grafana.com/docs/mimir/latest/configure/about-tenant-ids/
Org = Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,148}[A-Za-z0-9])?$")]
RuleLimit = Annotated[int, Field(ge=0, le=100_000)]


class MimirSpec(Strict):
    """The rules and configurations of the target `mimir`, for Mimir and Cortex."""

    org: Org | None = Field(
        default=None,
        description="Organisation (X-Scope-OrgID) of all tenants; without it, each tenant has the "
        "one that is called as itself.",
    )
    orgs: dict[Name, Org] = Field(
        default={}, description="Organisations of single tenants, by the tenant's name."
    )
    platform_org: Org = Field(
        default="mimir",
        description="Organisation that has Mimir's own metrics: it gets the rules on them.",
    )
    rules_per_group: RuleLimit = Field(
        default=20,
        description="Most rules of a group, as ruler_max_rules_per_rule_group; 0 is no limit.",
    )
    groups: RuleLimit = Field(
        default=70,
        description="Most groups of an organisation, as ruler_max_rule_groups_per_tenant; 0 is no "
        "limit.",
    )
    query_offset: Span = Field(
        default=Duration.of(seconds=5),
        description="How old the samples are that rules read, in the place of the ruler's 1m: "
        "alerts are later by as much.",
    )

    def org_of(self, tenant: str) -> str:
        """Give the organisation of a tenant."""
        return self.orgs.get(tenant, self.org or tenant)


class VictoriaMetricsSpec(Strict):
    """VictoriaMetrics and vmalert, which evaluate the rules of the target `victoriametrics`."""

    version: Version = Field(
        default="1.145",
        description="Of VictoriaMetrics and vmalert, such as 1.145: what is emitted runs on it.",
    )


class Isolation(Strict):
    """The label by which tenants' metrics are distinguished."""

    label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = "tenant"


class HealthSpec(Strict):
    """The alerts on tenants' data and rules, such as SLONoData."""

    severity: Name | None = Field(
        default=None,
        description="One of the project's severities; without it, the most urgent one of the "
        "tenant. A tenant's steps of this severity get these alerts.",
    )
    runbooks: Url | None = Field(
        default=None,
        description="Address of a page with a section for each of these alerts, as docs/alerts.md "
        "has; runbook_url of SLONoData is this and #slonodata.",
    )

    @field_validator("runbooks")
    @classmethod
    def _plain(cls, page: str | None) -> str | None:
        if page is not None and "#" in page:
            raise invalid(
                "url",
                "the address of the runbooks has a fragment",
                "write the page alone: each alert's name is added, as #slonodata",
            )
        return page


Matchers = dict[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], Text]


class TenantGrant(OneOf):
    """What the platform declares for one tenant."""

    ONE_OF: ClassVar = ("matchers", "extra_matchers")

    matchers: Matchers | None = Field(
        default=None,
        min_length=1,
        description="Replace the isolation label in the tenant's selectors: it may read whatever "
        "series have these.",
    )
    extra_matchers: Matchers | None = Field(
        default=None,
        min_length=1,
        description="Are added to the isolation label in the tenant's selectors.",
    )


class ProjectSpec(Strict):
    """What is valid for all tenants; tenants cannot widen it."""

    sources: list[FilePath] = Field(default=[naming.SOURCES_FOLDER], min_length=1)
    output: FilePath = naming.OUTPUT_FOLDER
    policies: list[FilePath] = []
    templates: list[FilePath] = []
    # Defaults are made without validation, which would build a validator each when imported.
    prometheus: PrometheusSpec = PrometheusSpec.model_construct()
    alertmanager: AlertmanagerSpec = AlertmanagerSpec.model_construct()
    operator: OperatorSpec = OperatorSpec.model_construct()
    grafana: GrafanaSpec = GrafanaSpec.model_construct()
    mimir: MimirSpec = MimirSpec.model_construct()
    victoriametrics: VictoriaMetricsSpec = VictoriaMetricsSpec.model_construct()
    targets: list[Name] = Field(default=["prometheus", "alertmanager", "proofs"], min_length=1)
    isolation: Isolation | Literal["none"] = Isolation.model_construct()
    tenants: dict[Name, TenantGrant] = {}
    ownership: Line | None = None
    secrets: Line | None = None
    lint: LintSpec = LintSpec.model_construct()
    defaults: Defaults = Defaults.model_construct()
    hours: HoursByName = {}
    exclusions: list[Exclusion] = Field(default=[], max_length=100)
    holidays: HolidaysByName = {}
    health: HealthSpec = HealthSpec.model_construct()
    quotas: Quotas = Quotas.model_construct()
    limits: Limits = Limits.model_construct()
    severities: Severities = Field(default=DEFAULT_SEVERITIES, min_length=1, max_length=16)


class Project(Strict):
    """The platform team's settings."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["Project"]
    spec: ProjectSpec = ProjectSpec.model_construct()
