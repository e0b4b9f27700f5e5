"""The syntax tree of a query, and its selectors; queries that differ in values alone share a tree.

To parse a query takes its regular expressions most of the time. Here they were checked before, so
that each value of a matcher can be parsed as a placeholder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import promql_parser as pp

from slo_compiler.promql.model import Matcher, Selector, selector_of
from slo_compiler.promql.syntax import parsed, walk

# Any string; that of a matcher is behind its operator.
_VALUE = re.compile(r'(=~|!~|!=|=)?"([^"]*)"')
_OTHER_STRINGS = re.compile(r"[\\'`#]")  # whatever _VALUE cannot read
_PLACEHOLDER = "\ue000"  # begins with a character for private use


@dataclass(frozen=True, slots=True)
class QueryTree:
    """A query that was checked before; values in `text` and `root` may be placeholders."""

    text: str
    root: pp.Expr
    selectors: tuple[Selector, ...]  # in the order of the text
    has_alternatives: bool  # whether matchers are joined by `or`, which selectors do not show


@lru_cache(maxsize=1_024)
def tree_of(query: str) -> QueryTree:
    """Read a query.

    Raises:
        ValueError: the parser cannot read it.
    """
    values: dict[str, str] = {}

    def placeholder(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0]
        name = f"{_PLACEHOLDER}{len(values)}"
        values[name] = found[2]
        return f'{found[1]}"{name}"'

    text = query if _OTHER_STRINGS.search(query) else _VALUE.sub(placeholder, query)
    root = parsed(text)
    nodes = [node for node in walk(root) if isinstance(node, pp.VectorSelector)]
    return QueryTree(
        text,
        root,
        tuple([_selector(node, values) for node in nodes]),
        any(node.matchers.or_matchers for node in nodes),
    )


def _selector(node: pp.VectorSelector, values: dict[str, str]) -> Selector:
    found = selector_of(node)
    metric = values.get(found.metric, found.metric)
    matchers = [Matcher(m.name, m.op, values.get(m.value, m.value)) for m in found.matchers]
    return Selector(metric, tuple(matchers))
