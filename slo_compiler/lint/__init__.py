"""What is allowed but probably not meant: one module a lint, and one line in this tuple."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from slo_compiler.diagnostics import Diagnostic, Report
from slo_compiler.lint import (
    bad_disable,
    channel_unused,
    duplicate_selectors,
    fires_within_budget,
    heartbeat_unrouted,
    high_cardinality_by,
    missing_description,
    missing_owner,
    missing_runbook,
    one_error_breaks_objective,
    page_muted,
    period_policy_contradiction,
    retention,
    tenant_without_page_route,
    tier_overshadowed,
    unused_disable,
)
from slo_compiler.lint.base import Context, Rule
from slo_compiler.lint.queries import refuses
from slo_compiler.lint.switches import read_switches
from slo_compiler.manifest.model import ProjectSpec
from slo_compiler.manifest.resolve import ResolvedTenant
from slo_compiler.source import Document

MODULES: tuple[ModuleType, ...] = (
    # series
    high_cardinality_by,
    duplicate_selectors,
    retention,
    # objectives and policies
    fires_within_budget,
    tier_overshadowed,
    period_policy_contradiction,
    one_error_breaks_objective,
    # people
    page_muted,
    tenant_without_page_route,
    channel_unused,
    heartbeat_unrouted,
    missing_runbook,
    missing_description,
    missing_owner,
    # the switches themselves
    bad_disable,
    unused_disable,
)
RULES: tuple[Rule, ...] = tuple(map(Rule.of, MODULES))


def run(
    tenants: Sequence[ResolvedTenant],
    project: ProjectSpec,
    document: Document | None,
    report: Report,
    *,
    whole: bool,
) -> None:
    """Run all lints; what no switch keeps quiet goes to `report`.

    Args:
        tenants: who is looked at.
        project: what the platform says.
        document: where it says so.
        report: where findings go.
        whole: whether these are all tenants of the project.
    """
    context = Context(project, document, tenants)
    known = {rule.id for rule in RULES if rule.check}
    switches = read_switches(context, known)
    for tenant in tenants:
        for rule in RULES:
            for found in rule.check(tenant, context) if rule.check else ():
                if not switches.silence(rule.id, found.position, tenant.name):
                    told = Diagnostic(
                        found.position, rule.severity, rule.id, found.message, found.help
                    )
                    report.extend([told])
    for module, findings in (
        (bad_disable, switches.broken),
        # Where something is refused, a lint may have had nothing to look at yet.
        (unused_disable, () if report.failed or refuses(tenants) else switches.unused(whole=whole)),
    ):
        report.extend(
            Diagnostic(f.position, module.SEVERITY, module.ID, f.message, f.help) for f in findings
        )
