"""No one is notified when the rules stop.

Each tenant has a watchdog that always fires. It is of use only where a receiver outside misses it.

Fails:

    alertmanager: {version: "0.33"}

Passes:

    alertmanager: {heartbeat: {webhook: {url: "http://deadman.internal/slo"}}}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "heartbeat-unrouted"
SEVERITY = Severity.WARNING
ONCE = True  # of all tenants, the first one finds it


def check(tenant: ResolvedTenant, context: Context) -> Iterator[Finding]:
    """Find it in the project file if there is one, or else at the tenant."""
    if context.project.alertmanager.heartbeat is None:
        project = context.document
        yield Finding(
            project.locate(("spec", "alertmanager"), key=True) if project else tenant.position,
            "the watchdogs reach nobody: the project has no alertmanager.heartbeat",
            "name a dead man's switch, such as {webhook: {url: ...}}",
        )
