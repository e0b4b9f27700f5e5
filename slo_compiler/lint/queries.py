"""The queries of SLOs as lints see them: parsed, and each part with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import promql_parser as pp

from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.promql import WINDOW, children, read

# What holds a query, in any SLI type; other texts of an SLI are none, though some would parse.
FIELDS = ("errors", "good", "total", "histogram", "gauge", "query", "error_ratio")
COUNTED = ("errors", "good", "total", "histogram")  # a plain selector here is a counter's
SENTINEL = Duration.of(seconds=31_337)  # stands for $window: nobody writes it by chance

_LISTS = re.compile(
    r"\{[^{}]*\}|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)", re.IGNORECASE
)
_MATCHER = re.compile(
    r"(?P<label>[A-Za-z_]\w*|[\"'`][^\"'`]*[\"'`])\s*(?P<op>=~|!~|!=|=)\s*"
    r"(?P<value>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"
)
_OPS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
_COUNTER = re.compile(r".*_(total|count|bucket)")
Place = tuple[int, int]  # offset and width in the query's text


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label matcher: what it says, and where its value stands, or its operator if that is ""."""

    label: str
    op: str
    value: str
    place: Place


@dataclass(slots=True)
class Part:
    """A node of the tree, what it stands in, and the place of its first word."""

    node: pp.Expr
    parents: tuple[pp.Expr, ...]  # the innermost last
    place: Place = (0, 0)
    matchers: tuple[Matcher, ...] = ()

    @property
    def call(self) -> str:
        """Name of the function or aggregation, if it is one."""
        if isinstance(self.node, pp.Call):
            return str(self.node.func.name)
        return str(self.node.op) if isinstance(self.node, pp.AggregateExpr) else ""

    @property
    def metric(self) -> str:
        """Name of the series, if it is a selector."""
        return str(self.node.name or "") if isinstance(self.node, pp.VectorSelector) else ""


@dataclass(slots=True)
class Query:
    """One query of an SLO."""

    slo: ResolvedSLO
    key: str
    text: str
    tree: pp.Expr
    code: str  # the text, with blanks for strings, comments, matchers and lists of labels
    parts: Sequence[Part] = field(default=())

    @property
    def plain(self) -> bool:
        """Whether it is a counter's selector, around which the compiler writes the rate."""
        return self.key in COUNTED and WINDOW not in self.text

    def at(self, place: Place) -> Position:
        """Where a part of the text stands in the manifest."""
        loc = (*self.slo.loc, "sli", self.slo.spec.sli.body.KIND, self.key)
        return self.slo.document.within(loc, *place)


def queries(tenant: ResolvedTenant) -> Iterator[Query]:
    """Give each query of each SLO; those that are refused are told elsewhere."""
    for slo in tenant.slos:
        for name, text in _texts(slo):
            if (found := read(text, SENTINEL)) is None:
                continue
            tree, code = found
            query = Query(slo, name, text, tree, _LISTS.sub(lambda m: " " * len(m[0]), code))
            query.parts = [*_placed(query)]
            yield query


def refuses(tenants: Iterable[ResolvedTenant]) -> bool:
    """Whether any query cannot be parsed, so that lints did not see it."""
    return any(
        read(text, SENTINEL) is None
        for tenant in tenants
        for slo in tenant.slos
        for _, text in _texts(slo)
    )


def is_counter(metric: str) -> bool:
    """Whether a series is a counter, by the name that conventions give to one."""
    return _COUNTER.fullmatch(metric) is not None


def unwrapped(node: pp.Expr) -> pp.Expr:
    """Take parentheses off."""
    while isinstance(node, pp.ParenExpr):
        node = node.expr
    return node


def _texts(slo: ResolvedSLO) -> Iterator[tuple[str, str]]:
    body = slo.spec.sli.body
    for name in FIELDS:
        text = getattr(body, name, None)
        if isinstance(text, str):
            yield name, text


def _parts(node: pp.Expr, parents: tuple[pp.Expr, ...] = ()) -> Iterator[Part]:
    yield Part(node, parents)
    for child in children(node):
        yield from _parts(child, (*parents, node))


def _placed(query: Query) -> Iterator[Part]:
    """Find the first word of each part: they stand in the text in the order of the tree."""
    cursor = 0
    for part in _parts(query.tree):
        word = part.call or part.metric
        if word:
            pattern = re.compile(rf"(?<![\w:.]){re.escape(word)}(?![\w:])", re.IGNORECASE)
            found = pattern.search(query.code, cursor)
            if found:
                part.place, cursor = (found.start(), len(word)), found.end()
            if isinstance(part.node, pp.VectorSelector):
                part.matchers = _matchers(query, part.node, part.place, cursor)
        yield part


def _matchers(
    query: Query, node: pp.VectorSelector, place: Place, after: int
) -> tuple[Matcher, ...]:
    """Pair a selector's matchers with their text, which is in the braces that follow its name."""
    braces = re.compile(r"\s*\{").match(query.text, after)
    places: list[Place] = []
    if braces:
        start = braces.end()
        while found := re.compile(rf"[\s,]*{_MATCHER.pattern}").match(query.text, start):
            start = found.end()
            value = (found.start("value") + 1, len(found["value"]) - 2)
            places.append(value if value[1] else (found.start("op"), len(found["op"])))
    written = node.matchers.matchers
    if len(places) != len(written):
        places = [place] * len(written)
    return tuple(
        Matcher(m.name, _OPS[str(m.op)], m.value, at) for m, at in zip(written, places, strict=True)
    )
