"""A page describes what is wrong, but not what to do.

Whoever is woken at 3 a.m. may not know the service. The runbook is in each of the alert's
notifications.

Fails:

    alerting: {policy: sre-workbook}

Passes:

    alerting: {runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.slo import rank
from slo_compiler.resolve.model import ResolvedTenant

ID = "missing-runbook"
SEVERITY = Severity.INFO


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the SLOs that page without one."""
    for slo in tenant.slos:
        pages = any(rank(tenant, tier.severity) == 0 for tier in slo.tiers)
        if pages and not slo.alerting.runbook:
            yield Finding(
                slo.at("name"),
                "this SLO pages, but has no runbook",
                "add alerting: {runbook: <URL>}",
            )
