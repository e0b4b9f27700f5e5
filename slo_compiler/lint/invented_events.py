"""A query counts events that never were.

`or vector(1)`, `clamp_min(..., 1)` or `+ 1` keep a quotient from dividing by zero. In the queries
of an SLI they are events, one each second. A job that runs for six minutes an hour, with a request
every five seconds, has 72 events in an hour, in an outage all errors. With `> 0 or vector(1)`
they are 72 of 3,312, or 2.2 %. It is not needed: the rules know that no traffic is no error, and
`SLONoData` fires only where the series themselves are missing.

Fails:

    ratio:
      errors: sum(rate(failed_total[$window]))
      total: sum(rate(sent_total[$window])) or vector(1)

Passes:

    ratio:
      errors: sum(rate(failed_total[$window]))
      total: sum(rate(sent_total[$window]))
"""

from collections.abc import Iterator

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import Part, Query, queries, written
from slo_compiler.promql import unwrapped, walk
from slo_compiler.promql.places import Place
from slo_compiler.resolve.model import ResolvedTenant

ID = "invented-events"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give what adds events to a query that counts some, once a query."""
    for query in queries(tenant):
        if (found := invention(query)) is not None:
            part, what, rest = found
            whole = all(isinstance(parent, pp.ParenExpr) for parent in part.parents)
            yield Finding(
                query.at(_place(query, part)),
                f"{what} adds events to {query.key} that never were",
                instead(query, rest if whole else None),
            )


def invention(query: Query) -> tuple[Part, str, pp.Expr] | None:
    """Give the first part of a query that adds events: itself, its name, and what it adds to."""
    if query.counted and not query.plain:
        for part in query.parts:
            if (found := _invented(part.node)) is not None:
                return part, *found
    return None


def instead(query: Query, rest: pp.Expr | None) -> str:
    """Return what to write: the rest of the query, where it is known."""
    if rest is None:
        return "leave it out: the rules know that no traffic is no error"
    text = written(rest).replace("'", "''")
    return f"write {query.key}: '{text}'" + ("" if query.index is None else " for it")


def _invented(node: pp.Expr) -> tuple[str, pp.Expr] | None:
    """What a node invents, and what it would be without; None if it counts as it should."""
    if isinstance(node, pp.Call) and (name := str(node.func.name)) in ("clamp", "clamp_min"):
        value, least = node.args[:2]
        return (f"{name}(..., {written(least)})", value) if _is_more(least) else None
    if not isinstance(node, pp.BinaryExpr):
        return None
    if str(node.op) == "or" and _always(node.rhs):
        return f"or {written(unwrapped(node.rhs))}", node.lhs
    if str(node.op) == "+":
        for side, rest in ((node.rhs, node.lhs), (node.lhs, node.rhs)):
            if _is_more(side) and _reads(rest):
                return f"+ {written(side)}", rest
    return None


def _always(node: pp.Expr) -> bool:
    """Whether a side of `or` has a value, and not 0, whatever the series are."""
    node = unwrapped(node)
    if not isinstance(node, pp.Call):
        return False
    name = str(node.func.name)
    return name in ("absent", "absent_over_time") or (name == "vector" and _is_more(node.args[0]))


def _is_more(node: pp.Expr) -> bool:
    """Whether a node is a number above 0."""
    node = unwrapped(node)
    return isinstance(node, pp.NumberLiteral) and node.val > 0


def _reads(node: pp.Expr) -> bool:
    return any(isinstance(part, pp.VectorSelector) for part in walk(node))


def _place(query: Query, part: Part) -> Place:
    """Mark the function that invents; where there is none, the query."""
    inside = (each for each in query.parts if each.node is part.node or part.node in each.parents)
    names = ("clamp", "clamp_min", "vector", "absent", "absent_over_time")
    return next((each.place for each in inside if each.call in names), (0, len(query.text)))
