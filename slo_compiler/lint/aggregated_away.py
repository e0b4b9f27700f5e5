"""The query drops a label that `by` names.

The SLO is to have one series for each value of the label, but an aggregation inside of the query
has left none: all values end up in one series, which has no such label.

Fails:

    ratio:
      errors: sum(rate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window]))
      by: [handler]

Passes:

    ratio:
      errors: sum by (handler) (rate(http_requests_total{code=~"5.."}[$window]))
      total: sum by (handler) (rate(http_requests_total[$window]))
      by: [handler]
"""

from collections.abc import Iterator

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import keeps, queries
from slo_compiler.resolve.model import ResolvedTenant

ID = "aggregated-away"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the aggregations that drop a label of `by`."""
    for query in queries(tenant):
        for part in query.parts:
            if not isinstance(part.node, pp.AggregateExpr):
                continue
            lost = [
                label
                for label in query.slo.sources
                if not keeps(part.node, label) and not any(_hides(p, label) for p in part.parents)
            ]
            if lost:
                yield Finding(
                    query.at(part.place),
                    f"{part.call} drops {', '.join(lost)}, which by names: no series of this SLO "
                    "has it",
                    f"write {part.call} by ({', '.join(query.slo.sources)}) (...), "
                    "or remove it from by",
                )


def _hides(node: pp.Expr, label: str) -> bool:
    """Whether what is inside need not have the label: it is written, joined or selected later."""
    match node:
        case pp.Call():
            written = any(isinstance(a, pp.StringLiteral) and a.val == label for a in node.args)
            return node.func.name in ("scalar", "absent", "absent_over_time") or written
        case pp.BinaryExpr():
            return node.modifier is not None or str(node.op) in ("and", "unless")
        case pp.AggregateExpr():
            return not keeps(node, label)  # reported at that node
        case _:
            return False
