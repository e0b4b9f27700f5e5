"""Resolved tenants to the plan."""

from __future__ import annotations

from collections.abc import Sequence

from slo_compiler.diagnostics import Position, Report
from slo_compiler.manifest.model import ProjectSpec
from slo_compiler.manifest.resolved import ResolvedTenant
from slo_compiler.plan.burn import Timing
from slo_compiler.plan.ir import Plan, TenantRules
from slo_compiler.plan.proofs import plan_isolation, plan_proofs, subject_of
from slo_compiler.plan.routes import plan_routing
from slo_compiler.plan.rules import plan_tenant
from slo_compiler.plan.tenant import tenant_timing
from slo_compiler.plan.tiers import check_tiers


def build(
    tenants: Sequence[ResolvedTenant], project: ProjectSpec, position: Position, report: Report
) -> Plan:
    """Plan everything.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    planned: list[TenantRules] = []
    timings: list[Timing] = []
    for tenant in tenants:
        if not tenant.slos:
            continue
        spec = project.prometheus
        timing = tenant_timing(tenant, spec.scrape_interval, spec.evaluation_interval)
        check_tiers(tenant, timing, report)
        timings.append(timing)
        planned.append(plan_tenant(tenant, timing, report))
    report.raise_if_failed()
    subjects = [
        [subject_of(tenant, slo, timing) for slo in tenant.slos]
        for tenant, timing in zip(tenants, timings, strict=True)
    ]
    proofs = [
        proof
        for each in zip(tenants, planned, timings, subjects, strict=True)
        for proof in plan_proofs(*each)
    ]
    proofs += plan_isolation(tenants, planned, timings, subjects)
    routing = plan_routing(tenants, planned, project, position)
    rules = [rule for tenant in planned for group in tenant.groups for rule in group.rules]
    counts = {
        "tenants": len(tenants),
        "slos": sum(len(tenant.slos) for tenant in tenants),
        "groups": sum(len(tenant.groups) for tenant in planned),
        "recording_rules": sum(not rule.alert for rule in rules),
        "alerting_rules": sum(rule.alert for rule in rules),
        "receivers": len(routing.receivers),
        "unit_tests": sum(len(proof.tests) for proof in proofs),
    }
    return Plan(tuple(planned), routing, tuple(proofs), counts)
