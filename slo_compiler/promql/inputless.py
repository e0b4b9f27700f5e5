"""Whether a query has a value while none of the series that it selects is there."""

from __future__ import annotations

import promql_parser as pp

from slo_compiler.promql.syntax import children, parsed, unwrapped

_SCALARS = ("time", "pi", "scalar")
_SOURCES = ("vector", "absent", "absent_over_time")


def is_scalar(node: pp.Expr) -> bool:
    """Whether an expression yields a number without labels, and no vector."""
    match unwrapped(node):
        case pp.NumberLiteral():
            return True
        case pp.Call() as call:
            return call.func.name in _SCALARS
        case pp.UnaryExpr() as unary:
            return is_scalar(unary.expr)
        case pp.BinaryExpr() as binary:
            return is_scalar(binary.lhs) and is_scalar(binary.rhs)
    return False


def may_have_value_without_input(expression: str | pp.Expr) -> bool:
    """Whether a query may have a value without any input: `vector(0)` has, as have its likes.

    What a comparison leaves depends on values, and is taken for there.
    """
    return _may(parsed(expression) if isinstance(expression, str) else expression)


def _may(node: pp.Expr) -> bool:
    match node:
        case pp.AggregateExpr():
            return _may(node.expr)
        case pp.Call():
            # Without arguments: of the time, such as hour().
            if node.func.name in _SOURCES or not (node.args or node.func.name in _SCALARS):
                return True
            return node.func.name not in _SCALARS and any(map(_may, children(node)))
        case pp.BinaryExpr():
            return _of_operator(node)
    return any(map(_may, children(node)))  # of selectors and numbers: none


def _of_operator(node: pp.BinaryExpr) -> bool:
    one, two = _may(node.lhs), _may(node.rhs)
    if str(node.op) == "unless":
        return one
    if str(node.op) == "or" or is_scalar(node.lhs) or is_scalar(node.rhs):
        return one or two
    return one and two
