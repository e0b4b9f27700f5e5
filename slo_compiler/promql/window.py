"""`$window` may be used only as a range: nothing else changes with its value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import promql_parser as pp

from slo_compiler.duration import Duration
from slo_compiler.promql.syntax import walk
from slo_compiler.promql.text import TOKEN, WINDOW, QueryError
from slo_compiler.promql.tree import tree_of

# Two spans that no one writes by chance: where a range changes with them, `$window` was there.
_SENTINELS = (Duration.of(seconds=31_337), Duration.of(seconds=31_393))


def check_places(query: str) -> None:
    """Check that `$window` is written only where a range is, before it is parsed."""
    for string in TOKEN.finditer(query):
        if string.lastgroup in ("string", "comment") and WINDOW in string[0]:
            at = string.start() + string[0].index(WINDOW)
            raise QueryError(
                "window-misplaced",
                "$window is inside text",
                "use it only as a range: [$window]",
                at,
                len(WINDOW),
            )
    for place in re.finditer(re.escape(WINDOW), query):
        before, after = query[: place.start()].rstrip(), query[place.end() :].lstrip()
        if not before.endswith("[") or not after.startswith(("]", ":")):
            raise QueryError(
                "window-misplaced",
                "$window may be used only as a range",
                "write [$window], for example rate(http_requests_total[$window])",
                place.start(),
                len(WINDOW),
            )


def check_ranges(query: str) -> None:
    """Check that nothing but ranges changes with the value of `$window`, in a query that parses."""
    first, second = (
        [*_spans(tree_of(query.replace(WINDOW, str(sentinel))).root)] for sentinel in _SENTINELS
    )
    changed = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
    expected = tuple(timedelta(milliseconds=s.ms) for s in _SENTINELS)
    if any(pair != expected for pair in changed) or len(changed) != query.count(WINDOW):
        raise QueryError("window-misplaced", "$window may be used only as a range")


def _spans(tree: pp.Expr) -> Iterator[object]:
    for node in walk(tree):
        if isinstance(node, pp.MatrixSelector | pp.SubqueryExpr):
            yield node.range
        if isinstance(node, pp.SubqueryExpr):
            yield node.step
        if isinstance(node, pp.VectorSelector | pp.SubqueryExpr):
            yield node.offset
        if isinstance(node, pp.NumberLiteral):
            yield repr(node.val)
