"""A side counts events per window, not per second.

The compiler sums up events per second over each window. `increase` yields as many events as the
span behind `$window` has, which is many times more: the ratio may still be right, but
`min_errors`, `min_events` and all counts are not. The same is true of `count_over_time`,
`sum_over_time`, `resets` and `changes`, whatever they are divided by: only the compiler knows the
span.

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
from slo_compiler.lint.dimension import Dimension
from slo_compiler.lint.queries import Part, Query, queries
from slo_compiler.resolve.model import ResolvedTenant

ID = "increase-not-rate"
SEVERITY = Severity.WARNING

_RATE = "write rate(...[$window])"
# A rate of the same series is no number of these.
_OTHERS = {
    "count_over_time": "samples are time: write sli: {availability: ...} or {threshold: ...}, or "
    "count events by the rate of a counter",
    "sum_over_time": "a gauge is no number of events: write rate(...[$window]) of a counter, or "
    "sli: {threshold: ...} for the time",
    "changes": "write rate(...[$window]) of a counter of these events",
    "resets": "write rate(...[$window]) of a counter of these events",
}


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each increase on a side that is to yield events per second, and what else counts."""
    for query in queries(tenant):
        if not query.counted:
            continue
        for part in query.parts:
            if part.call == "increase" or (part.call in _OTHERS and _gives(query, part)):
                yield Finding(
                    query.at(part.place),
                    f"{part.call}() yields events per window; expected are events per second",
                    _OTHERS.get(part.call, _RATE),
                )


def _gives(query: Query, part: Part) -> bool:
    """Whether a part's count is what the query gives, and not compared or divided by another."""
    counts = query.dimension is Dimension.COUNT
    return counts and part.dimension is Dimension.COUNT
