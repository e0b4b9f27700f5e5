"""A query of a ratio gives a time or a ratio, where it should count events.

`histogram_quantile(...) > 0.5` has the value of the quantile, in seconds, where it is above the
bound; a quotient that is compared has a ratio. Beside a rate of all requests these are a fraction
of one event per second, however many requests are slow.

Fails:

    ratio:
      errors: histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket[$window]))) > 0.5
      total: sum(rate(latency_seconds_count[$window]))

Passes:

    latency:
      histogram: latency_seconds
      threshold: 500ms
"""

from collections.abc import Iterator

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import Query, queries
from slo_compiler.promql import unwrapped
from slo_compiler.resolve.model import ResolvedTenant

ID = "quantile-as-events"
SEVERITY = Severity.WARNING

_QUANTILES = ("histogram_quantile", "quantile", "quantile_over_time", "histogram_avg")
_COMPARED = ("==", "!=", "<", "<=", ">", ">=")


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the queries that count events and have a quantile or a compared quotient in them."""
    for query in queries(tenant):
        if not query.counted or query.plain:
            continue
        quantile = next((part for part in query.parts if part.call in _QUANTILES), None)
        if quantile is not None:
            yield Finding(
                query.at(quantile.place),
                f"{quantile.call}() gives a value of the quantile's own unit, and {query.key} "
                "counts events",
                "write it as sli: {latency: {histogram: ..., threshold: ...}}, which counts the "
                "slow events, or as sli: {threshold: {query: ..., op: ..., value: ...}}",
            )
        elif _compared_quotient(query):
            yield Finding(
                query.at((0, len(query.text))),
                f"a quotient that is compared gives a ratio, and {query.key} counts events",
                "write it as sli: {threshold: {query: ..., op: ..., value: ...}}, or count the "
                "errors themselves",
            )


def _compared_quotient(query: Query) -> bool:
    root = unwrapped(query.parsed.tree)
    if not isinstance(root, pp.BinaryExpr) or str(root.op) not in _COMPARED:
        return False
    if root.modifier is not None and root.modifier.return_bool:
        return False  # 0 or 1 for each series: slices of a kind
    left = unwrapped(root.lhs)
    return isinstance(left, pp.BinaryExpr) and str(left.op) == "/"
