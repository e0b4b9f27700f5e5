"""Which kind of number each part of a query gives: events per second, a ratio, seconds, and so on.

One pass over the tree, from the leaves up. What cannot be inferred is UNKNOWN, and so is what is
made of it, so that no lint reports what it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

import promql_parser as pp

from slo_compiler.promql import children, metric_of


class Dimension(Enum):
    """A kind of number; the value is how messages name it."""

    RATE = "events per second"
    COUNT = "events per window"
    TOTAL = "the value of a counter"
    RATIO = "a ratio"
    QUANTITY = "a quantity, such as seconds"
    BOOLEAN = "0 or 1"
    NUMBER = "a constant"
    UNKNOWN = "unknown"


RATES = ("rate", "irate")

_COUNTER = re.compile(r".*_(total|count|bucket)")
# level:metric:operations; what the last part names was done last.
_RECORDED_RATE = re.compile(r".*:(?:\w*_)?i?rate(?:_?\d+[smhdw])?")
_RECORDED_RATIO = re.compile(r".*(?:ratio|percent).*:.*|.*:.*(?:ratio|percent)[^:]*")
# A rate of these is no number of events: seconds per second, or bytes per second.
_MEASURED = re.compile(r".*_sum|.*(?:seconds|milliseconds|ms|bytes|joules|ratio)(?:_total)?")

_COMPARED = frozenset({"==", "!=", "<", "<=", ">", ">="})
_QUANTITIES = frozenset(
    {"histogram_quantile", "histogram_avg", "histogram_stddev", "histogram_stdvar"}
    | {"quantile_over_time", "quantile"}
)
_PER_WINDOW = frozenset({"increase", "resets", "changes"})
_SAMPLES = frozenset({"count_over_time", "sum_over_time"})
_ALIKE = frozenset(
    {"abs", "ceil", "floor", "round", "clamp", "clamp_max", "clamp_min", "sort", "sort_desc"}
    | {"label_replace", "label_join", "scalar", "last_over_time", "min_over_time", "max_over_time"}
)
_GROUPED = frozenset({"sum", "avg", "min", "max", "topk", "bottomk", "limitk", "limit_ratio"})


def is_counter(metric: str) -> bool:
    """Whether a series is a counter, by the name that conventions give to one."""
    return _COUNTER.fullmatch(metric) is not None


def is_recorded_rate(metric: str) -> bool:
    """Whether a recording rule took the rate already, by the name that conventions give to it."""
    return _RECORDED_RATE.fullmatch(metric) is not None


def dimensions(tree: pp.Expr) -> Sequence[Dimension]:
    """Infer the dimension of each part of a tree, in the order of `walk`."""
    found: list[Dimension] = []
    _infer(tree, found)
    return found


def _infer(node: pp.Expr, found: list[Dimension]) -> Dimension:
    at = len(found)
    found.append(Dimension.UNKNOWN)
    inner = [_infer(child, found) for child in children(node)]
    found[at] = _of(node, inner)
    return found[at]


def _of(node: pp.Expr, inner: Sequence[Dimension]) -> Dimension:  # noqa: PLR0911  (a table)
    match node:
        case pp.NumberLiteral():
            return Dimension.NUMBER
        case pp.VectorSelector():
            return _of_series(metric_of(node))
        case pp.MatrixSelector() | pp.SubqueryExpr() | pp.ParenExpr() | pp.UnaryExpr():
            return inner[0]
        case pp.Call():
            return _of_call(node, str(node.func.name), inner)
        case pp.AggregateExpr():
            return _of_aggregation(str(node.op), inner[-1])
        case pp.BinaryExpr():
            return _of_operator(node, str(node.op), *inner)
    return Dimension.UNKNOWN


def _of_series(metric: str) -> Dimension:
    if ":" in metric:
        if _RECORDED_RATIO.fullmatch(metric):
            return Dimension.RATIO
        measured = any(_MEASURED.fullmatch(part) for part in metric.split(":"))
        if is_recorded_rate(metric) and not measured:
            return Dimension.RATE
        return Dimension.UNKNOWN
    return Dimension.TOTAL if is_counter(metric) else Dimension.UNKNOWN


def _of_call(node: pp.Call, name: str, inner: Sequence[Dimension]) -> Dimension:  # noqa: PLR0911  (a table)
    if name in RATES:
        return Dimension.UNKNOWN if _measures(node) else Dimension.RATE
    if name in _PER_WINDOW:
        return Dimension.UNKNOWN if _measures(node) else Dimension.COUNT
    if name in _SAMPLES:
        known = name == "sum_over_time" and inner[0] is not Dimension.UNKNOWN
        plain = isinstance(node.args[0], pp.MatrixSelector) and not known
        return Dimension.COUNT if plain else Dimension.UNKNOWN
    if name in _QUANTITIES:
        return Dimension.QUANTITY
    if name == "histogram_fraction":
        return Dimension.RATIO
    if name in ("absent", "absent_over_time", "present_over_time"):
        return Dimension.BOOLEAN
    if name == "histogram_count" or name in _ALIKE:
        return inner[0]
    if name == "avg_over_time":
        return Dimension.RATIO if inner[0] is Dimension.BOOLEAN else inner[0]
    is_constant = name == "vector" and inner[0] is Dimension.NUMBER
    return Dimension.NUMBER if is_constant else Dimension.UNKNOWN


def _measures(node: pp.Call) -> bool:
    """Whether what is counted is a quantity, such as seconds, or a histogram's whole."""
    argument = node.args[0]
    if not isinstance(argument, pp.MatrixSelector):
        return False
    name = metric_of(argument.vector_selector)
    return not is_counted(name) and _MEASURED.fullmatch(name) is not None


def is_counted(metric: str) -> bool:
    """Whether a counter counts events, by its name, and not seconds or bytes."""
    if not is_counter(metric):
        return False
    return metric.endswith(("_count", "_bucket")) or _MEASURED.fullmatch(metric) is None


def _of_aggregation(name: str, inner: Dimension) -> Dimension:
    if name == "quantile":
        return Dimension.QUANTITY
    if inner is Dimension.BOOLEAN:
        alike = {"avg": Dimension.RATIO, "min": inner, "max": inner}
        return alike.get(name, Dimension.UNKNOWN)
    return inner if name in _GROUPED else Dimension.UNKNOWN


def _of_operator(node: pp.BinaryExpr, op: str, left: Dimension, right: Dimension) -> Dimension:
    if op in _COMPARED:
        return Dimension.BOOLEAN if node.modifier and node.modifier.return_bool else left
    if op in ("and", "unless"):
        return left
    if op == "or":
        return _joined(left, right)
    if op in ("+", "-"):
        both = left is right is Dimension.BOOLEAN  # how many of them are 1
        return Dimension.UNKNOWN if both else _joined(left, right)
    if op == "*":
        return _scaled(left, right)
    return _quotient(left, right) if op == "/" else Dimension.UNKNOWN


def _joined(left: Dimension, right: Dimension) -> Dimension:
    if left is right or right is Dimension.NUMBER:
        return left
    return right if left is Dimension.NUMBER else Dimension.UNKNOWN


def _scaled(left: Dimension, right: Dimension) -> Dimension:
    """A share of events are events, and so are some times as many."""
    if {left, right} == {Dimension.NUMBER, Dimension.BOOLEAN}:
        return Dimension.UNKNOWN
    for one, other in ((left, right), (right, left)):
        if one in (Dimension.NUMBER, Dimension.RATIO, Dimension.BOOLEAN):
            return other
    return Dimension.UNKNOWN


def _quotient(left: Dimension, right: Dimension) -> Dimension:
    if right is Dimension.NUMBER:
        return left
    if left is right and left in (Dimension.RATE, Dimension.COUNT):
        return Dimension.RATIO
    return Dimension.UNKNOWN
