"""Resolved tenants to the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slo_compiler.diagnostics import Position, Report
from slo_compiler.plan.health import HealthAlert
from slo_compiler.plan.routes import plan_routing
from slo_compiler.plan.routing_ir import Routing
from slo_compiler.plan.rule import BurnAlert
from slo_compiler.plan.rules import PlannedTenant, plan_tenant
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import ProjectSpec

_ALERTS = BurnAlert | HealthAlert  # to make it takes longer than to ask


@dataclass(frozen=True, slots=True)
class Plan:
    """What one compile will write, as typed values."""

    tenants: tuple[PlannedTenant, ...]
    routing: Routing


def build(
    tenants: Sequence[ResolvedTenant], project: ProjectSpec, position: Position, report: Report
) -> Plan:
    """Plan everything.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    planned = [
        plan_tenant(tenant, project.prometheus, report.without(tenant.uncertain))
        for tenant in tenants
        if tenant.slos
    ]
    report.raise_if_failed()
    routing = plan_routing(tenants, project, position)
    return Plan(tuple(planned), routing)


def rule_counts(tenant: PlannedTenant) -> dict[str, int]:
    """Count a tenant's SLOs, groups and rules."""
    rules = [rule for group in tenant.groups for rule in group.rules]
    alerts = sum(isinstance(rule, _ALERTS) for rule in rules)
    return {
        "slos": len(tenant.slos),
        "groups": len(tenant.groups),
        "recording_rules": len(rules) - alerts,
        "alerting_rules": alerts,
    }
