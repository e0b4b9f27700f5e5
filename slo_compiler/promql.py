"""What a tenant's PromQL may do: parse, inspect, inject matchers, substitute the window.

A query is hostile until shown otherwise. Every vector selector gets the tenant's matchers, by AST,
and the printed result is parsed again and checked: what is emitted is what was checked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import promql_parser as pp

from slo_compiler.duration import Duration
from slo_compiler.naming import IDENTITY
from slo_compiler.templating import promql_string

MAX_LENGTH = 4_096
MAX_DEPTH = 64
# The parser's transform() takes cubic time on a chain of operators: 100 cost 0.1 s, 500 cost 10 s.
MAX_OPERATORS = 100
MAX_SPAN = Duration.of(days=3_650)
MAX_STEPS = 11_000  # of subqueries, one in another multiplied; what Prometheus allows a graph
_DEFAULT_STEP = timedelta(minutes=1)
WINDOW = "$window"

# Two spans that nobody writes by chance: where a range changes with them, `$window` stood there.
_SENTINELS = (Duration.of(seconds=31_337), Duration.of(seconds=31_393))
_STRING = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`'
_IGNORED = re.compile(rf"(?:{_STRING})|#[^\n]*")
_NEWER = re.compile(r"\b(?:anchored|smoothed|fill(?:_left|_right)?)\b|[0-9]_[0-9]")
_TOKEN = re.compile(
    rf"(?P<string>{_STRING})|(?P<comment>#[^\n]*)|(?P<open>[([{{])|(?P<close>[)\]}}])"
    r"|(?P<operator>==|!=|=~|!~|>=|<=|[-+*/%^<>]|\b(?:and|or|unless|atan2)\b)"
)
OPERATORS = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
_WRITES_LABEL = {"label_replace": 1, "label_join": 1}  # argument that names the label they write


@dataclass(eq=False)
class QueryError(Exception):
    """Why a query is refused, and which part of its text to mark: all of it unless said."""

    id: str
    message: str
    help: str = ""
    offset: int = 0
    width: int = MAX_LENGTH


def prepare(
    query: str, matchers: Mapping[str, str], window: Duration, isolating: Collection[str] = ()
) -> str:
    """Turn a tenant's query into the expression that is safe to emit.

    Args:
        query: a counter's selector, or PromQL that holds `$window` as a range.
        matchers: the tenant's isolation, label to value; every selector will carry them.
        window: what `$window` stands for, and the range of `rate` around a plain selector.
        isolating: labels that isolate other tenants, which the query may not write.

    Returns:
        An expression that yields events per second, without an outer aggregation.

    Raises:
        QueryError: the query breaks a rule, or cannot be shown to keep to its tenant.
    """
    tree = _checked(query, matchers, window, isolating)
    if WINDOW in query:
        isolated = _inject(tree, matchers)
    else:
        tree = _unwrapped(tree)
        if not isinstance(tree, pp.VectorSelector) or tree.offset or tree.at:
            span = re.search(r"\[[^\]]*\]", _code(query))
            raise QueryError(
                "window-missing",
                "the query holds no $window",
                "write its range as [$window], or give a plain counter selector",
                *((span.start(), len(span[0])) if span else ()),
            )
        isolated = f"rate({_inject(tree, matchers)}[{window}])"
    _check_isolated(isolated, tree, matchers)
    return isolated


def prepare_value(
    query: str, matchers: Mapping[str, str], window: Duration, isolating: Collection[str] = ()
) -> str:
    """Turn a tenant's query of values into the expression that is safe to emit.

    Args:
        query: PromQL that yields an instant vector; it may hold `$window` as a range.
        matchers: the tenant's isolation, label to value; every selector will carry them.
        window: what `$window` stands for.
        isolating: labels that isolate other tenants, which the query may not write.

    Raises:
        QueryError: the query breaks a rule, or cannot be shown to keep to its tenant.
    """
    tree = _checked(query, matchers, window, isolating)
    if isinstance(tree, pp.Call) and tree.func.name == "scalar":
        raise QueryError(
            "scalar-result",
            "the query yields a scalar, which has no labels",
            "leave scalar() out",
            *_find_code(query, r"\b(scalar)\s*\("),
        )
    isolated = _inject(tree, matchers)
    _check_isolated(isolated, tree, matchers)
    return isolated


def _checked(
    query: str, matchers: Mapping[str, str], window: Duration, isolating: Collection[str]
) -> pp.Expr:
    """Parse a query that yields a vector, and check it."""
    _check_size(query)
    _check_spans(query)
    if WINDOW in query:
        _check_window(query)
    tree = _parse(query.replace(WINDOW, str(window)), query)
    _check_labels(tree, query, {*IDENTITY, *matchers, *isolating})
    _check_selectors(tree, query, matchers)
    _check_steps(tree, query)
    if isinstance(_unwrapped(tree), pp.MatrixSelector | pp.SubqueryExpr):
        raise QueryError(
            "range-result",
            "the query yields a range of samples, not one value",
            "put it into a function such as rate(http_requests_total[$window])",
        )
    return tree


def samples(query: str, matchers: Mapping[str, str]) -> str:
    """Isolate the plain selector of a gauge.

    Raises:
        QueryError: the query is no plain selector, or breaks a rule.
    """
    tree = _plain(query, matchers, "a gauge", 'probe_success{job="checkout"}')
    isolated = _inject(tree, matchers)
    _check_isolated(isolated, tree, matchers)
    return isolated


def _plain(query: str, matchers: Mapping[str, str], what: str, example: str) -> pp.VectorSelector:
    """Parse and check a plain selector."""
    _check_size(query)
    _check_spans(query)
    tree = _unwrapped(_parse(query, query))
    if not isinstance(tree, pp.VectorSelector) or tree.offset or tree.at:
        raise QueryError(
            "selector-expected", f"{what} is given by a plain selector", f"such as {example}"
        )
    _check_selectors(tree, query, matchers)
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
                *_find_matcher(query, "le"),
            )
    if str(tree.name).endswith("_bucket"):
        raise QueryError(
            "histogram-bucket",
            "the selector names the buckets, not the histogram",
            f"write {str(tree.name).removesuffix('_bucket')}: the compiler adds what it needs",
            *_find_code(query, rf"(?<![\w:])({re.escape(str(tree.name))})(?![\w:])"),
        )
    isolated = _inject(tree, matchers)
    _check_isolated(isolated, tree, matchers)
    inside = isolated.removeprefix(str(tree.name)).removeprefix("{").removesuffix("}")
    result = f"{tree.name}{suffix}{{{','.join(filter(None, (inside, extra)))}}}"
    renamed = pp.parse(result)
    if not isinstance(renamed, pp.VectorSelector) or renamed.name != f"{tree.name}{suffix}":
        raise QueryError("isolation", "the query cannot be shown to keep to its tenant")
    _check_isolated(result, renamed, matchers)
    return result


def read(query: str, window: Duration) -> tuple[pp.Expr, str] | None:
    """Parse a query only to look at it; None where it is refused.

    Returns:
        The tree, and the text with blanks for what strings and comments hold: each token that is
        found in it stands at its own place.
    """
    try:
        _check_size(query)
        _check_spans(query)
        if len(re.findall(r"\[\s*\$window\s*[\]:]", _code(query))) != query.count(WINDOW):
            return None
        return _parse(query.replace(WINDOW, str(window)), query), _code(query)
    except QueryError:
        return None


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


def _unwrapped(tree: pp.Expr) -> pp.Expr:
    while isinstance(tree, pp.ParenExpr):
        tree = tree.expr
    return tree


def _check_size(query: str) -> None:
    """Refuse what would crash the parser, before it sees it."""
    if len(query) > MAX_LENGTH:
        raise QueryError(
            "query-too-long",
            f"the query has {len(query):,} characters; at most {MAX_LENGTH:,} are allowed",
            "record parts of it with a rule of your own",
        )
    depth = operators = 0
    for token in _TOKEN.finditer(query):
        depth += {"open": 1, "close": -1}.get(token.lastgroup or "", 0)
        operators += token.lastgroup == "operator"
        if depth > MAX_DEPTH or operators > MAX_OPERATORS:
            what = f"nested deeper than {MAX_DEPTH} levels"
            if operators > MAX_OPERATORS:
                what = f"built of more than {MAX_OPERATORS} operators"
            raise QueryError("query-too-complex", f"the query is {what}", "", token.start(), 1)


def _check_spans(query: str) -> None:
    """Refuse ranges, steps and offsets that are not plain spans: on some the parser panics."""
    code = _code(query)
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


def _check_steps(tree: pp.Expr, query: str) -> None:
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
                    *_find_code(query, r"(\[[^\]]*:[^\]]*\])"),
                )
        stack.extend((child, steps) for child in children(node))


def _parse(text: str, query: str) -> pp.Expr:
    try:
        tree: pp.Expr = pp.parse(text)
    except ValueError as error:
        words = " ".join(str(error).split())
        raise QueryError(
            "promql-syntax",
            f"not PromQL that the static checker can read: {words}",
            *_explain(query, words),
        ) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the parser's own crash, not importable
            raise
        raise QueryError("promql-syntax", "the static checker cannot read this query") from None
    return tree


def _explain(query: str, words: str) -> tuple[str, int, int]:
    """Give the next step and the place for a message of the parser, which carries neither."""
    if newer := _NEWER.search(_code(query)):
        at, width = newer.span()[0], len(newer[0])
        return f"{newer[0]} is too new to be checked: write it without", at, width
    if "unclosed left parenthesis" in words:
        return "close it", _unclosed(query), 1
    if "expected type matrix" in words:
        return "give it a range: http_requests_total[$window]", *_find_quoted(query, words)
    return "", *_find_quoted(query, words)


def _unclosed(query: str) -> int:
    """Find the innermost parenthesis that is never closed."""
    stack = []
    for match in re.finditer(r"[()]", _code(query)):
        if match[0] == "(":
            stack.append(match.start())
        elif stack:
            stack.pop()
    return stack[-1] if stack else 0


def _check_window(query: str) -> None:
    """Check that `$window` stands only as a range: nothing else may change with its value."""
    for string in _TOKEN.finditer(query):
        if string.lastgroup in ("string", "comment") and WINDOW in string[0]:
            at = string.start() + string[0].index(WINDOW)
            raise QueryError(
                "window-misplaced",
                "$window stands inside text",
                "use it only as a range: [$window]",
                at,
                len(WINDOW),
            )
    for place in re.finditer(re.escape(WINDOW), query):
        before, after = query[: place.start()].rstrip(), query[place.end() :].lstrip()
        if not before.endswith("[") or not after.startswith(("]", ":")):
            raise QueryError(
                "window-misplaced",
                "$window may stand only as a range",
                "write [$window], for example rate(http_requests_total[$window])",
                place.start(),
                len(WINDOW),
            )
    first, second = (
        [*_spans(_parse(query.replace(WINDOW, str(sentinel)), query))] for sentinel in _SENTINELS
    )
    changed = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
    expected = tuple(timedelta(milliseconds=s.ms) for s in _SENTINELS)
    if any(pair != expected for pair in changed) or len(changed) != query.count(WINDOW):
        raise QueryError("window-misplaced", "$window may stand only as a range")


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


def _check_selectors(tree: pp.Expr, query: str, matchers: Mapping[str, str]) -> None:
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
    if not node.name:
        raise QueryError(
            "no-metric-name",
            "a selector has no metric name",
            "start it with the metric: http_requests_total{...}",
            *_find_code(query, r"(?:^|[^\w:\s])\s*(\{)"),
        )
    if node.matchers.or_matchers:
        raise QueryError(
            "or-matcher",
            "matchers joined by or are not PromQL",
            'use a regular expression: label=~"a|b"',
            *_find_code(query, rf"(?<![\w:])({re.escape(node.name)})(?![\w:])"),
        )
    names = [matcher.name for matcher in node.matchers.matchers]
    for matcher in node.matchers.matchers:
        if matcher.name == "__name__":
            raise QueryError(
                "name-matcher",
                "__name__ is not allowed beside the name",
                "leave it out",
                *_find_matcher(query, "__name__"),
            )
        expected = matchers.get(matcher.name)
        if expected is None:
            continue
        if matcher.op != pp.MatchOp.Equal or matcher.value != expected:
            raise QueryError(
                "other-tenant",
                f"the query matches {matcher.name}{OPERATORS[str(matcher.op)]}"
                f"{promql_string(matcher.value)}, but may only read "
                f"{matcher.name}={promql_string(expected)}",
                "leave this matcher out: it is added to every selector",
                *_find_matcher(query, matcher.name, matcher.value),
            )
        if names.count(matcher.name) > 1:
            raise QueryError(
                "duplicate-matcher",
                f"a selector matches {matcher.name} twice",
                "leave it out: it is added to every selector",
                *_find_matcher(query, matcher.name),
            )


def _check_labels(tree: pp.Expr, query: str, reserved: Collection[str]) -> None:
    """Refuse what writes a label that tells tenants or SLOs apart, or joins it from elsewhere."""
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
                *_find_code(query, r"\b(info)\s*\("),
            )
        if name in _WRITES_LABEL and len(node.args) > _WRITES_LABEL[name]:
            _check_written(node.args[_WRITES_LABEL[name]], query, reserved)


def _check_written(argument: pp.Expr, query: str, reserved: Collection[str]) -> None:
    """Refuse a literal that names such a label; Prometheus looks into parentheses, too."""
    literal = _unwrapped(argument)
    if isinstance(literal, pp.StringLiteral) and literal.val in reserved:
        label = literal.val
        quoted = re.search(rf"[\"'`]({re.escape(label)})[\"'`]", query)
        raise QueryError(
            "identity-label",
            f'the query writes the label "{label}", which tells tenants or SLOs apart',
            "write another label",
            *((quoted.start(1), len(label)) if quoted else ()),
        )


def _inject(tree: pp.Expr, matchers: Mapping[str, str]) -> str:
    """Print the tree with the matchers in every selector."""

    def isolate(node: pp.Expr) -> pp.Expr | None:
        if not isinstance(node, pp.VectorSelector):
            return None
        present = {matcher.name for matcher in node.matchers.matchers}
        added = [f"{k}={promql_string(v)}" for k, v in matchers.items() if k not in present]
        if not added:
            return None
        # prettify() escapes label values; str() does not, and lets a value close its string.
        text, name = node.prettify(), node.name or ""
        rest = text.removeprefix(name).removeprefix("{").lstrip()
        if text.removeprefix(name).startswith("{"):
            glue = "" if rest.startswith("}") else ","
            return pp.parse(f"{name}{{{','.join(added)}{glue}{rest}")
        return pp.parse(f"{name}{{{','.join(added)}}}{text.removeprefix(name)}")

    try:
        return str(pp.transform(tree, post_visit=isolate).prettify())
    except ValueError:  # what the parser printed, it cannot read
        raise QueryError(
            "isolation", "the query cannot be shown to keep to its tenant", "simplify it"
        ) from None


def _check_isolated(text: str, original: pp.Expr, matchers: Mapping[str, str]) -> None:
    """Parse what will be emitted, and check that every selector of it is the tenant's.

    Raises:
        QueryError: the printed expression is not the one that was checked.
    """
    selectors = [n for n in walk(pp.parse(text)) if isinstance(n, pp.VectorSelector)]
    originals = [n for n in walk(original) if isinstance(n, pp.VectorSelector)]
    held = all(
        [m.value for m in node.matchers.matchers if m.name == label and m.op == pp.MatchOp.Equal]
        == [value]
        and sum(m.name == label for m in node.matchers.matchers) == 1
        and not node.matchers.or_matchers
        for node in selectors
        for label, value in matchers.items()
    )
    same = [_own(n, matchers) for n in selectors] == [_own(n, matchers) for n in originals]
    if not held or not same:
        raise QueryError(
            "isolation", "the query cannot be shown to keep to its tenant", "simplify it"
        )


def _own(node: pp.VectorSelector, matchers: Mapping[str, str]) -> tuple[str | None, list[str]]:
    """Give what a selector selects beside the tenant: its name, and its other matchers."""
    own = (m for m in node.matchers.matchers if m.name not in matchers)
    return node.name, sorted(f"{m.name}\0{m.op}\0{m.value}" for m in own)


def _code(query: str) -> str:
    """Blank out strings and comments, so that what is left stands at its own place."""
    return _IGNORED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), query)


def _find_code(query: str, pattern: str) -> tuple[int, int] | tuple[()]:
    """Find the first group of a pattern outside of strings and comments, for the caret."""
    match = re.search(pattern, _code(query))
    return (match.start(1), len(match[1])) if match else ()


def _find_matcher(query: str, label: str, value: str | None = None) -> tuple[int, int] | tuple[()]:
    """Find a matcher by its label: the text of its value, or the label if no value is given."""
    pattern = rf"(?<!\w)({re.escape(label)})(?!\w)[\"'`]?\s*[=!][=~]?\s*(?P<value>{_STRING})"
    places = [*re.finditer(pattern, query)]
    match = next((m for m in places if value in (None, m["value"][1:-1])), None)
    match = match or next(iter(places), None)
    if match is None:
        return ()
    if value:
        return match.start("value") + 1, len(match["value"]) - 2
    return match.start(1), len(label)


def _find_quoted(query: str, words: str) -> tuple[int, int]:
    """Find what a message of the parser quotes."""
    for token in re.findall(r"'([^']+)'|\"([^\"]+)\"|`([^`]+)`", words):
        at = query.find(wanted := next(filter(None, token)))
        if at >= 0:
            return at, len(wanted)
    return 0, MAX_LENGTH
