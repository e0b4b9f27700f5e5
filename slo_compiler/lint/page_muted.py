"""Pages are muted at some hours, and nobody else gets them.

Fails:

    escalation:
      - {severity: page, hours: business, notify: [chat]}
      - {severity: ticket, notify: [chat]}

Passes:

    channels:
      - {name: chat, webhook: {url: "http://chat.internal/"}}
      - {name: oncall, webhook: {url: "http://oncall.internal/"}}
    escalation:
      - {severity: page, hours: business, notify: [chat]}
      - {severity: page, notify: [oncall]}
      - {severity: ticket, notify: [chat]}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.manifest.resolve import ResolvedTenant

ID = "page-muted"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give tenants where every step for pages has hours."""
    steps = [s for s in tenant.steps if s.spec.severity == "page" and not s.spec.firing_for]
    if steps and all(step.hours for step in steps):
        yield Finding(
            steps[0].position,
            f"pages of {tenant.name} reach nobody outside of: "
            + ", ".join(sorted({str(step.spec.hours) for step in steps})),
            "add a step for pages without hours",
        )
