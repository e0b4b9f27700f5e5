"""What Mimir and Cortex get: the rules of each tenant in its organisation, within its limits.

An organisation (X-Scope-OrgID) has its own rules, its own data and an Alertmanager of its own. Its
data have no metrics on the evaluation of its rules: `mimir_meta` has rules on those of Mimir.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import (
    Emission,
    Emitter,
    EvaluatedRules,
    ProjectContext,
    TenantContext,
)
from slo_compiler.emit.mimir_alertmanager import configurations
from slo_compiler.emit.mimir_meta import meta_rules
from slo_compiler.emit.prometheus import check_expressions, origins_of, rules_text
from slo_compiler.plan.health import RulesFailingAlert
from slo_compiler.plan.routes import plan_routes
from slo_compiler.plan.routing_ir import Pairs, TenantRouting
from slo_compiler.plan.rules import PlannedGroup, PlannedTenant
from slo_compiler.plan.split import split_groups
from slo_compiler.render import Rule, TenantRules, tenant_rules
from slo_compiler.resolve.dependencies import dependency
from slo_compiler.schema.project import MimirSpec


@dataclass(frozen=True, slots=True)
class OrgPart:
    """What one tenant brings into its organisation."""

    tenant: str
    position: Position
    groups: Mapping[str, int]  # by their part
    rules: int
    routing: TenantRouting


def tenant(context: TenantContext, report: Report) -> Emission:
    """Render a tenant's rule file; promtool checks it without the keys that it does not know."""
    planned, spec = context.planned, context.project.mimir
    org = spec.org_of(planned.name)
    _check_org(planned, spec, report)
    fitting = _fitting(planned, spec, report)
    rules = tenant_rules(fitting)
    check_expressions(rules, report)
    _report_dependencies(context, org, report)
    reaching = {each.name for each in context.known if spec.org_of(each.name) == org}
    return Emission(
        (rule_file(naming.mimir_rules_file(org, planned.name), rules, spec),),
        facts=OrgPart(
            planned.name,
            planned.resolved.position,
            dict(Counter(group.part for group in fitting.groups)),
            sum(len(group.rules) for group in fitting.groups),
            plan_routes(planned.resolved, context.known, reaching),
        ),
    )


def project(facts: Sequence[OrgPart], context: ProjectContext, report: Report) -> Emission:
    """Render each organisation's Alertmanager configuration, and the rules of the platform."""
    spec = context.spec.mimir
    orgs: dict[str, list[OrgPart]] = {}
    for part in facts:
        orgs.setdefault(spec.org_of(part.tenant), []).append(part)
    _check_names(facts, context, report)
    for org, parts in orgs.items():
        _check_groups(org, parts, spec, report)
    routings = {org: [part.routing for part in parts] for org, parts in orgs.items()}
    meta = meta_rules(
        {org: sum(part.rules for part in parts) for org, parts in orgs.items()}, context
    )
    artefacts = [*configurations(routings, context, report)]
    if orgs:
        path = naming.mimir_meta_file(spec.platform_org)
        artefacts.append(rule_file(path, meta, spec))
    return Emission(tuple(artefacts), {"organisations": len(orgs)})


def _fitting(planned: PlannedTenant, spec: MimirSpec, report: Report) -> PlannedTenant:
    """Give the tenant with groups that Mimir takes, and without what can never fire there."""
    groups = (
        replace(group, rules=tuple(r for r in group.rules if not isinstance(r, RulesFailingAlert)))
        for group in planned.groups
    )
    kept: tuple[PlannedGroup, ...] = tuple(group for group in groups if group.rules)
    planned = replace(planned, groups=kept)
    return replace(planned, groups=split_groups(planned, spec.rules_per_group, report))


def rule_file(path: str, rules: TenantRules, spec: MimirSpec) -> Artefact:
    """Write a file for `mimirtool rules`; the organisation is that of the upload."""
    text = rules_text(
        rules, namespace=naming.namespace(rules.tenant), query_offset=spec.query_offset
    )
    checked = rules_text(_distinguished(rules))
    return Artefact(path, text, "promtool", origins_of(rules), checked=checked)


def _distinguished(rules: TenantRules) -> TenantRules:
    """Label rules that record parts of one metric: promtool takes them for doubles."""
    first: dict[tuple[str, Pairs], str] = {}

    def labelled(rule: Rule, group: str) -> Rule:
        if rule.alert or first.setdefault((rule.name, rule.labels), group) == group:
            return rule
        return replace(rule, labels=(*rule.labels, ("part", group)))

    return replace(
        rules,
        groups=tuple(
            replace(group, rules=tuple(labelled(rule, group.name) for rule in group.rules))
            for group in rules.groups
        ),
    )


def _check_org(planned: PlannedTenant, spec: MimirSpec, report: Report) -> None:
    """Refuse a tenant that would get another's organisation because it is called like it."""
    name = planned.name
    if spec.org is not None or name in spec.orgs:
        return
    other = next((tenant for tenant, org in sorted(spec.orgs.items()) if org == name), None)
    if other is None and name != spec.platform_org:
        return
    of = "the platform" if other is None else f'the tenant "{other}"'
    report.error(
        planned.resolved.position,
        "org-taken",
        f'"{name}" is the organisation of {of}, and would be this tenant\'s, too',
        f"name this tenant's organisation in the project: mimir: {{orgs: {{{name}: ORG}}}}",
    )


def _check_names(facts: Sequence[OrgPart], context: ProjectContext, report: Report) -> None:
    """Refuse organisations of tenants that are not there: those that are meant would lack them."""
    names, at = [part.tenant for part in facts], context.at
    if at is None or not context.whole:
        return
    for name in context.spec.mimir.orgs:
        if name not in names:
            report.error(
                at("spec", "mimir", "orgs", name, key=True),
                "unknown-tenant",
                f'no tenant "{name}"',
                nearest(name, names),
            )


def _report_dependencies(context: TenantContext, org: str, report: Report) -> None:
    """Point out dependencies on tenants of which the organisation's Alertmanager has no alerts."""
    resolved, spec = context.planned.resolved, context.project.mimir
    for slo in resolved.live:
        for index, text in enumerate(slo.spec.depends_on):
            other = spec.org_of(dependency(resolved, text)[0])
            if other != org:
                report.info(
                    slo.at("depends_on", index),
                    "dependency-elsewhere",
                    f'its alerts are in the organisation "{other}" of Mimir, and inhibit none in '
                    f'"{org}"',
                    "nothing is needed if that is right; mimir.orgs of the project can give "
                    "tenants one organisation",
                )


def _check_groups(org: str, parts: Sequence[OrgPart], spec: MimirSpec, report: Report) -> None:
    """Refuse tenants with more groups than their organisation may have."""
    total = sum(sum(part.groups.values()) for part in parts)
    if not spec.groups or total <= spec.groups:
        return
    for part in parts:
        own = sum(part.groups.values())
        terms = " + ".join(f"{number} {name}" for name, number in part.groups.items())
        others = f", and other tenants {total - own}" if len(parts) > 1 else ""
        report.error(
            part.position,
            "group-limit",
            f'the organisation "{org}" would have {total} rule groups, and may have {spec.groups}: '
            f"this tenant {own} ({terms}){others}",
            "let it have more (ruler_max_rule_groups_per_tenant) or larger groups "
            "(ruler_max_rules_per_rule_group), and name these limits in the project: "
            f"mimir: {{groups: {total}, rules_per_group: N}}",
        )


def evaluated(context: TenantContext, report: Report) -> EvaluatedRules:
    """Give the rules in the groups that Mimir takes."""
    fitting = _fitting(context.planned, context.project.mimir, report)
    return EvaluatedRules(fitting, tenant_rules(fitting), len(fitting.groups))


EMITTER = Emitter("mimir", tenant, project, evaluated=evaluated)
