"""Resolved tenants to the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slo_compiler.diagnostics import Position, Report
from slo_compiler.plan.health import HealthAlert
from slo_compiler.plan.ir import Routing
from slo_compiler.plan.routes import plan_routing
from slo_compiler.plan.rule import BurnAlert
from slo_compiler.plan.rules import PlannedTenant, plan_tenant
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import ProjectSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """What one compile will write, as typed values."""

    tenants: tuple[PlannedTenant, ...]
    routing: Routing
    counts: Mapping[str, int]


def build(
    tenants: Sequence[ResolvedTenant], project: ProjectSpec, position: Position, report: Report
) -> Plan:
    """Plan everything.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    planned = [plan_tenant(tenant, project.prometheus, report) for tenant in tenants if tenant.slos]
    report.raise_if_failed()
    routing = plan_routing(tenants, project, position)
    rules = [rule for tenant in planned for group in tenant.groups for rule in group.rules]
    alerts = sum(isinstance(rule, BurnAlert | HealthAlert) for rule in rules)
    counts = {
        "tenants": len(tenants),
        "slos": sum(len(tenant.slos) for tenant in tenants),
        "groups": sum(len(tenant.groups) for tenant in planned),
        "recording_rules": len(rules) - alerts,
        "alerting_rules": alerts,
        "receivers": len(routing.receivers),
    }
    return Plan(tuple(planned), routing, counts)
