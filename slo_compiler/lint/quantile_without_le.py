"""A quantile of a histogram is taken of a sum that has no buckets any more.

`histogram_quantile` reads the bounds of the buckets in the label `le`. Where the sum inside of it
drops that label there is no bucket left, and the query never has a value.

Fails:

    threshold:
      query: histogram_quantile(0.9, sum(rate(latency_seconds_bucket[5m])))
      op: <
      value: 0.5

Passes:

    threshold:
      query: histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))
      op: <
      value: 0.5
"""

from collections.abc import Iterator

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import Part, keeps, labels_by, name_of, queries
from slo_compiler.promql import metric_of, walk
from slo_compiler.resolve.model import ResolvedTenant

ID = "quantile-without-le"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the aggregations of buckets that drop le, inside of a quantile."""
    for query in queries(tenant):
        if any(part.call == "histogram_quantile" for part in query.parts):
            for part in query.parts:
                if isinstance(part.node, pp.AggregateExpr) and _loses_buckets(part, part.node):
                    labels = ", ".join(
                        dict.fromkeys(["le", *labels_by(part.node), *query.slo.sources])
                    )
                    yield Finding(
                        query.at(part.place),
                        f"{part.call} drops le, by which histogram_quantile() knows the buckets",
                        f"write {part.call} by ({labels}) (...)",
                    )


def _loses_buckets(part: Part, node: pp.AggregateExpr) -> bool:
    inside = any(name_of(parent) == "histogram_quantile" for parent in part.parents)
    return inside and not keeps(node, "le") and any(map(_is_bucket, walk(node.expr)))


def _is_bucket(node: pp.Expr) -> bool:
    """Whether a selector is that of a classic histogram: native ones have no buckets' series."""
    return isinstance(node, pp.VectorSelector) and metric_of(node).endswith("_bucket")
