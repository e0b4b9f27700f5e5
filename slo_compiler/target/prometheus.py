"""Prometheus rule files and an Alertmanager configuration, as the two servers read them."""

from __future__ import annotations

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.plan.ir import Plan, TenantRules
from slo_compiler.source import Document
from slo_compiler.target.alertmanager import configuration
from slo_compiler.target.artefact import Artefact
from slo_compiler.templating import render


def artefacts(plan: Plan, base: Document | None, report: Report) -> list[Artefact]:
    """Render all files of the plan; `base` is the Alertmanager configuration to merge into."""
    files = [_rules(tenant) for tenant in plan.tenants]
    files += [
        Artefact(proof.path, render("target/unit_test.yml.j2", file=proof)) for proof in plan.proofs
    ]
    config = configuration(plan.routing, base, report)
    if config is not None:
        files.append(config)
    routes = render("target/routes.yml.j2", routing=plan.routing)
    files.append(Artefact(naming.ROUTES_FILE, routes))
    return files


def _rules(tenant: TenantRules) -> Artefact:
    origins = {
        f"{group.name}/{number}": rule.origin
        for group in tenant.groups
        for number, rule in enumerate(group.rules, start=1)
    }
    text = render("target/rules.yml.j2", tenant=tenant)
    return Artefact(naming.rules_file(tenant.tenant), text, "promtool", origins)
