"""Prometheus rule files, one for each tenant."""

from __future__ import annotations

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, EvaluatedRules, TenantContext
from slo_compiler.promql import check_grammar
from slo_compiler.render import Rule, TenantRules
from slo_compiler.templating import block, pairs, render

_OF_QUERIES = {*naming.RATES_OF_EVENTS, *naming.RATES_OF_ERRORS, naming.EXCLUSION_SCHEDULED}


def tenant(context: TenantContext, report: Report) -> Emission:
    """Render a tenant's rule file."""
    check_expressions(context.rules, report)
    rules = context.rules
    path = naming.rules_file(rules.tenant)
    return Emission((Artefact(path, rules_text(rules), "promtool", origins_of(rules)),))


def rules_text(
    rules: TenantRules,
    *,
    strategy: str = "",
    namespace: str = "",
    query_offset: Duration | None = None,
) -> str:
    """Write a rule file.

    Args:
        rules: its groups.
        strategy: Thanos' for stores that do not answer.
        namespace: Mimir's, of the file's groups.
        query_offset: of each group.
    """
    return render(
        "emit/rules.yml.j2",
        source=rules.source,
        groups=[(group, "".join(map(_rule, group.rules))) for group in rules.groups],
        strategy=strategy,
        namespace=namespace,
        query_offset=query_offset,
    )


def _rule(rule: Rule) -> str:
    """Write a rule, without a template: a thousand SLOs have twelve thousand of them."""
    more = f"        for: {rule.for_}\n" if rule.for_ else ""
    if rule.labels:
        more += f"        labels:\n          {pairs(rule.labels, 10)}\n"
    if rule.annotations:
        more += f"        annotations:\n          {pairs(rule.annotations, 10)}\n"
    kind = "alert" if rule.alert else "record"
    return f"      - {kind}: {rule.name}\n        expr: {block(rule.expr, 10)}\n{more}"


def origins_of(rules: TenantRules) -> dict[str, Position]:
    """Give the place of each rule, named as promtool does."""
    return {
        f"{group.name}/{number}": rule.origin
        for group in rules.groups
        for number, rule in enumerate(group.rules, start=1)
    }


def check_expressions(rules: TenantRules, report: Report) -> None:
    """Parse the rules that contain tenants' queries again: what is emitted is what was checked."""
    for group in rules.groups:
        for rule in group.rules:
            if rule.name not in _OF_QUERIES:
                continue
            try:
                check_grammar(rule.expr)
            except ValueError as error:
                report.error(
                    rule.origin,
                    "emitted-expression",
                    f"the expression of {rule.name} does not parse: {' '.join(str(error).split())}",
                    "simplify the query, or record a part of it with a rule of your own",
                )


def evaluated(context: TenantContext, _report: Report) -> EvaluatedRules:
    """Give the rules as they are planned."""
    return EvaluatedRules(context.planned, context.rules, len(context.planned.groups))


EMITTER = Emitter("prometheus", tenant=tenant, evaluated=evaluated)
