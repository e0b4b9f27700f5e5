"""The Alertmanager configuration of each organisation of Mimir: the routes of its tenants alone.

Decision: a secret stays the file that the manifest names (`api_url_file`). Mimir refuses each such
field, so that no upload can forget the secrets; amtool reads them, so that the file is checked as
it is; and they are keys, which no text of a tenant can imitate. `slo-compiler fill-secrets` puts
the secrets in their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import yaml

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit.alertmanager import check_globals, configuration
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.base_config import item, write_merges_out
from slo_compiler.emit.emitter import ProjectContext
from slo_compiler.plan.routes import join_routing
from slo_compiler.plan.routing_ir import Routing, TenantRouting


def configurations(
    orgs: Mapping[str, Sequence[TenantRouting]], context: ProjectContext, report: Report
) -> Iterator[Artefact]:
    """Render the configuration of each organisation."""
    for org, tenants in orgs.items():
        routing = join_routing(tenants, context.spec, context.heartbeat)
        check_globals(routing, context.base, report)
        written = configuration(
            routing,
            None,
            None,
            report,
            path=naming.mimir_alertmanager_file(org),
            settings=[*_globals(routing, context)],
        )
        if written is not None:
            yield written


def _globals(routing: Routing, context: ProjectContext) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Give those of the platform's settings that a channel leaves to them: smtp_*, slack_*."""
    needed = {
        f"{key.partition('_')[0]}_"
        for receiver in routing.receivers
        for integration in receiver.integrations
        for field, keys in integration.kind.GLOBALS.items()
        if getattr(integration.kind, field) is None
        for key in keys
    }
    settings = item(context.base.node, "global") if context.base is not None else None
    write_merges_out(settings)
    if isinstance(settings, yaml.MappingNode):
        for key, value in settings.value:
            if any(key.value.startswith(prefix) for prefix in needed):
                yield key, value
