"""Each selector keeps to its tenant: what is refused, and the matchers that are injected."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import promql_parser as pp

from slo_compiler.promql.model import METRIC_LABEL, metric_of, selector_of, series_text
from slo_compiler.promql.places import Place, find_code, find_matcher, words
from slo_compiler.promql.shape import shape_of
from slo_compiler.promql.syntax import parsed, refuse_regex, unwrapped, walk
from slo_compiler.promql.text import TOKEN, QueryError
from slo_compiler.templating import promql_string

_WRITES_LABEL = {"label_replace": 1, "label_join": 1}  # argument that names the label they write


def check_selectors(tree: pp.Expr, query: str, matchers: Mapping[str, str]) -> None:
    """Refuse selectors that no matcher can restrict, and functions that read others."""
    found = 0
    for node in walk(tree):
        if isinstance(node, pp.VectorSelector):
            found += 1
            _check_selector(node, query, matchers)
    if not found:
        raise QueryError(
            "no-selector",
            "the query selects no series",
            "name a metric of yours, such as http_requests_total",
        )


def _check_selector(node: pp.VectorSelector, query: str, matchers: Mapping[str, str]) -> None:
    if node.matchers.or_matchers:
        name = node.name or ""
        raise QueryError(
            "or-matcher",
            "matchers joined by or are not PromQL",
            'use a regular expression: label=~"a|b"',
            *(next(words(query, name), ()) if name else find_code(query, r"(\{)")),
        )
    selector = selector_of(node)
    if not selector.metric:
        _refuse_unnamed(query, [m.op for m in selector.matchers if m.name == METRIC_LABEL])
    names = [matcher.name for matcher in selector.matchers]
    for matcher in selector.matchers:
        if matcher.is_regex:
            place = partial(find_matcher, query, matcher.name, matcher.value)
            refuse_regex(matcher.value, place)
        expected = matchers.get(matcher.name)
        if expected is None:
            continue
        if matcher.op != "=" or matcher.value != expected:
            raise QueryError(
                "other-tenant",
                f"the query matches {matcher}, but may only read "
                f"{matcher.name}={promql_string(expected)}",
                "leave this matcher out: it is added to every selector",
                *find_matcher(query, matcher.name, matcher.value),
            )
        if names.count(matcher.name) > 1:
            raise QueryError(
                "duplicate-matcher",
                f"a selector matches {matcher.name} twice",
                "leave it out: it is added to every selector",
                *find_matcher(query, matcher.name),
            )


def _refuse_unnamed(query: str, operators: Sequence[str]) -> None:
    """Refuse a selector without a name, or with one that is no fixed text."""
    if operators in (["=~"], ["!="], ["!~"]):
        raise QueryError(
            "no-metric-name",
            f"a selector gives its metric name by __name__{operators[0]}, which selects several",
            "name one metric: http_requests_total{...}",
            *find_matcher(query, METRIC_LABEL),
        )
    if len(operators) > 1:
        raise QueryError(
            "name-matcher",
            "a selector has more than one metric name",
            "name one metric: http_requests_total{...}",
            *find_matcher(query, METRIC_LABEL),
        )
    raise QueryError(
        "no-metric-name",
        "a selector has no metric name",
        "start it with the metric: http_requests_total{...}",
        *find_code(query, r"(?:^|[^\w:\s])\s*(\{)"),
    )


def check_labels(tree: pp.Expr, query: str, reserved: Collection[str]) -> None:
    """Refuse what writes a label that distinguishes tenants or SLOs, or joins it from elsewhere."""
    for node in walk(tree):
        if isinstance(node, pp.AggregateExpr) and isinstance(node.param, pp.Expr):
            _check_written(node.param, query, reserved)
        if not isinstance(node, pp.Call):
            continue
        name = node.func.name
        if name == "info":
            raise QueryError(
                "forbidden-function",
                "info() reads series that no matcher can restrict",
                "join the labels with group_left",
                *find_code(query, r"\b(info)\s*\("),
            )
        last = unwrapped(node.args[-1]) if node.args else None
        if name == "label_replace" and isinstance(last, pp.StringLiteral):
            pattern = last.val
            refuse_regex(pattern, partial(_find_quoted, query, pattern))
        if name in _WRITES_LABEL and len(node.args) > _WRITES_LABEL[name]:
            _check_written(node.args[_WRITES_LABEL[name]], query, reserved)


def _check_written(argument: pp.Expr, query: str, reserved: Collection[str]) -> None:
    """Refuse a literal that names such a label; Prometheus looks into parentheses, too."""
    literal = unwrapped(argument)
    if isinstance(literal, pp.StringLiteral) and literal.val in reserved:
        label = literal.val
        quoted = re.search(rf"[\"'`]({re.escape(label)})[\"'`]", query)
        raise QueryError(
            "identity-label",
            f'the query writes the label "{label}", which tells tenants or SLOs apart',
            "write another label",
            *((quoted.start(1), len(label)) if quoted else ()),
        )


def _find_quoted(query: str, text: str) -> Place | tuple[()]:
    """Find a string of a query that is written without escapes."""
    found = re.search(rf"[\"'`]({re.escape(text)})[\"'`]", query)
    return (found.start(1), len(text)) if found else ()


def inject(tree: pp.Expr, matchers: Mapping[str, str], query: str) -> str:
    """Print the tree with the matchers in every selector, and parse it again.

    Raises:
        QueryError: the printed expression is not the one that was read.
    """

    def isolate(node: pp.Expr) -> pp.Expr | None:
        if not isinstance(node, pp.VectorSelector):
            return None
        present = {matcher.name for matcher in node.matchers.matchers}
        added = [f"{k}={promql_string(v)}" for k, v in matchers.items() if k not in present]
        if not added and node.name:
            return None
        # prettify() escapes label values; str() does not, and lets a value close its string.
        # Its range, offset and @ are behind the braces.
        selector = selector_of(node)
        # In the order of the printer, so that a plain selector is not parsed once more as printed.
        written = ",".join(sorted([*added, *map(str, selector.matchers)]))
        text, name = node.prettify(), node.name or ""
        rest = text.removeprefix(name)
        if rest.startswith("{"):
            rest = rest[_closing(rest) + 1 :]
        return parsed(series_text(selector.metric, written) + rest)

    try:
        printed = str(pp.transform(tree, post_visit=isolate).prettify())
        same = shape_of(parsed(printed), matchers) == shape_of(tree, matchers)
    except (ValueError, TypeError):  # what the parser printed, it cannot read
        same = False
    if not same:
        _refuse_printed(query)
    return printed


def _closing(text: str) -> int:
    """Find the brace that closes the one at the beginning."""
    return next(m.start() for m in TOKEN.finditer(text) if m[0] == "}")


def _refuse_printed(query: str) -> None:
    """Refuse a query that the parser does not print as it was read."""
    if place := find_code(query, r"\b(ignoring\s*\(\s*\)\s*group_(?:left|right))\b"):
        raise QueryError(
            "promql-printed",
            "the static checker cannot print ignoring () beside group_left or group_right",
            "name the labels that both sides share: on (job) group_left ()",
            *place,
        )
    raise QueryError(
        "promql-printed",
        "the static checker reads this query, but prints another one",
        "simplify it, or record a part of it with a rule of your own",
    )


def check_isolated(text: str, original: pp.Expr, matchers: Mapping[str, str]) -> None:
    """Parse what will be emitted, and check that every selector of it is the tenant's.

    Raises:
        QueryError: the printed expression is not the one that was checked.
    """
    try:
        tree = parsed(text)
    except ValueError:
        raise QueryError(
            "promql-printed",
            "the static checker cannot read what it printed",
            "simplify the query, or record a part of it with a rule of your own",
        ) from None
    selectors = [n for n in walk(tree) if isinstance(n, pp.VectorSelector)]
    originals = [n for n in walk(original) if isinstance(n, pp.VectorSelector)]
    isolated = all(
        [m.value for m in node.matchers.matchers if m.name == label and m.op == pp.MatchOp.Equal]
        == [value]
        and sum(m.name == label for m in node.matchers.matchers) == 1
        and not node.matchers.or_matchers
        for node in selectors
        for label, value in matchers.items()
    )
    same = [_own(n, matchers) for n in selectors] == [_own(n, matchers) for n in originals]
    if not isolated or not same:
        raise QueryError(
            "isolation", "the query cannot be shown to keep to its tenant", "simplify it"
        )


def _own(node: pp.VectorSelector, matchers: Mapping[str, str]) -> tuple[str, list[str]]:
    """Give what a selector selects beside the tenant: its name, and its other matchers."""
    own = (m for m in selector_of(node).matchers if m.name not in matchers)
    return metric_of(node), sorted(map(str, own))
