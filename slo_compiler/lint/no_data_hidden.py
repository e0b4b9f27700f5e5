"""A query has a value when none of its series is there, so that their loss is not noticed.

`... or vector(0)` answers 0 also when the metric was renamed or its exporter is down. As a total
that is no traffic, as an error ratio it is no error: `SLONoData` cannot fire, and neither can any
other alert of the SLO. It is not needed: the rules know zero traffic, and count errors that were
never seen as none. A value that counts as bad, such as `up or vector(0)` with `op: ">="`, hides
nothing, and neither does a query that checks with `absent` what is there.

Fails:

    ratio:
      errors: sum(rate(failed_total[$window]))
      total: sum(rate(sent_total[$window])) or vector(0)

Passes:

    ratio:
      errors: sum(rate(failed_total[$window]))
      total: sum(rate(sent_total[$window]))
"""

import operator
from collections.abc import Iterator

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.invented_events import instead, invention
from slo_compiler.lint.queries import Query, queries
from slo_compiler.promql import may_have_value_without_input, unwrapped
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.sli.raw import Raw
from slo_compiler.schema.sli.threshold import Threshold

ID = "no-data-hidden"
SEVERITY = Severity.WARNING

_ABSENT = ("absent", "absent_over_time")
_GOOD = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each query whose value, where there is no series, is no traffic or a good one."""
    for query in queries(tenant):
        if _hides(query) and invention(query) is None:
            yield Finding(
                query.at(next(part.place for part in query.parts if part.call == "vector")),
                f"{query.key} has a value also when its series are gone, so that SLONoData never "
                "fires",
                instead(query, _without(query.parts[0].node)),
            )


def _hides(query: Query) -> bool:
    node, body = query.parts[0].node, query.slo.spec.sli.body
    calls = {part.call for part in query.parts}
    if not may_have_value_without_input(node) or "vector" not in calls or calls & {*_ABSENT}:
        return False
    if not any(part.metric for part in query.parts):
        return False  # a constant has no series that could go
    if query.key == "total":
        return True
    constant = _constant(node)
    if constant is None:
        return False
    if isinstance(body, Threshold):
        return bool(_GOOD[body.op](constant, float(body.value)))
    return isinstance(body, Raw) and query.key == "error_ratio" and constant == 0


def _without(node: pp.Expr) -> pp.Expr | None:
    """Give what is left of `... or vector(0)`; None for other forms."""
    node = unwrapped(node)
    if isinstance(node, pp.BinaryExpr) and _constant(node) is not None:
        return node.lhs
    return None


def _constant(node: pp.Expr) -> float | None:
    """Give the number of `... or vector(number)`; None for other forms."""
    node = unwrapped(node)
    if not (isinstance(node, pp.BinaryExpr) and str(node.op) == "or"):
        return None
    other = unwrapped(node.rhs)
    if not (isinstance(other, pp.Call) and str(other.func.name) == "vector"):
        return None
    number = unwrapped(other.args[0])
    return float(number.val) if isinstance(number, pp.NumberLiteral) else None
