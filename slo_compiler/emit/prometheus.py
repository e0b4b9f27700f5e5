"""Prometheus rule files, one for each tenant."""

from __future__ import annotations

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, TenantContext
from slo_compiler.render import TenantRules
from slo_compiler.templating import render


def tenant(context: TenantContext, _report: Report) -> Emission:
    """Render a tenant's rule file."""
    return Emission((_rules(context.rules),))


def _rules(rules: TenantRules) -> Artefact:
    origins = {
        f"{group.name}/{number}": rule.origin
        for group in rules.groups
        for number, rule in enumerate(group.rules, start=1)
    }
    text = render("emit/rules.yml.j2", tenant=rules)
    return Artefact(naming.rules_file(rules.tenant), text, "promtool", origins)


EMITTER = Emitter("prometheus", tenant=tenant)
