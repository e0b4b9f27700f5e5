"""A range is written out beside `$window`.

The compiler puts the span into `$window` at which each event is counted exactly once. Another
range counts some twice, or misses some, and the two sides of a ratio no longer fit.

Fails:

    ratio:
      errors: sum(rate(http_errors_total[5m])) or sum(rate(http_aborts_total[$window]))
      total: sum(rate(http_requests_total[$window]))

Passes:

    ratio:
      errors: sum(rate(http_errors_total[$window])) or sum(rate(http_aborts_total[$window]))
      total: sum(rate(http_requests_total[$window]))
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import is_window, queries
from slo_compiler.promql import WINDOW
from slo_compiler.resolve.model import ResolvedTenant

ID = "hard-coded-window"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the ranges that are not $window, except inside of a subquery over it."""
    for query in queries(tenant):
        if WINDOW not in query.text:
            continue
        for part in query.parsed.ranges:
            inside = any(is_window(p) for p in part.parents)
            if not is_window(part.node) and not inside:
                offset, width = part.place
                yield Finding(
                    query.at(part.place),
                    f"the range {query.text[offset : offset + width]} is used beside $window",
                    "write [$window]: the compiler puts the right span there",
                )
