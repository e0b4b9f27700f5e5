"""Selectors that are read of a shared tree are those of the query's own tree."""

from __future__ import annotations

import promql_parser as pp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.promql import metric_of, selector_of, series_text, walk
from slo_compiler.promql.tree import tree_of
from slo_compiler.templating import promql_string


def own(query: str) -> list[str]:
    nodes = [node for node in walk(pp.parse(query)) if isinstance(node, pp.VectorSelector)]
    return [str(selector_of(node)) for node in nodes if metric_of(node)]


def shared(query: str) -> list[str]:
    return [str(selector) for selector in tree_of(query).selectors if selector.metric]


@pytest.mark.parametrize(
    "query",
    [
        'rate(x{b="2",a=~"5..",c!="1",d!~"0|1"}[1m])',
        'sum by (a) (rate(x{b="="}[1m])) / ignoring (b) sum(y{c="a=",b=",c="})',
        'rate({"a.b","l=",c="d"}[1m])',
        '{__name__="x",a="b"}',
        'label_replace(x{a="$1"}, "b", "$1", "a", "(.*)") or x',
        'x{a=\'b="c"\',d=`e"f`}',
        'x{a="\\"",b="c"}',
        'x{a = "0"} # b="1"',
        'x offset 5m + x{a="b"} @ 7',
    ],
)
def test_tree_of_a_query_has_the_selectors_of_its_own_tree(query: str) -> None:
    assert shared(query) == own(query)


values = st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "Cc"]), max_size=6)
matchers = st.builds(
    lambda name, op, value: f"{name}{op}{promql_string(value)}",
    st.sampled_from(["a", "b", '"c.d"', '"e="']),
    st.sampled_from(["=", "!="]),
    values,
)


@given(st.lists(st.lists(matchers, min_size=1, max_size=3), min_size=1, max_size=3))
def test_tree_of_any_strings_has_the_selectors_of_its_own_tree(sides: list[list[str]]) -> None:
    query = " + ".join(series_text("x", ",".join(inside)) for inside in sides)
    assert shared(query) == own(query)


def test_tree_of_queries_that_differ_in_values_is_one() -> None:
    one, other = tree_of('rate(x{a="b",c=~"d"}[1m])'), tree_of('rate(x{a="",c=~"e.*"}[1m])')
    assert one.root is other.root
    assert one.selectors != other.selectors
