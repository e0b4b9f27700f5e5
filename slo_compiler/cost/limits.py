"""What one tenant may cost others: errors with the figure, before the work is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slo_compiler.cost.estimate import tenant_cost
from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.emit.proofs import EMITTER as PROOFS
from slo_compiler.plan.alike import alike_slos
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.plan.tenant import budget_steps, escalation_waits, exhaustion_steps
from slo_compiler.proofs.size import fits
from slo_compiler.render import TenantRules
from slo_compiler.resolve.hours import Locate
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import ProjectSpec
from slo_compiler.source import MAX_BYTES, SourceFile


def check_file(file: SourceFile, project: ProjectSpec, report: Report) -> bool:
    """Refuse a file that is too long to be read."""
    size, most = len(file.content), project.limits.manifest_bytes
    if size <= most or size > MAX_BYTES:  # of what is longer, the rest was not read
        return True
    report.error(
        Position(file.path),
        "file-too-large",
        f"the file has {size:,} bytes, and may have {most:,}",
        f"split it into one file per tenant, or {_raised('manifest_bytes', size)}",
    )
    return False


def refuse_usage(file: SourceFile, limit: str, project: ProjectSpec, report: Report) -> None:
    """Report that a file's compile was ended, because it exceeded a limit of CPU time or memory."""
    most: int = getattr(project.limits, limit)
    what = {"cpu_seconds": "s of CPU time", "memory_megabytes": "MB of memory"}[limit]
    report.error(
        Position(file.path),
        "tenant-limit",
        f"the file takes more than {most:,} {what} to compile",
        f"use fewer SLOs, tiers or steps of escalation, split it, or {_raised(limit, 2 * most)}",
    )


def check_resolved(tenants: Sequence[ResolvedTenant], project: ProjectSpec, report: Report) -> None:
    """Refuse tenants with too many SLOs, and those that would have too many rules to plan."""
    for tenant in tenants:
        _check_slos(tenant, project, report)
        burn, budget = _burn_alerts(tenant), _budget_alerts(tenant)
        if burn + budget > project.limits.rules:
            _refuse_rules(tenant, burn + budget, project, report, "at least ")


def check_planned(planned: PlannedTenant, project: ProjectSpec, report: Report) -> None:
    """Refuse a tenant with too many rules or routes, before they are rendered."""
    tenant = planned.resolved
    rules = sum(len(group.rules) for group in planned.groups)
    if rules > project.limits.rules:
        _refuse_rules(tenant, rules, project, report)
    elif PROOFS.name in project.targets:
        fits(planned, project.limits.proof_bytes, report)
    most = project.quotas.of(tenant.name).rules
    if most is not None and rules > most:
        message = f"the tenant has {rules:,} rules, and may have {most:,}"
        _refuse(tenant, "rules", message, rules, report)


def check_usage(
    planned: PlannedTenant, rules: TenantRules, project: ProjectSpec, report: Report
) -> None:
    """Refuse a tenant that takes more of a server than its quotas."""
    tenant, quotas = planned.resolved, project.quotas.of(planned.name)
    if quotas.series is None and quotas.samples_per_second is None:
        return
    cost = tenant_cost(planned, rules, project)
    assert cost is not None  # noqa: S101  (a Prometheus takes any rules)
    series, samples = round(cost.usage.series), round(cost.usage.samples_per_second)
    if quotas.series is not None and series > quotas.series:
        message = f"the tenant's rules record {series:,} series, and may record {quotas.series:,}"
        _refuse(tenant, "series", message, series, report)
    if quotas.samples_per_second is not None and samples > quotas.samples_per_second:
        message = (
            f"evaluation of the tenant's rules reads about {samples:,} samples per second, and may "
            f"read {quotas.samples_per_second:,}"
        )
        _refuse(tenant, "samples_per_second", message, samples, report)


def check_names(project: ProjectSpec, at: Locate, tenants: Sequence[str], report: Report) -> None:
    """Refuse quotas of tenants that are not there: those that are meant would lack them."""
    for name in project.quotas.tenants:
        if name not in tenants:
            report.error(
                at("spec", "quotas", "tenants", name, key=True),
                "unknown-tenant",
                f'no tenant "{name}"',
                nearest(name, tenants),
            )


def _check_slos(tenant: ResolvedTenant, project: ProjectSpec, report: Report) -> None:
    number = len(tenant.slos)
    limit, most = project.limits.slos, project.quotas.of(tenant.name).slos
    if number > limit:
        report.error(
            tenant.slos[limit].at("name"),
            "tenant-limit",
            f"the tenant has {number:,} SLOs, and may have {limit:,}",
            f"split the tenant, or {_raised('slos', number)}",
        )
    elif most is not None and number > most:
        message = f"the tenant has {number:,} SLOs, and may have {most:,}; from here on too many"
        _refuse(tenant, "slos", message, number, report, tenant.slos[most].at("name"))


def _refuse(
    tenant: ResolvedTenant,
    quota: str,
    message: str,
    figure: int,
    report: Report,
    at: Position | None = None,
) -> None:
    report.error(
        at or tenant.position,
        "tenant-quota",
        message,
        f"slo-compiler cost --tenant {tenant.name} shows what each SLO takes; the platform can "
        "allow more, in the project: "
        f"quotas: {{tenants: {{{tenant.name}: {{{quota}: {figure}}}}}}}",
    )


def _refuse_rules(
    tenant: ResolvedTenant, rules: int, project: ProjectSpec, report: Report, least: str = ""
) -> None:
    parts: Mapping[str, int] = {
        "SLOs": len(tenant.slos),
        "alerts on burn rates": _burn_alerts(tenant),
        "alerts on budgets": _budget_alerts(tenant),
    }
    terms = ", ".join(f"{number:,} {what}" for what, number in parts.items())
    report.error(
        tenant.position,
        "tenant-limit",
        f"the tenant has {least}{rules:,} rules, and may have {project.limits.rules:,} ({terms})",
        "use fewer SLOs, tiers, or steps of escalation, split the tenant, or "
        + _raised("rules", rules),
    )


def _burn_alerts(tenant: ResolvedTenant) -> int:
    """Count an alert for each tier and level of escalation, before they are planned."""
    severities = {tier.severity for slo in tenant.slos for tier in slo.policy.tiers}
    levels = {severity: len(escalation_waits(tenant, severity)) + 1 for severity in severities}
    return sum(levels[tier.severity] for slo in tenant.slos for tier in slo.tiers)


def _budget_alerts(tenant: ResolvedTenant) -> int:
    steps = len(budget_steps(tenant)) + len(exhaustion_steps(tenant))
    return steps * sum(1 for _ in alike_slos(tenant)) if steps else 0


def _raised(key: str, figure: int) -> str:
    return f"raise limits: {{{key}: {figure}}} in the project"
