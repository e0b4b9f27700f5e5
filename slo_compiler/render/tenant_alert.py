"""What the alerts have in common that are about all SLOs of a tenant, or about some of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.render.model import Rule
from slo_compiler.render.own import with_own
from slo_compiler.resolve.metadata import UserMetadata
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema.severity import SeverityLevel
from slo_compiler.templating import promql_string

_NONE: Mapping[str, str] = MappingProxyType({})
_NOTHING = UserMetadata()


def tenant_alert(
    tenant: ResolvedTenant,
    alertname: str,
    expr: str,
    tier: str,
    title: str,
    summary: str,
    wait: Duration | None = None,
    *,
    severity: SeverityLevel | None,
    labels: Pairs = (),
    more: Mapping[str, str] = _NONE,
    own: UserMetadata = _NOTHING,
) -> Rule:
    """Build an alert; `own` is what users want of it."""
    value = severity.label if severity else naming.SEVERITY_HEARTBEAT
    beside = severity.labels.items() if severity else ()
    constants = {naming.SEVERITY: value, naming.TIER: tier}
    annotations = {"title": title, "summary": summary, **more}
    if tenant.runbooks is not None:
        annotations["runbook_url"] = f"{tenant.runbooks}#{alertname.lower()}"
    annotations["manifest"] = tenant.source.version
    return Rule(
        own.name or alertname,
        expr,
        tenant.position,
        (*labels, *constants.items(), *beside, *own.labels.items()),
        with_own(annotations, own, constants),
        wait,
        alert=True,
    )


def rules_labels(tenant: ResolvedTenant, slo: str) -> Pairs:
    """Give the identity of alerts about a tenant's rules as a whole."""
    return (
        (naming.TENANT, tenant.name),
        (naming.SERVICE, naming.RULES_SERVICE),
        (naming.SLO, slo),
    )


def silent_slos(tenant: ResolvedTenant) -> list[str]:
    """Select the SLOs that do not notify, if there are any: no alert is about their data."""
    stages = sorted({slo.stage for slo in tenant.slos if not slo.live})
    if not stages:
        return []
    stage = f"stage{'=~' if len(stages) > 1 else '='}{promql_string('|'.join(stages))}"
    return [f"{naming.INFO}{{tenant={promql_string(tenant.name)},{stage}}}"]


def matchers_of(tenant: ResolvedTenant, slos: Sequence[ResolvedSLO]) -> Iterator[str]:
    """Match SLOs of a tenant, those of a service at once."""
    services: dict[str, list[str]] = {}
    for slo in slos:
        services.setdefault(slo.spec.service, []).append(slo.spec.name)
    for service, names in services.items():
        yield (
            f"tenant={promql_string(tenant.name)},service={promql_string(service)},"
            f"slo{'=~' if len(names) > 1 else '='}{promql_string(_one_of(names))}"
        )


def _one_of(names: Sequence[str]) -> str:
    """Write a matcher's value for one name, or a regular expression for several."""
    return names[0] if len(names) == 1 else "|".join(name.replace(".", "[.]") for name in names)
