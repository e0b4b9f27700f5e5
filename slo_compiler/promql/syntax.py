"""What the parser may see: limits that keep it from crashing, its tree, and its words explained."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache, partial

import promql_parser as pp

from slo_compiler.duration import Duration
from slo_compiler.promql.advice import missing_comma, nearest_function
from slo_compiler.promql.model import REGEX_OPERATORS
from slo_compiler.promql.places import Place, find_code, find_quoted, written_matchers
from slo_compiler.promql.text import (
    MAX_LENGTH,
    STRING,
    TOKEN,
    WINDOW,
    QueryError,
    code_of,
)
from slo_compiler.regex import RegexError, check_regex

MAX_DEPTH = 64
# The parser's transform() takes cubic time on a chain of operators: 100 cost 0.1 s, 500 cost 10 s.
MAX_OPERATORS = 100
MAX_SPAN = Duration.of(days=3_650)
MAX_STEPS = 11_000  # of subqueries, one in another multiplied; what Prometheus allows a graph
MAX_TIME = 253_402_300_799  # the end of the year 9999; a later one, or one before 1970, panics
PANIC = "the static checker cannot read this query"  # the parser crashed, and printed its trace
_DEFAULT_STEP = timedelta(minutes=1)
_TIME = re.compile(r"@\s*((?:[-+]\s*)?[0-9.][\w.]*(?:(?<=[0-9.][eE])[-+][0-9]+)?)")
_SPANS = re.compile(r"\[|@|offset")  # what is before one
_STRING = re.compile(STRING)
_NEWER = re.compile(r"\b(?:anchored|smoothed|fill(?:_left|_right)?)\b|[0-9]_[0-9]")


def children(node: pp.Expr) -> Iterator[pp.Expr]:
    """Give the direct parts of an expression, in the order of the text."""
    match node:
        case pp.AggregateExpr():
            if isinstance(node.param, pp.Expr):
                yield node.param
            yield node.expr
        case pp.BinaryExpr():
            yield node.lhs
            yield node.rhs
        case pp.Call():
            yield from node.args
        case pp.MatrixSelector():
            yield node.vector_selector
        case pp.ParenExpr() | pp.UnaryExpr() | pp.SubqueryExpr():
            yield node.expr


def walk(node: pp.Expr) -> Iterator[pp.Expr]:
    """Give an expression and all its parts, outermost first."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed([*children(node)]))


def unwrapped(tree: pp.Expr) -> pp.Expr:
    """Take parentheses off."""
    while isinstance(tree, pp.ParenExpr):
        tree = tree.expr
    return tree


def check_size(query: str) -> None:
    """Refuse what would crash the parser, before it sees it."""
    if len(query) > MAX_LENGTH:
        raise QueryError(
            "query-too-long",
            f"the query has {len(query):,} characters; at most {MAX_LENGTH:,} are allowed",
            "record parts of it with a rule of your own",
        )
    depth = operators = 0
    for token in TOKEN.finditer(query):
        depth += {"open": 1, "close": -1}.get(token.lastgroup or "", 0)
        operators += token.lastgroup == "operator"
        if depth > MAX_DEPTH or operators > MAX_OPERATORS:
            what = f"nested deeper than {MAX_DEPTH} levels"
            if operators > MAX_OPERATORS:
                what = f"built of more than {MAX_OPERATORS} operators"
            raise QueryError("query-too-complex", f"the query is {what}", "", token.start(), 1)


def check_spans(query: str) -> None:
    """Refuse ranges, steps, offsets and times that are not plain: on some the parser panics."""
    if not _SPANS.search(query):
        return
    code = code_of(query)
    spans = [
        (found.start(1) + part.start(), part[0])
        for found in re.finditer(r"\[([^\[\]]*)", code)
        for part in re.finditer(r"[^\s:](?:[^:]*[^\s:])?", found[1])
    ]
    offsets = re.finditer(r"\boffset\s*[-+]?\s*((?i:inf|nan)\b|[0-9][\w.]*)", code)
    spans.extend((found.start(1), found[1]) for found in offsets)
    for at, text in spans:
        if text == WINDOW:
            continue
        try:
            known = Duration.parse(text) <= MAX_SPAN
        except ValueError:
            known = False
        if not known:
            raise QueryError(
                "promql-span",
                f'expected a span of time of at most {MAX_SPAN}, such as 5m, found "{text}"',
                "write a range as [$window]: the compiler puts the right span there",
                at,
                len(text),
            )
    _check_times(code)


def _check_times(code: str) -> None:
    """Refuse times after @ that no sample has."""
    for found in _TIME.finditer(code):
        try:
            known = 0 <= float(re.sub(r"\s", "", found[1])) <= MAX_TIME
        except ValueError:
            known = False
        if not known:
            raise QueryError(
                "promql-span",
                f'expected a time in seconds since 1970 after @, found "{found[1]}"',
                "write such as @ 1700000000, @ start() or @ end()",
                found.start(1),
                len(found[1]),
            )


def check_steps(tree: pp.Expr, query: str) -> None:
    """Refuse subqueries that keep a Prometheus busy which other tenants share."""
    stack = [(tree, 1)]
    while stack:
        node, steps = stack.pop()
        if isinstance(node, pp.SubqueryExpr):
            steps *= max(1, (node.range or timedelta()) // (node.step or _DEFAULT_STEP))
            if steps > MAX_STEPS:
                raise QueryError(
                    "subquery-steps",
                    f"a subquery takes {steps:,} steps; at most {MAX_STEPS:,} are allowed",
                    "shorten its range or lengthen its step",
                    *find_code(query, r"(\[[^\]]*:[^\]]*\])"),
                )
        stack.extend((child, steps) for child in children(node))


@lru_cache(maxsize=4_096)
def parsed(text: str) -> pp.Expr:
    """Parse an expression that was checked before; the tree is shared, and is not changed.

    The parser compiles regular expressions, which takes milliseconds for long ones.

    Raises:
        ValueError: the parser cannot read it.
    """
    return pp.parse(text)


def check_grammar(expression: str) -> None:
    """Parse an expression around queries that were parsed before, whatever its strings hold.

    Expressions of one template differ in their strings alone. What these hold was parsed with the
    query, and to compile its regular expressions takes the parser longer than all else.

    Raises:
        ValueError: the parser cannot read it.
    """
    parsed(_STRING.sub('"x"', expression))


def parse(text: str, query: str) -> pp.Expr:
    """Parse a text, which is a query with a span in place of `$window`.

    Raises:
        QueryError: with the parser's words, and their place in the query.
    """
    try:
        tree = parsed(text)
    except ValueError as error:
        for matcher in written_matchers(query):
            if matcher.op in REGEX_OPERATORS:
                refuse_regex(matcher.value, partial(_given, matcher.value_place))
        words = " ".join(str(error).split())
        raise QueryError(
            "promql-syntax",
            f"not PromQL that the static checker can read: {words}",
            *_explain(query, words),
        ) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the parser's own crash, not importable
            raise
        raise QueryError("promql-syntax", PANIC) from None
    return tree


def _given(place: Place) -> Place:
    return place


def refuse_regex(pattern: str, find: Callable[[], Place | tuple[()]]) -> None:
    """Check a regular expression of a query with RE2.

    Args:
        pattern: the expression.
        find: finds it in the query.

    Raises:
        QueryError: RE2 refuses it.
    """
    try:
        check_regex(pattern)
    except RegexError as error:
        at = place = find()
        if place and place[1] == len(pattern):  # written without escapes
            at = (place[0] + error.offset, error.width)
        raise QueryError(
            "promql-regex",
            f"not a regular expression that Prometheus can read: {error.reason}",
            "write it in RE2's syntax, which has no look-around and no backreferences",
            *at,
        ) from None


def _explain(query: str, words: str) -> tuple[str, int, int]:
    """Give the next step and the place for a message of the parser, which carries neither."""
    if newer := _NEWER.search(code_of(query)):
        at, width = newer.span()[0], len(newer[0])
        return f"{newer[0]} is too new to be checked: write it without", at, width
    if "unclosed left parenthesis" in words:
        return "close it", _unclosed(query), 1
    if unknown := re.search(r"unknown function with name '(\w+)'", words):
        return nearest_function(unknown[1]), *find_quoted(query, words)
    if comma := missing_comma(query):
        label = comma[1]
        return (
            f"put a comma before {label}: matchers need one between them",
            comma.start(1),
            len(label),
        )
    if "expected type matrix" in words:
        return "give it a range: http_requests_total[$window]", *find_quoted(query, words)
    return "", *find_quoted(query, words)


def _unclosed(query: str) -> int:
    """Find the innermost parenthesis that is never closed."""
    stack = []
    for match in re.finditer(r"[()]", code_of(query)):
        if match[0] == "(":
            stack.append(match.start())
        elif stack:
            stack.pop()
    return stack[-1] if stack else 0
