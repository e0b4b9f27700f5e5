"""Prometheus rule files, one for each tenant."""

from __future__ import annotations

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, TenantContext
from slo_compiler.promql import parsed
from slo_compiler.render import TenantRules
from slo_compiler.templating import render

_OF_QUERIES = {*naming.RATES_OF_EVENTS, *naming.RATES_OF_ERRORS, naming.EXCLUSION_SCHEDULED}


def tenant(context: TenantContext, report: Report) -> Emission:
    """Render a tenant's rule file."""
    _check_expressions(context.rules, report)
    return Emission((_rules(context.rules),))


def _rules(rules: TenantRules) -> Artefact:
    origins = {
        f"{group.name}/{number}": rule.origin
        for group in rules.groups
        for number, rule in enumerate(group.rules, start=1)
    }
    text = render("emit/rules.yml.j2", tenant=rules)
    return Artefact(naming.rules_file(rules.tenant), text, "promtool", origins)


def _check_expressions(rules: TenantRules, report: Report) -> None:
    """Parse the rules that hold tenants' queries again: what is emitted is what was checked."""
    for group in rules.groups:
        for rule in group.rules:
            if rule.name not in _OF_QUERIES:
                continue
            try:
                parsed(rule.expr)
            except ValueError as error:
                report.error(
                    rule.origin,
                    "emitted-expression",
                    f"the expression of {rule.name} does not parse: {' '.join(str(error).split())}",
                    "simplify the query, or record a part of it with a rule of your own",
                )


EMITTER = Emitter("prometheus", tenant=tenant)
