"""What the report shows, as plain data: SLOs, budgets, tiers, routes, findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from slo_compiler.catalogue.alerting import budget_of, tier_of
from slo_compiler.catalogue.expense import Expenses, expenses_of
from slo_compiler.catalogue.routes import Routed, Tree, audience_of
from slo_compiler.catalogue.table import Interned
from slo_compiler.diagnostics import Diagnostic, Report
from slo_compiler.emit.alertmanager import project as alertmanager
from slo_compiler.emit.alertmanager import tenant as routing_facts
from slo_compiler.emit.emitter import ProjectContext, TenantContext
from slo_compiler.naming import ALERTMANAGER_FILE
from slo_compiler.pipeline import Planned, Settings, read_shared
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.proofs.generate.routes import routes_by_alert
from slo_compiler.routing.config import Config
from slo_compiler.view.relations import Relations, relations_of
from slo_compiler.view.values import place

_NO_TIME = datetime.fromtimestamp(0, UTC)  # what is relative to the time is left out


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """All that the page shows; plain values that JSON has."""

    tenants: list[dict[str, Any]]
    slos: list[dict[str, Any]]
    budgets: list[Any]
    tiers: list[Any]
    audiences: list[Any]
    hours: dict[str, Any]
    nodes: list[dict[str, Any]]
    severities: list[str]  # most urgent first
    findings: list[dict[str, Any]]
    costs: list[Any]  # of SLOs, as words
    expenses: Expenses


def facts_of(
    settings: Settings, planned: Planned, findings: Sequence[Diagnostic], *, whole: bool
) -> ReportFacts:
    """Collect what the page shows.

    Args:
        settings: the project.
        planned: its tenants and their plan.
        findings: of its manifests.
        whole: whether these are all tenants of the project.

    Raises:
        CompileError: the routing tree does not fit the project's base configuration.
    """
    tree = Tree(_configuration(settings, planned, whole=whole), planned.plan.routing)
    document = settings.manifest.document if settings.manifest else None
    budgets, tiers, audiences, costs = Interned(), Interned(), Interned(), Interned()
    expenses = expenses_of(planned, settings.spec)
    slos = []
    for tenant in planned.plan.tenants:
        routed: dict[tuple[str, str], list[Any]] = {}
        for pair in routes_by_alert(tenant, planned.tenants):
            identity = pair[0].identity
            routed.setdefault((identity.service, identity.slo), []).append(pair)
        for slo in tenant.slos:
            mine: Routed = routed.get((slo.identity.service, slo.identity.slo), [])
            order = [tier.spec.name for tier in slo.tiers]
            slos.append(
                {
                    **_slo(tenant, slo),
                    "budget": budgets.number(budget_of(slo.resolved)),
                    "tiers": tiers.number([tier_of(slo, tier) for tier in slo.tiers]),
                    **_cost(expenses, slo, costs),
                    "audience": audiences.number(audience_of(mine, tree, order)),
                    **_relations(relations_of(tenant, slo, settings.spec, document, _NO_TIME)),
                }
            )
    levels = planned.tenants[0].levels if planned.tenants else ()
    return ReportFacts(
        tenants=[_tenant(tenant) for tenant in planned.plan.tenants],
        slos=slos,
        budgets=budgets.values,
        tiers=tiers.values,
        audiences=audiences.values,
        hours=tree.hours,
        nodes=tree.nodes,
        severities=[level.name for level in levels],
        findings=[_finding(found) for found in findings],
        costs=costs.values,
        expenses=expenses,
    )


def _configuration(settings: Settings, planned: Planned, *, whole: bool) -> Config:
    """Give the routing tree as Alertmanager will read it, the platform's own part included."""
    report = Report()
    shared = read_shared(settings, report)
    parts = [
        routing_facts(TenantContext(tenant, rules, settings.spec, planned.tenants), report).facts
        for tenant, rules in zip(planned.plan.tenants, planned.rules, strict=True)
    ]
    heartbeat = settings.at("spec", "alertmanager", "heartbeat")
    context = ProjectContext(settings.spec, heartbeat, shared.base, settings.at, whole)
    emitted = alertmanager(parts, context, report)
    report.raise_if_failed()
    (text,) = (each.text for each in emitted.artefacts if each.path == ALERTMANAGER_FILE)
    return Config.load(text)


def _tenant(tenant: PlannedTenant) -> dict[str, Any]:
    resolved = tenant.resolved
    return {
        "name": tenant.name,
        "owner": resolved.owner,
        "labels": dict(resolved.labels),
        "manifest": resolved.source.version,
        "matchers": [f'{name}="{value}"' for name, value in resolved.matchers.items()],
    }


def _slo(tenant: PlannedTenant, slo: PlannedSLO) -> dict[str, Any]:
    resolved = slo.resolved
    facts = {
        "tenant": tenant.name,
        "service": slo.identity.service,
        "slo": slo.identity.slo,
        "description": resolved.spec.description,
        "at": place(resolved.at("name")),
        "template": resolved.spec.template or "",
        "type": resolved.spec.sli.body.KIND,
        "policy": resolved.policy.name,
        "stage": resolved.stage,
        "by": [*slo.by],
        "labels": slo.labels,
        "slices": _slices(slo),
        "runbook": resolved.alerting.runbook or "",
        "dashboard": resolved.alerting.dashboard or "",
    }
    return {key: value for key, value in facts.items() if value}


def _cost(expenses: Expenses, slo: PlannedSLO, costs: Interned) -> dict[str, int]:
    identity = slo.identity
    found = expenses.slos.get((identity.tenant, identity.service, identity.slo))
    return {} if found is None else {"cost": costs.number(found)}


def _slices(slo: PlannedSLO) -> str:
    slices = slo.resolved.slices
    if slices is None:
        return ""
    return f"slices of {slices.slice}, good if {slices.target}% of their events are"


def _relations(relations: Relations) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "depends_on": [each.slo for each in relations.depends_on],
        "parts": [[each.slo, each.weight] for each in relations.parts],
        "formerly": asdict(relations.formerly) if relations.formerly else None,
        "exclusions": [
            [each.name, f"{each.when} {each.location}", each.after, each.declared_by]
            for each in relations.exclusions
        ],
    }
    return {key: value for key, value in facts.items() if value}


def _finding(found: Diagnostic) -> dict[str, Any]:
    return {
        "id": found.id,
        "severity": str(found.severity),
        "message": found.message,
        "help": found.help,
        "at": place(found.position),
    }
