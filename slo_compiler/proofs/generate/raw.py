"""Raw series behind an SLO's queries: which counters to feed so that errors and events follow.

A query whose selectors can be read off its syntax tree (a counter's rate, summed or not) is solved:
for each selector a label set that it selects, regular expressions included, and for each matcher a
decoy that only this matcher keeps out. Everything that is derived is checked by the same selectors;
what cannot be derived is None, and its proofs start from the base pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain

import promql_parser as pp

from slo_compiler.promql import Matcher, Selector, series_text
from slo_compiler.promql.examples import examples
from slo_compiler.promql.tree import tree_of
from slo_compiler.templating import promql_string

Labels = tuple[tuple[str, str], ...]
PLACEHOLDERS = ("200", "ok", "proof", "")


class SeriesRole(Enum):
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
    role: SeriesRole
    _text: str = field(init=False, repr=False, compare=False)  # each test feeds it again

    def __post_init__(self) -> None:
        inner = ",".join([f"{k}={promql_string(v)}" for k, v in self.labels])
        text = series_text(self.metric, inner) if self.labels else f"{self.metric}{{}}"
        object.__setattr__(self, "_text", text)

    def __str__(self) -> str:
        return self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class RawSLI:
    """The counters of one SLO, and the selectors that read them."""

    counters: tuple[Series, ...]  # that it counts
    decoys: tuple[Series, ...]  # that one of its matchers each keeps out
    selectors: tuple[Selector, ...]  # of all events, and of errors or good events
    counts_errors: bool
    fills_in: bool  # whether a missing series of the second selector counts as zero

    @property
    def series(self) -> tuple[Series, ...]:
        """All of its counters and decoys."""
        return self.counters + self.decoys

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
    series = _series(total, part, counts_errors=counts_errors, by=by)
    if series is None:
        return None
    selectors = (total, part)
    decoys = tuple(_decoys(series, selectors))
    return RawSLI(series, decoys, selectors, counts_errors, fills_in)


def counter_of(expression: str, by: Sequence[str]) -> tuple[Selector, Series] | None:
    """Derive one counter that a summed rate reads; None where the expression is more than that."""
    selector = _selector(expression, by)
    labels = _solve(selector.matchers, by) if selector else None
    if selector is None or labels is None:
        return None
    return selector, Series(selector.metric, labels, SeriesRole.ALL)


def selectors_of(expression: str) -> Iterator[Selector]:
    """Give all selectors of an expression, without the matchers that cannot be decided here."""
    for selector in tree_of(expression).selectors:
        if not selector.metric:
            continue
        undecidable = [m for m in selector.matchers if not m.decidable]
        yield selector.without(*undecidable) if undecidable else selector


@dataclass(frozen=True, slots=True)
class Gauge:
    """A series that one selector reads, and others that one matcher each keeps out."""

    metric: str
    labels: Labels
    decoys: tuple[Labels, ...]

    def __iter__(self) -> Iterator[str]:
        """Give the series as selectors, the one that is read first."""
        for labels in (self.labels, *self.decoys):
            yield str(Series(self.metric, labels, SeriesRole.ALL))


def derive_gauge(expression: str, by: Sequence[str]) -> Gauge | None:
    """Derive the series behind a plain selector; None if the expression is more than that."""
    if not isinstance(tree_of(expression).root, pp.VectorSelector):
        return None
    selector = _selector(expression, ())
    labels = _solve(selector.matchers, by) if selector else None
    if selector is None or labels is None:
        return None
    series = Series(selector.metric, labels, SeriesRole.ALL)
    decoys = tuple(decoy.labels for decoy in _decoys([series], [selector]))
    return Gauge(selector.metric, labels, decoys)


def _series(
    total: Selector, part: Selector, *, counts_errors: bool, by: Sequence[str]
) -> tuple[Series, ...] | None:
    counted = SeriesRole.ERRORS if counts_errors else SeriesRole.GOOD
    rest = SeriesRole.GOOD if counts_errors else SeriesRole.ERRORS
    if total.metric != part.metric:
        everything, some = _solve(total.matchers, by), _solve(part.matchers, by)
        if everything is None or some is None or _values(everything, by) != _values(some, by):
            return None
        return (
            Series(total.metric, everything, SeriesRole.ALL),
            Series(part.metric, some, counted),
        )
    some = _solve((*total.matchers, *part.matchers), by)
    if some is None:
        return None
    for matcher in part.matchers:
        kept_out = chain((matcher.value,), examples(matcher.value)) if matcher.is_regex else ()
        for value in chain(PLACEHOLDERS, kept_out):
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
        own = dict(one.labels)
        for matcher in {m: None for s in selectors if s.metric == one.metric for m in s.matchers}:
            for value in ("decoy", ""):
                labels = {**own, matcher.name: value}
                key = (one.metric, _frozen(labels))
                if key in seen or any(s.selects(one.metric, labels) for s in selectors):
                    continue
                seen.add(key)
                yield Series(*key, SeriesRole.NOISE)
                break


def _selector(expression: str, by: Sequence[str]) -> Selector | None:
    tree = tree_of(expression)
    node = tree.root
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
            case pp.VectorSelector() if not node.offset and not node.at:
                (selector,) = tree.selectors
                known = selector.metric and all(m.decidable for m in selector.matchers)
                return selector if known else None
            case _:
                return None


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
        matching = (text for m in own if m.op == "=~" for text in examples(m.value))
        free = ("proof", *PLACEHOLDERS) if name in by else PLACEHOLDERS
        for value in chain(wanted, matching, free):
            if all(m.accepts({name: value}) for m in own) and (value or name not in by):
                labels[name] = value
                break
        else:
            return None
    return _frozen(labels)


def _frozen(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted([(k, v) for k, v in labels.items() if v]))


def _values(labels: Labels, names: Sequence[str]) -> list[str]:
    found = dict(labels)
    return [found.get(name, "") for name in names]
