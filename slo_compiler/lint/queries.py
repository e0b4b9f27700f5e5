"""The queries of SLOs as lints see them: parsed, and each part with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import promql_parser as pp

from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.lint.dimension import Dimension, dimensions
from slo_compiler.promql import (
    WINDOW,
    Matcher,
    children,
    metric_of,
    read,
    selector_of,
)
from slo_compiler.promql.places import Place, names_of, words, written_matchers
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema.sli import SLI_TYPES
from slo_compiler.schema.sli.base import Reading
from slo_compiler.schema.sli.ratio import Ratio
from slo_compiler.source import Loc

# What is a query, in any SLI type; other texts of an SLI are none, though some would parse.
_FIELDS_OF = {type_: type_.query_fields() for type_ in SLI_TYPES}
FIELDS = tuple(dict.fromkeys(name for names in _FIELDS_OF.values() for name in names))
SENTINEL = Duration.of(seconds=31_337)  # in place of $window: no one writes it by chance

_RANGE = re.compile(r"\[\s*([^\]:]*)")


@dataclass(frozen=True, slots=True)
class PlacedMatcher(Matcher):
    """A label matcher, and where its value is in the text, or its operator if that is ""."""

    place: Place


@dataclass(frozen=True, slots=True)
class Part:
    """A node of the tree, what it is part of, and the place of its first word."""

    node: pp.Expr
    parents: tuple[pp.Expr, ...]  # the innermost last
    place: Place = (0, 0)
    matchers: tuple[PlacedMatcher, ...] = ()
    dimension: Dimension = Dimension.UNKNOWN

    @property
    def call(self) -> str:
        """Name of the function or aggregation, if it is one."""
        return name_of(self.node)

    @property
    def metric(self) -> str:
        """Name of the series, if it is a selector."""
        return metric_of(self.node) if isinstance(self.node, pp.VectorSelector) else ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The text of a query, its tree, and the tree's parts in the order of the text."""

    text: str
    tree: pp.Expr
    code: str  # the text, with blanks for strings, comments, matchers and lists of labels
    parts: Sequence[Part]
    ranges: Sequence[Part]  # what has a range, with the place of the range


@dataclass(frozen=True, slots=True)
class Query:
    """One query of an SLO."""

    slo: ResolvedSLO
    key: str
    parsed: Parsed
    index: int | None = None  # in a list of queries
    # Whether a plain selector here is that of a counter or a histogram.
    counted: bool = False

    @property
    def text(self) -> str:
        """The query as it is in the manifest."""
        return self.parsed.text

    @property
    def parts(self) -> Sequence[Part]:
        """All nodes of the tree, in the order of the text."""
        return self.parsed.parts

    @property
    def dimension(self) -> Dimension:
        """Which kind of number the query gives, where that can be inferred."""
        return self.parts[0].dimension

    @property
    def origin(self) -> Part:
        """The innermost part that gives a number of the query's dimension."""
        found, *rest = self.parts
        for part in rest:
            if len(part.parents) <= len(found.parents):
                break  # no longer inside of it
            if len(part.parents) == len(found.parents) + 1 and part.dimension is self.dimension:
                found = part
        return found

    @property
    def plain(self) -> bool:
        """Whether it is a counter's selector, around which the compiler writes the rate."""
        return self.counted and WINDOW not in self.text

    def at(self, place: Place) -> Position:
        """Return the place of a part of the text in the manifest."""
        loc: Loc = (*self.slo.loc, "sli", self.slo.spec.sli.body.KIND, self.key)
        loc = loc if self.index is None else (*loc, self.index)
        return self.slo.document.within(loc, *place)


def queries(tenant: ResolvedTenant) -> Iterator[Query]:
    """Give each query of each SLO; those that are refused have an error of their own."""
    return iter(_queries(tenant))


@lru_cache(maxsize=1)  # lints look at one tenant, each after the other
def _queries(tenant: ResolvedTenant) -> tuple[Query, ...]:
    return tuple(
        Query(slo, key, parsed, index, key in counted)
        for slo in tenant.slos
        for counted in (_counted(slo),)
        for key, index, text in _texts(slo)
        if (parsed := _parsed(text)) is not None
    )


def _counted(slo: ResolvedSLO) -> set[str]:
    """Give the keys of an SLI in which a plain selector is that of a counter or a histogram."""
    pair = slo.spec.sli.body.base_pair()
    terms = (pair.events, pair.second) if pair else ()
    readings = (Reading.RATE, Reading.FAMILY)
    return {key for term in terms if term.reading in readings for key in (term.field, term.minus)}


def sides(tenant: ResolvedTenant) -> Iterator[tuple[Query, Part, Query, Part]]:
    """Give the errors or good events of a ratio and its total, each with its selector.

    Only where each side is one selector, of the same metric: then they can be compared.
    """
    found: dict[tuple[int, str], tuple[Query, Part]] = {}
    for query in queries(tenant):
        selectors = [part for part in query.parts if part.metric]
        if (
            query.slo.spec.sli.body.KIND == Ratio.KIND
            and query.index is None
            and len(selectors) == 1
        ):
            found[id(query.slo), query.key] = (query, selectors[0])
    for (slo, key), (query, part) in found.items():
        total = found.get((slo, "total"))
        if key in ("errors", "good") and total is not None and total[1].metric == part.metric:
            yield query, part, *total


def refuses(tenants: Iterable[ResolvedTenant]) -> bool:
    """Whether any query cannot be parsed, so that lints did not see it."""
    return any(
        _parsed(text) is None
        for tenant in tenants
        for slo in tenant.slos
        for _, _, text in _texts(slo)
    )


@lru_cache(maxsize=10_000)
def _parsed(text: str) -> Parsed | None:
    """Parse a query once for all lints."""
    if (found := read(text, SENTINEL)) is None:
        return None
    tree, _ = found
    code = names_of(text)
    return Parsed(text, tree, code, [*_placed(tree, text)], [*_ranges(tree, code)])


def name_of(node: pp.Expr) -> str:
    """Name of a function or aggregation; nothing for other parts."""
    if isinstance(node, pp.Call):
        return str(node.func.name)
    return str(node.op) if isinstance(node, pp.AggregateExpr) else ""


def keeps(node: pp.AggregateExpr, label: str) -> bool:
    """Whether an aggregation leaves a label on its series."""
    if str(node.op) in ("topk", "bottomk", "limitk", "limit_ratio"):
        return True
    if node.modifier is None:
        return False
    by = bool(node.modifier.type == pp.AggModifierType.By)
    return by == (label in node.modifier.labels)


def labels_by(node: pp.AggregateExpr) -> list[str]:
    """Give the labels of by (...); what without (...) keeps cannot be listed."""
    by = node.modifier is not None and node.modifier.type == pp.AggModifierType.By
    return list(node.modifier.labels) if by and node.modifier else []


def written(node: pp.Expr) -> str:
    """Write a part of a query as the manifest would, on one line."""
    lines = node.prettify().splitlines()
    return " ".join(line.strip() for line in lines).replace(str(SENTINEL), WINDOW)


def is_window(node: pp.Expr) -> bool:
    """Whether a part's range is $window."""
    if not isinstance(node, pp.MatrixSelector | pp.SubqueryExpr):
        return False
    return bool(node.range == timedelta(milliseconds=SENTINEL.ms))


def _texts(slo: ResolvedSLO) -> Iterator[tuple[str, int | None, str]]:
    body = slo.spec.sli.body
    for key in _FIELDS_OF[type(body)]:
        given = getattr(body, key)
        if isinstance(given, str):
            yield key, None, given
        elif isinstance(given, list):
            yield from ((key, index, text) for index, text in enumerate(given))


def _parts(node: pp.Expr, parents: tuple[pp.Expr, ...] = ()) -> Iterator[Part]:
    yield Part(node, parents)
    for child in children(node):
        yield from _parts(child, (*parents, node))


def _ranges(tree: pp.Expr, code: str) -> Iterator[Part]:
    """Find the ranges: each is behind what it is of."""
    places = [(m.start(1), len(m[1].rstrip())) for m in _RANGE.finditer(code)]
    ranged = [*_inside_out(tree)]
    if len(places) == len(ranged):
        for part, place in zip(ranged, places, strict=True):
            yield Part(part.node, part.parents, place)


def _inside_out(node: pp.Expr, parents: tuple[pp.Expr, ...] = ()) -> Iterator[Part]:
    for child in children(node):
        yield from _inside_out(child, (*parents, node))
    if isinstance(node, pp.MatrixSelector | pp.SubqueryExpr):
        yield Part(node, parents)


def _placed(tree: pp.Expr, text: str) -> Iterator[Part]:
    """Find the first word of each part: they are in the text in the order of the tree."""
    cursor = 0
    for part, dimension in zip(_parts(tree), dimensions(tree), strict=True):
        place, matchers = part.place, part.matchers
        if word := part.call or part.metric:
            if found := next(words(text, word, cursor), None):
                place, cursor = found, found[0] + found[1]
            if isinstance(part.node, pp.VectorSelector):
                matchers = _matchers(part.node, text, place, cursor)
        yield Part(part.node, part.parents, place, matchers, dimension)


def _matchers(
    node: pp.VectorSelector, text: str, place: Place, after: int
) -> tuple[PlacedMatcher, ...]:
    """Pair a selector's matchers with their text: in the braces after or around its name."""
    inside = not node.name
    start = text.rfind("{", 0, place[0]) if inside else after
    written = [m for m in written_matchers(text, max(start, 0), one=True) if m.label != "__name__"]
    matchers = selector_of(node).matchers
    places = [m.place for m in written]
    if len(places) != len(matchers):
        places = [place] * len(matchers)
    return tuple(
        PlacedMatcher(m.name, m.op, m.value, at) for m, at in zip(matchers, places, strict=True)
    )
