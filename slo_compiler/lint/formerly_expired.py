"""A renamed SLO's history has passed: its period no longer reaches back to the old name.

The one lint that looks at the clock; SOURCE_DATE_EPOCH sets it, as it does for reproducible builds.
No output depends on it. Without `renamed` nothing is reported.

Fails:

    formerly: {slo: uptime, renamed: "2020-06-01"}

Passes:

    formerly: uptime
"""

from collections.abc import Iterator
from datetime import timedelta

from slo_compiler import clock
from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "formerly-expired"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each `formerly` that bridges nothing any more."""
    for slo in tenant.slos:
        former = slo.spec.formerly
        if former is None or former.renamed is None:
            continue
        bridged = former.renamed + timedelta(milliseconds=slo.period.longest.ms)
        if bridged < clock.now().date():
            yield Finding(
                slo.at("formerly"),
                f"the period of {slo.period.words} no longer reaches back to {former.renamed}, "
                f'when the SLO was called "{former.slo}"',
                "remove formerly",
            )
