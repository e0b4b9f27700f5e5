"""Each selector keeps to its tenant: what is refused, and the matchers that are injected."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NoReturn

import promql_parser as pp

from slo_compiler.promql.model import METRIC_LABEL, Selector, selector_of, series_text
from slo_compiler.promql.places import Place, find_code, find_matcher, words
from slo_compiler.promql.shape import shape_of
from slo_compiler.promql.syntax import parsed, refuse_regex, unwrapped, walk
from slo_compiler.promql.text import TOKEN, QueryError
from slo_compiler.promql.tree import tree_of
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
    """Print the tree with the matchers in every selector, parse it again, and check it.

    Raises:
        QueryError: the printed expression is not the one that was read, or not the tenant's alone.
    """
    try:
        printed = _print_plain(tree, matchers) or _print(tree, matchers)
    except (ValueError, TypeError):  # what the parser printed, it cannot read
        printed = ""
    if not printed:
        _refuse_printed(query)
    check_isolated(printed, tree, matchers)
    return printed


def _print_plain(tree: pp.Expr, matchers: Mapping[str, str]) -> str:
    """Print a selector without more; empty if it is none, or the printer would do it otherwise.

    Most queries are of this kind, and need no transform.
    """
    if not isinstance(tree, pp.VectorSelector) or tree.offset or tree.at:
        return ""
    printed = _restricted(tree, matchers)
    read = tree_of(printed)
    plain = isinstance(read.root, pp.VectorSelector) and read.root.prettify() == read.text
    return printed if plain else ""


def _print(tree: pp.Expr, matchers: Mapping[str, str]) -> str:
    """Print an expression with the matchers in its tree; empty if it is then another one."""

    def isolate(node: pp.Expr) -> pp.Expr | None:
        if not isinstance(node, pp.VectorSelector):
            return None
        if node.name and all(any(m.name == k for m in node.matchers.matchers) for k in matchers):
            return None
        # prettify() escapes label values; str() does not, and lets a value close its string.
        # Its range, offset and @ are behind the braces.
        text, name = node.prettify(), node.name or ""
        rest = text.removeprefix(name)
        if rest.startswith("{"):
            rest = rest[_closing(rest) + 1 :]
        return parsed(_restricted(node, matchers) + rest)

    printed = str(pp.transform(tree, post_visit=isolate).prettify())
    # What its selectors select is compared by `check_isolated`.
    return printed if shape_of(tree_of(printed).root) == shape_of(tree) else ""


def _restricted(node: pp.VectorSelector, matchers: Mapping[str, str]) -> str:
    """Write a selector with the matchers, in the order of the parser's printer."""
    selector = selector_of(node)
    present = {matcher.name for matcher in selector.matchers}
    added = [f"{k}={promql_string(v)}" for k, v in matchers.items() if k not in present]
    return series_text(selector.metric, ",".join(sorted([*added, *map(str, selector.matchers)])))


def _closing(text: str) -> int:
    """Find the brace that closes the one at the beginning."""
    return next(m.start() for m in TOKEN.finditer(text) if m[0] == "}")


def _refuse_printed(query: str) -> NoReturn:
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
        read = tree_of(text)
    except ValueError:
        raise QueryError(
            "promql-printed",
            "the static checker cannot read what it printed",
            "simplify the query, or record a part of it with a rule of your own",
        ) from None
    confined = not read.has_alternatives and all(_is_confined(s, matchers) for s in read.selectors)
    own = [_own(selector, matchers) for selector in read.selectors]
    nodes = (node for node in walk(original) if isinstance(node, pp.VectorSelector))
    if not confined or own != [_own(selector_of(node), matchers) for node in nodes]:
        raise QueryError(
            "isolation", "the query cannot be shown to keep to its tenant", "simplify it"
        )


def _is_confined(selector: Selector, matchers: Mapping[str, str]) -> bool:
    """Whether a selector has each of the tenant's matchers once."""
    return all(
        [(m.op, m.value) for m in selector.matchers if m.name == label] == [("=", value)]
        for label, value in matchers.items()
    )


def _own(selector: Selector, matchers: Mapping[str, str]) -> tuple[str, list[tuple[str, str, str]]]:
    """Give what a selector selects apart from the tenant: its name, and its other matchers."""
    own = [(m.name, m.op, m.value) for m in selector.matchers if m.name not in matchers]
    return selector.metric, sorted(own)
