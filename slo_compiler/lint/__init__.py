"""What is allowed but probably not meant: one module a lint, and one line in this tuple."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

from slo_compiler.diagnostics import Diagnostic, Report, Severity
from slo_compiler.lint import (
    aggregated_away,
    bad_disable,
    channel_unused,
    counter_without_rate,
    definition_unused,
    dependency_muted,
    duplicate_selectors,
    errors_outside_total,
    fires_within_budget,
    formerly_expired,
    fragile_selection,
    guard_out_of_reach,
    hard_coded_window,
    heartbeat_unrouted,
    high_cardinality_by,
    impossible_le,
    increase_not_rate,
    invented_events,
    isolation_dropped,
    latency_unit,
    missing_description,
    missing_owner,
    missing_runbook,
    missing_side,
    negated_errors,
    no_data_hidden,
    objective_finer_than_scrape,
    one_error_breaks_objective,
    page_muted,
    period_policy_contradiction,
    quantile_as_events,
    quantile_without_le,
    quoted_name,
    rate_of_rate,
    rate_of_sum,
    raw_unweighted,
    recorded_only,
    regex_anchored_twice,
    regex_as_literal,
    regex_no_effect,
    retention,
    retention_undeclared,
    sides_aggregate_differently,
    sum_of_irate,
    tenant_without_page_route,
    tier_overshadowed,
    unused_disable,
)
from slo_compiler.lint.base import Context, Finding, Lint
from slo_compiler.lint.queries import refuses
from slo_compiler.lint.switches import Switched, read_switches, unused

__all__ = [
    "MODULES",
    "RULES",
    "Context",
    "Finding",
    "Lint",
    "Switched",
    "first_of_its_kind",
    "report_unused",
    "run",
]

MODULES: tuple[ModuleType, ...] = (
    # queries
    counter_without_rate,
    rate_of_sum,
    rate_of_rate,
    quantile_as_events,
    quantile_without_le,
    sum_of_irate,
    increase_not_rate,
    hard_coded_window,
    fragile_selection,
    regex_no_effect,
    regex_anchored_twice,
    regex_as_literal,
    errors_outside_total,
    negated_errors,
    no_data_hidden,
    impossible_le,
    quoted_name,
    latency_unit,
    aggregated_away,
    sides_aggregate_differently,
    missing_side,
    invented_events,
    # series
    high_cardinality_by,
    duplicate_selectors,
    raw_unweighted,
    recorded_only,
    retention,
    retention_undeclared,
    formerly_expired,
    isolation_dropped,
    # objectives and policies
    fires_within_budget,
    tier_overshadowed,
    period_policy_contradiction,
    one_error_breaks_objective,
    guard_out_of_reach,
    objective_finer_than_scrape,
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
RULES: tuple[Lint, ...] = tuple(map(Lint.of, MODULES))


def run(context: Context, report: Report) -> Switched:
    """Run all lints on the context's tenants; what is not switched off goes to `report`.

    Returns:
        Which switches were used, for `report_unused`.
    """
    known = {rule.id for rule in RULES if rule.check}
    switches = read_switches(context, known)
    for index, tenant in enumerate(context.tenants):
        seen = tenant
        if any(slo.unread for slo in tenant.slos):
            seen = replace(tenant, slos=tuple(slo for slo in tenant.slos if not slo.unread))
        for rule in RULES:
            if rule.check is None or (rule.once and index > 0) or rule.id in tenant.uncertain:
                continue
            for found in rule.check(seen, context):
                if not switches.silence(rule.id, found.position, tenant.name):
                    _add(rule, found, report)
    for found in switches.broken:
        _add(Lint.of(bad_disable), found, report)
    return switches.result(complete=not refuses(context.tenants))


def report_unused(units: Sequence[Switched], report: Report, *, whole: bool) -> None:
    """Report the switches that nothing was found for.

    Args:
        units: what each run of the lints switched off.
        report: takes the findings.
        whole: whether they looked at all tenants of the project.
    """
    for found in unused(units, whole=whole):
        _add(Lint.of(unused_disable), found, report)


def first_of_its_kind(diagnostics: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """Leave out all but the first finding of those lints that find one thing for all tenants."""
    once = {rule.id for rule in RULES if rule.once}
    seen: set[str] = set()
    kept = []
    for found in diagnostics:
        if found.id not in seen:
            kept.append(found)
        if found.id in once:
            seen.add(found.id)
    return kept


def _add(rule: Lint, found: Finding, report: Report) -> None:
    add = {
        Severity.ERROR: report.error,
        Severity.WARNING: report.warning,
        Severity.INFO: report.info,
    }[rule.severity]
    add(found.position, rule.id, found.message, found.help)
