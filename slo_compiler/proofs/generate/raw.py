"""Raw series behind an SLO's queries: which counters to feed so that errors and events follow.

A query whose selectors can be read off its syntax tree (a counter's rate, summed or not) is solved:
for each selector a label set that it selects, regular expressions included, and for each matcher a
decoy that only this matcher keeps out. Everything that is derived is checked by the same selectors;
what cannot be derived is told as None, and its proofs start from the base pair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import promql_parser as pp

from slo_compiler.promql import walk
from slo_compiler.templating import promql_string

Labels = tuple[tuple[str, str], ...]
PLACEHOLDERS = ("200", "ok", "proof", "")


class Carries(Enum):
    """What a series counts, of each second's events."""

    ALL = "all events"
    ERRORS = "errors"
    GOOD = "good events"
    NOISE = "somebody else's errors"


@dataclass(frozen=True, slots=True)
class Series:
    """A counter to feed: its name, labels, and what it counts."""

    metric: str
    labels: Labels
    carries: Carries

    def __str__(self) -> str:
        inner = ",".join(f"{k}={promql_string(v)}" for k, v in self.labels)
        return f"{self.metric}{{{inner}}}"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label matcher, with Prometheus' meaning: no label is an empty one, regexes are anchored."""

    name: str
    op: str
    value: str

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether a label set passes."""
        value = labels.get(self.name, "")
        found = (
            re.fullmatch(self.value, value, re.DOTALL) is not None
            if self.op in ("=~", "!~")
            else value == self.value
        )
        return found == (self.op in ("=", "=~"))


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric and its matchers."""

    metric: str
    matchers: tuple[Matcher, ...]

    def selects(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Whether it selects a series."""
        return metric == self.metric and all(m.accepts(labels) for m in self.matchers)


@dataclass(frozen=True, slots=True)
class RawSLI:
    """The counters of one SLO, and the selectors that read them."""

    series: tuple[Series, ...]
    selectors: tuple[Selector, ...]  # of all events, and of errors or good events
    counts_errors: bool
    fills_in: bool  # whether a missing series of the second selector counts as zero

    def is_part(self, series: Series) -> bool:
        """Whether a series is counted by the second query: errors, or good events."""
        return self.selectors[1].selects(series.metric, dict(series.labels))


def derive(
    events: str, other: str, *, counts_errors: bool, fills_in: bool, by: Sequence[str]
) -> RawSLI | None:
    """Derive the counters of an SLO from its isolated rates.

    Args:
        events: the rate of all events.
        other: the rate of errors, or of good events.
        counts_errors: which of the two `other` is.
        fills_in: whether the errors rule takes a missing `other` for zero.
        by: labels that the series must have; both sides get the same values.

    Returns:
        The counters, or None where a query is more than a summed rate of one selector.
    """
    total, part = _selector(events, by), _selector(other, by)
    if total is None or part is None:
        return None
    try:
        series = _series(total, part, counts_errors=counts_errors, by=by)
    except re.error:
        return None
    if series is None:
        return None
    selectors = (total, part)
    decoys = _decoys(series, selectors)
    return RawSLI((*series, *decoys), selectors, counts_errors, fills_in)


def selectors_of(expression: str) -> Iterator[Selector]:
    """Give all selectors of an expression, without the matchers that cannot be decided here."""
    for node in walk(pp.parse(expression)):
        if isinstance(node, pp.VectorSelector) and node.name:
            matchers = (Matcher(m.name, _OPS[str(m.op)], m.value) for m in node.matchers.matchers)
            yield Selector(node.name, tuple(filter(_decidable, matchers)))


def _decidable(matcher: Matcher) -> bool:
    try:
        matcher.accepts({})
    except re.error:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Gauge:
    """A series that one selector reads, and others that one matcher each keeps out."""

    metric: str
    labels: Labels
    decoys: tuple[Labels, ...]

    def __iter__(self) -> Iterator[str]:
        """Give the series as selectors, the one that is read first."""
        for labels in (self.labels, *self.decoys):
            yield str(Series(self.metric, labels, Carries.ALL))


def derive_gauge(expression: str, by: Sequence[str]) -> Gauge | None:
    """Derive the series behind a plain selector; None if the expression is more than that."""
    node = pp.parse(expression)
    if not isinstance(node, pp.VectorSelector):
        return None
    selector = _selector(expression, ())
    try:
        labels = _solve(selector.matchers, by) if selector else None
    except re.error:
        return None
    if selector is None or labels is None:
        return None
    series = Series(selector.metric, labels, Carries.ALL)
    decoys = tuple(decoy.labels for decoy in _decoys([series], [selector]))
    return Gauge(selector.metric, labels, decoys)


def _series(
    total: Selector, part: Selector, *, counts_errors: bool, by: Sequence[str]
) -> tuple[Series, ...] | None:
    counted = Carries.ERRORS if counts_errors else Carries.GOOD
    rest = Carries.GOOD if counts_errors else Carries.ERRORS
    if total.metric != part.metric:
        everything, some = _solve(total.matchers, by), _solve(part.matchers, by)
        if everything is None or some is None or _values(everything, by) != _values(some, by):
            return None
        return (
            Series(total.metric, everything, Carries.ALL),
            Series(part.metric, some, counted),
        )
    some = _solve((*total.matchers, *part.matchers), by)
    if some is None:
        return None
    for matcher in part.matchers:
        kept_out = (matcher.value, *examples(matcher.value)) if "~" in matcher.op else ()
        for value in (*PLACEHOLDERS, *kept_out):
            labels = {**dict(some), matcher.name: value}
            good = total.selects(total.metric, labels) and not part.selects(part.metric, labels)
            if good and _values(_frozen(labels), by) == _values(some, by):
                others = Series(total.metric, _frozen(labels), rest)
                return (Series(part.metric, some, counted), others)
    return None


def _decoys(series: Sequence[Series], selectors: Sequence[Selector]) -> Iterator[Series]:
    """For each series and each matcher, one that only this matcher keeps out of the SLO."""
    seen: set[tuple[str, Labels]] = {(s.metric, s.labels) for s in series}
    for one in series:
        for matcher in {m: None for s in selectors if s.metric == one.metric for m in s.matchers}:
            for value in ("decoy", ""):
                labels = {**dict(one.labels), matcher.name: value}
                key = (one.metric, _frozen(labels))
                if key in seen or any(s.selects(one.metric, labels) for s in selectors):
                    continue
                seen.add(key)
                yield Series(*key, Carries.NOISE)
                break


def _selector(expression: str, by: Sequence[str]) -> Selector | None:
    node = pp.parse(expression)
    while True:
        match node:
            case pp.ParenExpr():
                node = node.expr
            case pp.AggregateExpr() if str(node.op) == "sum" and _keeps(node.modifier, by):
                node = node.expr
            case pp.Call() if node.func.name == "rate":
                node = node.args[0]
            case pp.MatrixSelector():
                node = node.vector_selector
            case pp.VectorSelector() if not node.offset and not node.at and node.name:
                matchers = (
                    Matcher(m.name, _OPS[str(m.op)], m.value) for m in node.matchers.matchers
                )
                return Selector(node.name, tuple(matchers))
            case _:
                return None


_OPS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


def _keeps(modifier: pp.AggModifier | None, by: Sequence[str]) -> bool:
    if modifier is None:
        return not by
    return modifier.type == pp.AggModifierType.By and {*by} <= {*modifier.labels}


def _solve(matchers: Sequence[Matcher], by: Sequence[str]) -> Labels | None:
    """Find labels that pass all matchers, or None."""
    labels: dict[str, str] = {}
    for name in sorted({m.name for m in matchers} | {*by}):
        own = [m for m in matchers if m.name == name]
        wanted = [m.value for m in own if m.op == "="]
        wanted += [e for m in own if m.op == "=~" for e in examples(m.value)]
        free = ("proof", *PLACEHOLDERS) if name in by else PLACEHOLDERS
        for value in [*wanted, *free]:
            if all(m.accepts({name: value}) for m in own) and (value or name not in by):
                labels[name] = value
                break
        else:
            return None
    return _frozen(labels)


def examples(pattern: str) -> Iterator[str]:
    """Give a text for each branch of a regular expression, as far as it is simple; unchecked."""
    tree = re._parser.parse(pattern)  # type: ignore[attr-defined]  # noqa: SLF001
    branches = [tree]
    if len(tree) == 1 and str(tree[0][0]) == "BRANCH":
        branches = tree[0][1][1]
    for branch in branches:
        text = _example(branch)
        if text is not None:
            yield text


def _example(tree: Any) -> str | None:  # noqa: ANN401  (the parser's own, untyped)
    out = ""
    for op, argument in tree:
        text = _example_of(str(op), argument)
        if text is None:
            return None
        out += text
    return out


def _example_of(op: str, argument: object) -> str | None:  # noqa: PLR0911  (a table)
    match op, argument:
        case "LITERAL", int(code):
            return chr(code)
        case "NOT_LITERAL", int(code):
            return "x" if chr(code) != "x" else "y"
        case "ANY", _:
            return "0"
        case "AT", _:
            return ""
        case "IN", [(kind, first), *_]:
            return _example_of_class(str(kind), first)
        case (("MAX_REPEAT" | "MIN_REPEAT"), (int(least), _, inner)):
            text = _example(inner)
            return None if text is None else text * least
        case "SUBPATTERN", (_, _, _, inner):
            return _example(inner)
        case "BRANCH", (_, [first, *_]):
            return _example(first)
    return None


def _example_of_class(kind: str, first: object) -> str | None:
    match kind, first:
        case "LITERAL", int(code):
            return chr(code)
        case "RANGE", (int(code), _):
            return chr(code)
        case "CATEGORY", _:
            digit = str(first).rsplit("_", 1)[-1] in ("DIGIT", "WORD") and "NOT" not in str(first)
            return "0" if digit else None
    return None


def _frozen(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted((k, v) for k, v in labels.items() if v))


def _values(labels: Labels, names: Sequence[str]) -> list[str]:
    found = dict(labels)
    return [found.get(name, "") for name in names]
