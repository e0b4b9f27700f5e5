"""A side counts events per window, not per second.

The compiler sums up events per second over each window. `increase` yields as many events as the
span behind `$window` has, which is many times more: the ratio may still be right, but
`min_errors`, `min_events` and all counts are not.

Fails:

    ratio:
      errors: sum(increase(http_requests_total{code=~"5.."}[$window]))
      total: sum(increase(http_requests_total[$window]))

Passes:

    ratio:
      errors: sum(rate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window]))
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import queries
from slo_compiler.resolve.model import ResolvedTenant

ID = "increase-not-rate"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each increase on a side that is to yield events per second."""
    for query in queries(tenant):
        for part in query.parts if query.counted else ():
            if part.call == "increase":
                yield Finding(
                    query.at(part.place),
                    "increase() yields events per window; expected are events per second",
                    "write rate(...[$window])",
                )
