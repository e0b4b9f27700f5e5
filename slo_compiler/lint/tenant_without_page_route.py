"""A tenant is never paged, whatever happens.

All its policies have tickets only. For batch jobs that is right; for what users wait for, an
outage at night waits for the morning, too.

Fails:

    policies:
      - name: tickets
        tiers:
          - {name: slow, severity: ticket, budget_share: 10%, long_window: 1d, short_window: 2h}
    escalation: [{severity: ticket, notify: [chat]}]
    alerting: {policy: tickets}

Passes:

    alerting: {policy: sre-workbook, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.slo import rank
from slo_compiler.resolve.model import ResolvedTenant

ID = "tenant-without-page-route"
SEVERITY = Severity.INFO


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give tenants with SLOs, none of which has a page."""
    if tenant.slos and all(rank(tenant, severity) > 0 for severity in tenant.severities):
        yield Finding(
            tenant.position,
            f"no SLO of {tenant.name} can page anybody",
            "give one a policy with a page, such as sre-workbook",
        )
