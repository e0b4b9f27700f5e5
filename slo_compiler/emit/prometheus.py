"""Prometheus rule files, one for each tenant."""

from __future__ import annotations

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, Rendered
from slo_compiler.render import TenantRules
from slo_compiler.templating import render


def emit(rendered: Rendered, _report: Report) -> Emission:
    """Render a rule file for each tenant."""
    return Emission(tuple(map(_rules, rendered.rules)))


def _rules(tenant: TenantRules) -> Artefact:
    origins = {
        f"{group.name}/{number}": rule.origin
        for group in tenant.groups
        for number, rule in enumerate(group.rules, start=1)
    }
    text = render("emit/rules.yml.j2", tenant=tenant)
    return Artefact(naming.rules_file(tenant.tenant), text, "promtool", origins)


EMITTER = Emitter("prometheus", emit)
