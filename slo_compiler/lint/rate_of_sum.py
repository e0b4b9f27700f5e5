"""A rate is taken of an aggregation.

When one instance restarts, the sum of all falls a little. `rate` takes that for a reset of the
whole, and counts everything that the others ever counted once more.

Fails:

    ratio:
      errors: sum(rate(http_requests_total{code=~"5.."}[$window]))
      total: rate(sum(http_requests_total)[$window:30s])

Passes:

    ratio:
      errors: sum(rate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window]))
"""

from collections.abc import Iterator

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import name_of, queries
from slo_compiler.resolve.model import ResolvedTenant

ID = "rate-of-sum"
SEVERITY = Severity.WARNING

_RATES = frozenset({"rate", "increase", "irate", "resets"})


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the aggregations inside of a rate."""
    for query in queries(tenant):
        for part in query.parts:
            outer = [name_of(p) for p in part.parents]
            around = next((name for name in reversed(outer) if name in _RATES), None)
            if isinstance(part.node, pp.AggregateExpr) and around:
                yield Finding(
                    query.at(part.place),
                    f"{around}() of {part.call}(): each restart of one instance looks like a reset "
                    "of all",
                    f"turn it around: {part.call}({around}(...[$window]))",
                )
