"""What is allowed but probably not meant: one module a lint, and one line in this tuple."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from slo_compiler.diagnostics import Report, Severity
from slo_compiler.lint import (
    aggregated_away,
    bad_disable,
    channel_unused,
    counter_without_rate,
    definition_unused,
    dependency_muted,
    duplicate_selectors,
    fires_within_budget,
    formerly_expired,
    fragile_selection,
    hard_coded_window,
    heartbeat_unrouted,
    high_cardinality_by,
    impossible_le,
    increase_not_rate,
    missing_description,
    missing_owner,
    missing_runbook,
    one_error_breaks_objective,
    page_muted,
    period_policy_contradiction,
    rate_of_sum,
    raw_unweighted,
    regex_anchored_twice,
    regex_no_effect,
    retention,
    sides_aggregate_differently,
    sum_of_irate,
    tenant_without_page_route,
    tier_overshadowed,
    unused_disable,
)
from slo_compiler.lint.base import Context, Finding, Rule
from slo_compiler.lint.queries import refuses
from slo_compiler.lint.switches import read_switches
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import ProjectSpec
from slo_compiler.source import Document

MODULES: tuple[ModuleType, ...] = (
    # queries
    counter_without_rate,
    rate_of_sum,
    sum_of_irate,
    increase_not_rate,
    hard_coded_window,
    fragile_selection,
    regex_no_effect,
    regex_anchored_twice,
    impossible_le,
    aggregated_away,
    sides_aggregate_differently,
    # series
    high_cardinality_by,
    duplicate_selectors,
    raw_unweighted,
    retention,
    formerly_expired,
    # objectives and policies
    fires_within_budget,
    tier_overshadowed,
    period_policy_contradiction,
    one_error_breaks_objective,
    # people
    page_muted,
    dependency_muted,
    tenant_without_page_route,
    channel_unused,
    definition_unused,
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
                    _tell(rule, found, report)
    for found in switches.broken:
        _tell(Rule.of(bad_disable), found, report)
    # Where something is refused, a lint may have had nothing to look at yet.
    if not report.failed and not refuses(tenants):
        for found in switches.unused(whole=whole):
            _tell(Rule.of(unused_disable), found, report)


def _tell(rule: Rule, found: Finding, report: Report) -> None:
    tell = {
        Severity.ERROR: report.error,
        Severity.WARNING: report.warning,
        Severity.INFO: report.info,
    }[rule.severity]
    tell(found.position, rule.id, found.message, found.help)
