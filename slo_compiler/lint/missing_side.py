"""A sum or a difference of queries has no value while one of them has none.

A counter has no series before it counts for the first time, and `a + b` has a value only where both
have one: while nothing failed, all events are missing, or the errors of the other side are. Queries
of a list are added up with a missing one as zero, and so is what `minus` takes from `total`.

Fails:

    ratio:
      errors: sum(rate(failed_total[$window]))
      total: sum(rate(sent_total[$window])) + sum(rate(failed_total[$window]))

Passes:

    ratio:
      errors: sum(rate(failed_total[$window]))
      total: [sent_total, failed_total]
"""

from collections.abc import Iterator, Sequence
from typing import TypeGuard

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import Query, queries, written
from slo_compiler.promql import unwrapped, walk
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.sli.ratio import Ratio

ID = "missing-side"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the queries of ratios that add or subtract others, with what to write instead."""
    for query in queries(tenant):
        if query.slo.spec.sli.body.KIND != Ratio.KIND:
            continue
        plus, minus = _sides(query.parsed.tree)
        if len([*filter(_bare, plus)]) < 2 and not any(map(_bare, minus)):  # noqa: PLR2004
            continue
        sign = "-" if any(map(_bare, minus)) else "+"
        yield Finding(
            query.at((0, len(query.text))),
            f"{query.key} has no value while one side of its {sign} has no series",
            f"write {_instead(query, plus, minus)}" + ("" if query.index is None else " for it"),
        )


def _sides(node: pp.Expr) -> tuple[list[pp.Expr], list[pp.Expr]]:
    """Split a sum of vectors into what is added and what is taken away."""
    node = unwrapped(node)
    if isinstance(node, pp.AggregateExpr) and str(node.op) == "sum" and node.modifier is None:
        inner = unwrapped(node.expr)
        return _sides(inner) if _is_sum(inner) else ([node], [])
    if not _is_sum(node):
        return [node], []
    plus, minus = _sides(node.lhs)
    more, less = _sides(node.rhs)
    return (
        ([*plus, *more], [*minus, *less])
        if str(node.op) == "+"
        else ([*plus, *less], [*minus, *more])
    )


def _is_sum(node: pp.Expr) -> TypeGuard[pp.BinaryExpr]:
    """Whether a node adds or subtracts two vectors, series by series."""
    if not isinstance(node, pp.BinaryExpr) or str(node.op) not in ("+", "-"):
        return False
    many = node.modifier is not None and "OneToOne" not in str(node.modifier.card)
    return not many and all(map(_reads, (node.lhs, node.rhs)))


def _reads(node: pp.Expr) -> bool:
    return any(isinstance(part, pp.VectorSelector) for part in walk(node))


def _bare(node: pp.Expr) -> bool:
    """Whether nothing replaces a side while it has no series."""
    node = unwrapped(node)
    return not (isinstance(node, pp.BinaryExpr) and str(node.op) == "or")


def _instead(query: Query, plus: list[pp.Expr], minus: list[pp.Expr]) -> str:
    added, taken = [*map(written, plus)], [*map(written, minus)]
    if not minus:
        return f"{query.key}: {_listed(added)}"
    body = query.slo.spec.sli.body
    if query.key == "total" and query.index is None and getattr(body, "minus", None) is None:
        return f"total: {_listed(added)} and minus: {_listed(taken)}"
    first = _summed(plus[0], query.slo.sources)
    less = "".join(f" - ({_summed(node, query.slo.sources)} or 0 * {first})" for node in minus)
    return f"{query.key}: {_listed([first + less, *added[1:]])}"


def _summed(node: pp.Expr, by: Sequence[str]) -> str:
    """Write a side with the labels of the SLI alone, so that those of two sides match."""
    if isinstance(unwrapped(node), pp.AggregateExpr):
        return written(node)
    return f"sum by ({', '.join(by)}) ({written(node)})" if by else f"sum({written(node)})"


def _listed(texts: list[str]) -> str:
    """Write one query, or several as a list."""
    quoted = ["'" + text.replace("'", "''") + "'" for text in texts]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"
