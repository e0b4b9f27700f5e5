"""Events are counted by a function that does not see all of them, or not only them.

`irate` and `idelta` look at the last two samples of their range, so that errors between two
evaluations are never counted. `delta` and `deriv` are for gauges: at each restart of a counter
they are far below zero.

Fails:

    ratio:
      errors: sum(irate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window]))

Passes:

    ratio:
      errors: sum(rate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window]))
"""

from collections.abc import Iterator

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.dimension import is_counter
from slo_compiler.lint.queries import queries
from slo_compiler.promql import walk
from slo_compiler.resolve.model import ResolvedTenant

ID = "sum-of-irate"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give irate and idelta, and delta and deriv of what is a counter by its name."""
    for query in queries(tenant):
        for part in query.parts:
            if part.call in ("irate", "idelta"):
                why = "sees only the last two samples of its range, and misses errors before them"
            elif part.call in ("delta", "deriv") and _counts(part.node):
                why = "is for gauges: when a counter restarts, it falls far below zero"
            else:
                continue
            yield Finding(query.at(part.place), f"{part.call}() {why}", "write rate(...[$window])")


def _counts(node: pp.Expr) -> bool:
    selectors = (n for n in walk(node) if isinstance(n, pp.VectorSelector))
    return any(is_counter(selector.name or "") for selector in selectors)
