"""Matchers and selectors of series, as Prometheus applies them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import promql_parser as pp

from slo_compiler.regex import RegexError, matches_whole
from slo_compiler.templating import promql_string

OPERATORS = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
REGEX_OPERATORS = ("=~", "!~")
METRIC_LABEL = "__name__"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label; a series that lacks the label has it empty."""

    name: str
    op: str
    value: str

    @property
    def is_regex(self) -> bool:
        """Whether its value is a regular expression."""
        return self.op in REGEX_OPERATORS

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether a label set meets the condition.

        Raises:
            RegexError: the value is no regular expression.
        """
        value = labels.get(self.name, "")
        found = matches_whole(self.value, value) if self.is_regex else value == self.value
        return found == (self.op in ("=", "=~"))

    @property
    def decidable(self) -> bool:
        """Whether its value can be compared: it is no expression that RE2 refuses."""
        try:
            self.accepts({})
        except RegexError:
            return False
        return True

    def __str__(self) -> str:
        name = self.name if _LABEL.fullmatch(self.name) else promql_string(self.name)
        return f"{name}{self.op}{promql_string(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric and its matchers, without range, offset and @."""

    metric: str
    matchers: tuple[Matcher, ...]
    _cheapest_first: tuple[Matcher, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.matchers, key=lambda m: m.is_regex))
        object.__setattr__(self, "_cheapest_first", ordered)

    def selects(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Whether it selects a series."""
        if metric != self.metric:
            return False
        for matcher in self._cheapest_first:  # noqa: SIM110  (a generator takes twice as long)
            if not matcher.accepts(labels):
                return False
        return True

    def __str__(self) -> str:
        return series_text(self.metric, ",".join(map(str, self.matchers)))

    def only(self, *labels: str) -> Selector:
        """Keep the matchers of these labels."""
        return replace(self, matchers=tuple(m for m in self.matchers if m.name in labels))

    def without(self, *dropped: Matcher) -> Selector:
        """Drop some matchers."""
        return replace(self, matchers=tuple(m for m in self.matchers if m not in dropped))

    def having(self, *more: Matcher) -> Selector:
        """Add matchers."""
        return replace(self, matchers=(*self.matchers, *more))


@lru_cache(maxsize=4_096)  # trees are shared, and a node is a key by its identity
def selector_of(node: pp.VectorSelector) -> Selector:
    """Read a selector of a syntax tree; without a name, its metric is empty."""
    matchers = tuple(Matcher(m.name, OPERATORS[str(m.op)], m.value) for m in node.matchers.matchers)
    named = not node.name and metric_of(node)
    own = (m for m in matchers if not (named and m.name == METRIC_LABEL))
    return Selector(metric_of(node), tuple(own))


def metric_of(node: pp.VectorSelector) -> str:
    """Give the name of the metric, before the braces or in them: `x`, `{"x"}`, `{__name__="x"}`."""
    if node.name:
        return str(node.name)
    named = [m for m in node.matchers.matchers if m.name == METRIC_LABEL]
    return str(named[0].value) if len(named) == 1 and named[0].op == pp.MatchOp.Equal else ""


def is_plain_metric(name: str) -> bool:
    """Whether a name needs no quotes: every version of Prometheus has it."""
    return _METRIC.fullmatch(name) is not None


def is_plain_label(name: str) -> bool:
    """Whether a label's name needs no quotes: every version of Prometheus has it."""
    return _LABEL.fullmatch(name) is not None


def series_text(metric: str, inside: str) -> str:
    """Write a selector, or a series: the name before the braces wherever it can be there."""
    if not metric:
        return f"{{{inside}}}"
    if is_plain_metric(metric):
        return f"{metric}{{{inside}}}" if inside else metric
    return f"{{{','.join(filter(None, (f'{METRIC_LABEL}={promql_string(metric)}', inside)))}}}"
