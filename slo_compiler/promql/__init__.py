"""What a tenant's PromQL may do: parse, inspect, inject matchers, substitute the window.

A query is hostile until shown otherwise. Every vector selector gets the tenant's matchers, by AST,
and the printed result is parsed again and checked: what is emitted is what was checked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

import promql_parser as pp

from slo_compiler.duration import Duration
from slo_compiler.naming import IDENTITY
from slo_compiler.promql.advice import with_rates
from slo_compiler.promql.inputless import is_scalar, may_have_value_without_input
from slo_compiler.promql.isolation import (
    check_isolated,
    check_labels,
    check_selectors,
    inject,
)
from slo_compiler.promql.model import (
    OPERATORS,
    Matcher,
    Selector,
    is_plain_label,
    is_plain_metric,
    metric_of,
    selector_of,
    series_text,
)
from slo_compiler.promql.places import find_code, find_matcher, words
from slo_compiler.promql.syntax import (
    MAX_OPERATORS,
    check_grammar,
    check_size,
    check_spans,
    check_steps,
    children,
    parse,
    parsed,
    unwrapped,
    walk,
)
from slo_compiler.promql.text import (
    MAX_LENGTH,
    WINDOW,
    QueryError,
    code_of,
)
from slo_compiler.promql.window import check_places, check_ranges

__all__ = [
    "MAX_LENGTH",
    "MAX_OPERATORS",
    "OPERATORS",
    "WINDOW",
    "Matcher",
    "QueryError",
    "Selector",
    "check_grammar",
    "children",
    "functions_of",
    "is_plain_label",
    "is_plain_metric",
    "may_have_value_without_input",
    "metric_of",
    "metrics_of",
    "parsed",
    "prepare",
    "prepare_value",
    "read",
    "samples",
    "selector",
    "selector_of",
    "series_text",
    "unwrapped",
    "walk",
]


def prepare(
    query: str, matchers: Mapping[str, str], window: Duration, isolating: Collection[str] = ()
) -> str:
    """Turn a tenant's query into the expression that is safe to emit.

    Args:
        query: a counter's selector, or PromQL that has `$window` as a range.
        matchers: the tenant's isolation, label to value; every selector will carry them.
        window: the value of `$window`, and the range of `rate` around a plain selector.
        isolating: labels that isolate other tenants, which the query may not write.

    Returns:
        An expression that yields events per second, without an outer aggregation.

    Raises:
        QueryError: the query breaks a rule, or cannot be shown to keep to its tenant.
    """
    tree = _checked(query, matchers, window, isolating)
    rated = WINDOW not in query
    if rated:
        tree = unwrapped(tree)
        if not isinstance(tree, pp.VectorSelector) or tree.offset or tree.at:
            span = re.search(r"\[[^\]]*\]", code_of(query))
            raise QueryError(
                "window-missing",
                "the query holds no $window",
                _with_rate(tree, query)
                or "write its range as [$window], or give a plain counter selector",
                *((span.start(), len(span[0])) if span else ()),
            )
    isolated = inject(tree, matchers, query)
    return f"rate({isolated}[{window}])" if rated else isolated


def _with_rate(tree: pp.Expr, query: str) -> str:
    """Return how a query of counters without any range becomes one of rates."""
    nodes = [*walk(tree)]
    if any(isinstance(node, pp.MatrixSelector | pp.SubqueryExpr) for node in nodes):
        return ""
    if any(isinstance(node, pp.VectorSelector) and (node.offset or node.at) for node in nodes):
        return ""
    names = {str(node.name) for node in nodes if isinstance(node, pp.VectorSelector)}
    written = with_rates(query, names)
    return f"a counter needs a rate: {written}" if read(written, Duration.of(minutes=1)) else ""


def prepare_value(
    query: str, matchers: Mapping[str, str], window: Duration, isolating: Collection[str] = ()
) -> str:
    """Turn a tenant's query of values into the expression that is safe to emit.

    Args:
        query: PromQL that yields an instant vector; it may have `$window` as a range.
        matchers: the tenant's isolation, label to value; every selector will carry them.
        window: the value of `$window`.
        isolating: labels that isolate other tenants, which the query may not write.

    Raises:
        QueryError: the query breaks a rule, or cannot be shown to keep to its tenant.
    """
    tree = _checked(query, matchers, window, isolating)
    return inject(tree, matchers, query)


def _checked(
    query: str, matchers: Mapping[str, str], window: Duration, isolating: Collection[str]
) -> pp.Expr:
    """Parse a query that yields a vector, and check it."""
    check_size(query)
    check_spans(query)
    if WINDOW in query:
        check_places(query)
    tree = parse(query.replace(WINDOW, str(window)), query)
    if WINDOW in query:
        check_ranges(query)
    check_labels(tree, query, {*IDENTITY, *matchers, *isolating})
    check_selectors(tree, query, matchers)
    check_steps(tree, query)
    if isinstance(unwrapped(tree), pp.MatrixSelector | pp.SubqueryExpr):
        raise QueryError(
            "range-result",
            "the query yields a range of samples, not one value",
            "put it into a function such as rate(http_requests_total[$window])",
        )
    if is_scalar(tree):
        top = unwrapped(tree)
        alone = isinstance(top, pp.Call) and top.func.name == "scalar"
        raise QueryError(
            "scalar-result",
            "the query yields a scalar, which has no labels",
            "leave scalar() out"
            if alone
            else "leave scalar() out, or put all of it into vector(...)",
            *find_code(query, r"\b(scalar)\s*\("),
        )
    return tree


def samples(query: str, matchers: Mapping[str, str]) -> str:
    """Isolate the plain selector of a gauge.

    Raises:
        QueryError: the query is no plain selector, or breaks a rule.
    """
    tree = _plain(query, matchers, "a gauge", 'probe_success{job="checkout"}')
    return inject(tree, matchers, query)


def _plain(query: str, matchers: Mapping[str, str], what: str, example: str) -> pp.VectorSelector:
    """Parse and check a plain selector."""
    check_size(query)
    check_spans(query)
    tree = unwrapped(parse(query, query))
    if not isinstance(tree, pp.VectorSelector) or tree.offset or tree.at:
        raise QueryError(
            "selector-expected", f"{what} is given by a plain selector", f"such as {example}"
        )
    check_selectors(tree, query, matchers)
    return tree


def selector(query: str, matchers: Mapping[str, str], suffix: str, extra: str) -> str:
    """Isolate a plain selector and name another series of the same family.

    `http_duration{job="x"}` with suffix `_bucket` and extra `le="0.3"` becomes
    `http_duration_bucket{tenant="t",job="x",le="0.3"}`.

    Raises:
        QueryError: the query is no plain selector, or breaks a rule.
    """
    example = 'http_request_duration_seconds{job="checkout"}'
    tree = _plain(query, matchers, "a histogram", example)
    for matcher in tree.matchers.matchers:
        if matcher.name == "le":
            raise QueryError(
                "histogram-le",
                "the selector names a bucket",
                "leave le out: the threshold selects the bucket",
                *find_matcher(query, "le"),
            )
    named = selector_of(tree)
    if named.metric.endswith("_bucket"):
        raise QueryError(
            "histogram-bucket",
            "the selector names the buckets, not the histogram",
            f"write {named.metric.removesuffix('_bucket')}: the compiler adds what it needs",
            *next(words(query, named.metric), ()),
        )
    printed = inject(tree, matchers, query)
    isolated = _plain(printed, matchers, "a histogram", example)
    inside = ",".join(map(str, selector_of(isolated).matchers))
    result = series_text(f"{named.metric}{suffix}", ",".join(filter(None, (inside, extra))))
    if not (inside or extra):
        result += "{}"
    renamed = parsed(result)
    if not isinstance(renamed, pp.VectorSelector) or metric_of(renamed) != named.metric + suffix:
        raise QueryError("isolation", "the query cannot be shown to keep to its tenant")
    check_isolated(result, renamed, matchers)
    return result


@lru_cache(maxsize=4_096)
def metrics_of(expression: str) -> tuple[str, ...]:
    """Give the names of the metrics that an expression reads, which was checked before."""
    selectors = (node for node in walk(parsed(expression)) if isinstance(node, pp.VectorSelector))
    return tuple(dict.fromkeys(filter(None, map(metric_of, selectors))))


@lru_cache(maxsize=4_096)
def functions_of(expression: str) -> tuple[str, ...]:
    """Give the names of the functions and aggregations in an expression, checked before."""
    found = []
    for node in walk(parsed(expression)):
        if isinstance(node, pp.Call):
            found.append(str(node.func.name))
        elif isinstance(node, pp.AggregateExpr):
            found.append(str(node.op))
    return tuple(dict.fromkeys(found))


def read(query: str, window: Duration) -> tuple[pp.Expr, str] | None:
    """Parse a query only to look at it; None where it is refused.

    Returns:
        The tree, and the text with blanks for what strings and comments contain: each token that is
        found in it is at its own place.
    """
    try:
        check_size(query)
        check_spans(query)
        if len(re.findall(r"\[\s*\$window\s*[\]:]", code_of(query))) != query.count(WINDOW):
            return None
        return parse(query.replace(WINDOW, str(window)), query), code_of(query)
    except QueryError:
        return None
