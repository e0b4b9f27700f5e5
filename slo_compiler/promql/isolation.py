"""Each selector keeps to its tenant: what is refused, and the matchers that are injected."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import promql_parser as pp

from slo_compiler.promql.syntax import unwrapped, walk
from slo_compiler.promql.text import QueryError, find_code, find_matcher
from slo_compiler.templating import promql_string

OPERATORS = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
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
    if not node.name:
        raise QueryError(
            "no-metric-name",
            "a selector has no metric name",
            "start it with the metric: http_requests_total{...}",
            *find_code(query, r"(?:^|[^\w:\s])\s*(\{)"),
        )
    if node.matchers.or_matchers:
        raise QueryError(
            "or-matcher",
            "matchers joined by or are not PromQL",
            'use a regular expression: label=~"a|b"',
            *find_code(query, rf"(?<![\w:])({re.escape(node.name)})(?![\w:])"),
        )
    names = [matcher.name for matcher in node.matchers.matchers]
    for matcher in node.matchers.matchers:
        if matcher.name == "__name__":
            raise QueryError(
                "name-matcher",
                "__name__ is not allowed beside the name",
                "leave it out",
                *find_matcher(query, "__name__"),
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
                *find_matcher(query, matcher.name, matcher.value),
            )
        if names.count(matcher.name) > 1:
            raise QueryError(
                "duplicate-matcher",
                f"a selector matches {matcher.name} twice",
                "leave it out: it is added to every selector",
                *find_matcher(query, matcher.name),
            )


def check_labels(tree: pp.Expr, query: str, reserved: Collection[str]) -> None:
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
                *find_code(query, r"\b(info)\s*\("),
            )
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


def inject(tree: pp.Expr, matchers: Mapping[str, str]) -> str:
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


def check_isolated(text: str, original: pp.Expr, matchers: Mapping[str, str]) -> None:
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
