"""A counter is used as it is, without a rate.

A counter only grows, and starts over at each restart: its value shows how old the process is, not
how many events there are now.

Fails:

    ratio:
      errors: sum(rate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window])) or sum(legacy_requests_total)

Passes:

    ratio:
      errors: sum(rate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window])) or sum(rate(legacy_requests_total[$window]))
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.dimension import is_counter
from slo_compiler.lint.queries import name_of, queries, written
from slo_compiler.resolve.model import ResolvedTenant

ID = "counter-without-rate"
SEVERITY = Severity.WARNING

# Functions that want a counter, and those that find whether or when there is a sample.
_FINE = frozenset(
    {"rate", "increase", "irate", "idelta", "delta", "deriv", "resets", "changes", "timestamp"}
    | {"absent", "absent_over_time", "present_over_time", "count_over_time", "count", "group"}
)


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the selectors of counters that nothing takes the rate of."""
    for query in queries(tenant):
        if query.plain:
            continue
        for part in query.parts:
            if not is_counter(part.metric) or any(name_of(p) in _FINE for p in part.parents):
                continue
            # Some gauges are called ..._count; on a side of a ratio it must be a counter.
            if query.counted or not part.metric.endswith("_count"):
                yield Finding(
                    query.at(part.place),
                    f"{part.metric} is a counter by its name, and used without a rate",
                    f"write rate({written(part.node)}[$window])",
                )
