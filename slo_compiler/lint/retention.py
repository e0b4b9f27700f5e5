"""Prometheus deletes samples before the period is over.

The budget is a sum over the whole period. Where the oldest part is deleted, its errors are
forgotten, and the budget may look better than it is. Declare in the project file what
`--storage.tsdb.retention.time` sets.

Fails:

    prometheus: {version: "3.5", retention: 15d}

Passes:

    prometheus: {version: "3.5", retention: 45d}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "retention"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, context: Context) -> Iterator[Finding]:
    """Give the longest period, if it is longer than what is kept: one cause, one finding."""
    kept = context.project.prometheus.retention
    if kept is None:
        return
    found = [slo for slo in tenant.slos if slo.period.longest > kept]
    if not found:
        return
    slo = max(found, key=lambda slo: slo.period.longest)
    more = f"; {len(found)} SLOs of the tenant count more than that" if found[1:] else ""
    yield Finding(
        slo.at("period") if slo.spec.period else slo.at("name"),
        f"the budget counts {slo.period.words}, but Prometheus keeps {kept}{more}",
        "keep samples for longer, or shorten the period",
    )
