"""Resolved tenants to the plan."""

from __future__ import annotations

from collections.abc import Sequence

from slo_compiler.diagnostics import Position, Report
from slo_compiler.plan.ir import Plan, PlannedTenant
from slo_compiler.plan.routes import plan_routing
from slo_compiler.plan.rules import plan_tenant
from slo_compiler.plan.tenant import tenant_timing
from slo_compiler.plan.tiers import check_tiers
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import ProjectSpec


def build(
    tenants: Sequence[ResolvedTenant], project: ProjectSpec, position: Position, report: Report
) -> Plan:
    """Plan everything.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    planned: list[PlannedTenant] = []
    for tenant in tenants:
        if not tenant.slos:
            continue
        spec = project.prometheus
        timing = tenant_timing(tenant, spec.scrape_interval, spec.evaluation_interval)
        check_tiers(tenant, timing, report)
        planned.append(PlannedTenant(tenant, timing, plan_tenant(tenant, timing, report)))
    report.raise_if_failed()
    routing = plan_routing(tenants, project, position)
    rules = [rule for tenant in planned for group in tenant.rules.groups for rule in group.rules]
    counts = {
        "tenants": len(tenants),
        "slos": sum(len(tenant.slos) for tenant in tenants),
        "groups": sum(len(tenant.rules.groups) for tenant in planned),
        "recording_rules": sum(not rule.alert for rule in rules),
        "alerting_rules": sum(rule.alert for rule in rules),
        "receivers": len(routing.receivers),
    }
    return Plan(tuple(planned), routing, counts)
