"""What an expression means, without its layout: to compare what was read with what was printed."""

from __future__ import annotations

import promql_parser as pp

Shape = tuple[object, ...]


def shape_of(node: pp.Expr) -> Shape:  # noqa: C901, PLR0911  (a table)
    """Return the meaning of an expression, part by part, whatever its selectors select.

    Two expressions of one shape with the same selectors, one after the other, are the same to
    Prometheus.

    Raises:
        TypeError: the tree has a part of an unknown type.
    """
    match node:
        case pp.NumberLiteral():
            return "number", repr(node.val)
        case pp.StringLiteral():
            return "string", node.val
        case pp.ParenExpr():
            return "()", shape_of(node.expr)
        case pp.UnaryExpr():
            return "-", shape_of(node.expr)
        case pp.VectorSelector():
            return "selector", node.offset, _at(node.at)
        case pp.MatrixSelector():
            return "range", shape_of(node.vector_selector), node.range
        case pp.SubqueryExpr():
            inner = shape_of(node.expr)
            return "subquery", inner, node.range, node.step, node.offset, _at(node.at)
        case pp.Call():
            return "call", node.func.name, *(shape_of(part) for part in node.args)
        case pp.AggregateExpr():
            param = shape_of(node.param) if isinstance(node.param, pp.Expr) else None
            return str(node.op), _grouping(node.modifier), param, shape_of(node.expr)
        case pp.BinaryExpr():
            sides = shape_of(node.lhs), shape_of(node.rhs)
            return str(node.op), _matching(node.modifier), *sides
    raise TypeError(f"unknown expression {type(node).__name__}")


def _at(at: pp.AtModifier | None) -> Shape | None:
    return None if at is None else (str(at.type), at.at)


def _grouping(modifier: pp.AggModifier | None) -> Shape | None:
    if modifier is None or (modifier.type == pp.AggModifierType.By and not modifier.labels):
        return None
    return str(modifier.type), tuple(modifier.labels)


def _matching(modifier: pp.BinModifier | None) -> Shape | None:
    """Give how a binary operator joins its sides; `ignoring ()` joins as nothing does."""
    if modifier is None:
        return None
    labels = modifier.matching
    on = labels is not None and (labels.labels or labels.type == pp.LabelModifierType.Include)
    fill = modifier.fill_values
    found = (
        str(modifier.card),
        tuple(modifier.group_labels or ()),
        (str(labels.type), tuple(labels.labels)) if labels is not None and on else None,
        modifier.return_bool,
        (fill.lhs, fill.rhs) if fill is not None else (None, None),
    )
    plain = (str(pp.VectorMatchCardinality.OneToOne), str(pp.VectorMatchCardinality.ManyToMany))
    if found[0] in plain and found[1:] == ((), None, False, (None, None)):
        return None
    return found
