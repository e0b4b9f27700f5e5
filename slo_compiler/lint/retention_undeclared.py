"""A period is longer than Prometheus' default retention, and the project declares no other.

Without `--storage.tsdb.retention.time` samples are deleted after 15 days. A budget of 30 days then
forgets the errors of the first half, and looks better than it is. Declare in the project file what
the flag sets; the lint `retention` compares it with the periods.

Fails:

    prometheus: {version: "3.5"}

Passes:

    prometheus: {version: "3.5", retention: 45d}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.duration import Duration
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "retention-undeclared"
SEVERITY = Severity.INFO
ONCE = True

_DEFAULT, _USUAL = Duration.of(days=15), Duration.of(days=45)


def check(_tenant: ResolvedTenant, context: Context) -> Iterator[Finding]:
    """Give a period that is longer than the default retention: the project lacks one line."""
    if context.project.prometheus.retention is not None:
        return
    slos = [slo for tenant in context.tenants for slo in tenant.slos]
    slo = max(slos, key=lambda slo: slo.period.longest, default=None)
    if slo is not None and slo.period.longest > _DEFAULT:
        at = slo.at("period") if slo.spec.period else slo.at("name")
        document = context.document
        if document is not None:
            keys = [("spec", "prometheus"), ("spec",)]
            at = next((document.locate(k, key=True) for k in keys if document.has(k)), at)
        yield Finding(
            at,
            f"budgets count {slo.period.words}, and Prometheus keeps {_DEFAULT} unless it is set "
            "up to keep more",
            f"write prometheus: {{retention: {max(_USUAL, slo.period.longest)}}} in the project "
            "file, or what "
            "--storage.tsdb.retention.time sets",
        )
