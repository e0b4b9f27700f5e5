"""The documents: Tenant, Project, AlertPolicy and SLOTemplate."""

from slo_compiler.schema.base import Strict
from slo_compiler.schema.compat import Compat, CompatTool, NoCompat
from slo_compiler.schema.exclusion import Exclusion, TenantExclusion
from slo_compiler.schema.kinds import (
    SLI,
    Channel,
    ChannelBase,
    HeartbeatChannel,
    NamedChannelBase,
    SLIBase,
)
from slo_compiler.schema.policy import (
    AlertPolicy,
    PolicyMetadata,
    PolicySpec,
    TenantPolicy,
    Tier,
)
from slo_compiler.schema.project import (
    AlertmanagerSpec,
    Isolation,
    Project,
    ProjectSpec,
    PrometheusSpec,
    TenantGrant,
)
from slo_compiler.schema.slo import (
    SLO,
    Alerting,
    AlertMetadata,
    Argument,
    Budgeting,
    Defaults,
    Guards,
    NoAlerting,
    TierAlerting,
    Timeslices,
)
from slo_compiler.schema.template import Parameter, SLOTemplate, TemplateSpec
from slo_compiler.schema.tenant import Step, Tenant, TenantMetadata, TenantSpec

__all__ = [
    "API_VERSION",
    "DOCUMENT_KINDS",
    "SLI",
    "SLO",
    "AlertMetadata",
    "AlertPolicy",
    "Alerting",
    "AlertmanagerSpec",
    "Argument",
    "Budgeting",
    "Channel",
    "ChannelBase",
    "Compat",
    "CompatTool",
    "Defaults",
    "Exclusion",
    "Guards",
    "HeartbeatChannel",
    "Isolation",
    "NamedChannelBase",
    "NoAlerting",
    "NoCompat",
    "Parameter",
    "PolicyMetadata",
    "PolicySpec",
    "Project",
    "ProjectSpec",
    "PrometheusSpec",
    "SLIBase",
    "SLOTemplate",
    "Step",
    "TemplateSpec",
    "Tenant",
    "TenantExclusion",
    "TenantGrant",
    "TenantMetadata",
    "TenantPolicy",
    "TenantSpec",
    "Tier",
    "TierAlerting",
    "Timeslices",
]

API_VERSION = "slo-compiler/v1"
DOCUMENT_KINDS: tuple[type[Strict], ...] = (Tenant, Project, AlertPolicy, SLOTemplate)
