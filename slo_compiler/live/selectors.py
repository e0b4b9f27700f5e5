"""Which series an SLO's rules select: each selector, how it is used, and where it was written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import promql_parser as pp

from slo_compiler import naming
from slo_compiler.diagnostics import Position
from slo_compiler.plan.burn import Timing
from slo_compiler.promql import OPERATORS, children
from slo_compiler.render import Rule
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.source import Loc
from slo_compiler.templating import promql_string

COUNTED = frozenset({"rate", "irate", "increase"})
SUFFIXES = ("_bucket", "_count", "_sum")
_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label matcher."""

    label: str
    op: str
    value: str

    def __str__(self) -> str:
        label = self.label if _PLAIN.fullmatch(self.label) else promql_string(self.label)
        return f"{label}{self.op}{promql_string(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric and its matchers, without range, offset and @."""

    metric: str
    matchers: tuple[Matcher, ...]

    def __str__(self) -> str:
        inner = ",".join(map(str, self.matchers))
        return f"{self.metric}{{{inner}}}" if inner else self.metric

    def only(self, *labels: str) -> Selector:
        """Keep the matchers of these labels."""
        return replace(self, matchers=tuple(m for m in self.matchers if m.label in labels))

    def without(self, *dropped: Matcher) -> Selector:
        """Drop some matchers."""
        return replace(self, matchers=tuple(m for m in self.matchers if m not in dropped))

    def having(self, *more: Matcher) -> Selector:
        """Add matchers."""
        return replace(self, matchers=(*self.matchers, *more))


@dataclass(frozen=True, slots=True)
class Asked:
    """A selector of one of an SLO's base rules, and what is expected of it."""

    selector: Selector
    position: Position
    functions: frozenset[str]  # that it is an argument of, at whatever depth
    required: bool  # whether the rule fails without it, or takes it for zero
    errors: bool  # whether it stands in the rule of the errors
    text: str = ""  # the query that it stands in, as it was written
    loc: Loc = ()
    offset: int = -1

    @property
    def counter(self) -> bool:
        """Whether it is read as a counter."""
        return bool(COUNTED & self.functions)

    @property
    def native(self) -> bool:
        """Whether it is read as a native histogram."""
        return any(f.startswith("histogram_") and f != "histogram_quantile" for f in self.functions)


@dataclass(frozen=True, slots=True)
class Subject:
    """An SLO, and the selectors in its base rules."""

    tenant: ResolvedTenant
    slo: ResolvedSLO
    timing: Timing
    asked: tuple[Asked, ...]

    @property
    def name(self) -> str:
        """What the SLO is called."""
        return f"{self.tenant.name}/{self.slo.spec.service}/{self.slo.spec.name}"

    @property
    def sli(self) -> Loc:
        """Where the SLI's fields stand."""
        return (*self.slo.loc, "sli", self.slo.spec.sli.body.KIND)

    def at(self, key: str) -> Position:
        """Place of a field of the SLI."""
        return self.slo.document.locate((*self.sli, key))

    def matcher_at(self, asked: Asked, matcher: Matcher) -> Position:
        """Place of a matcher's value in the query; of the selector where it is not written."""
        start = max(asked.offset, 0)
        label = re.escape(matcher.label)
        pattern = rf"(?<!\w){label}[\"'`]?\s*{re.escape(matcher.op)}\s*[\"'`]([^\"'`]+)"
        found = re.compile(pattern).search(asked.text, start)
        if found is None:
            return asked.position
        return self.slo.document.within(asked.loc, found.start(1), len(found[1]))


def subject(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: Timing, rules: Sequence[Rule]
) -> Subject:
    """Collect the selectors of an SLO's base rules; those that read recorded series are ours."""
    texts = [*_texts(slo)]
    asked: list[Asked] = []
    for rule in rules:
        seen: dict[str, int] = {}
        for one in _visit(pp.parse(rule.expr), rule, frozenset()):
            nth = seen[one.selector.metric] = seen.get(one.selector.metric, -1) + 1
            asked.append(_placed(one, slo, texts, nth))
    return Subject(tenant, slo, timing, tuple(asked))


def _visit(
    node: pp.Expr,
    rule: Rule,
    functions: frozenset[str],
    *,
    required: bool = True,
    subtracted: bool = False,
) -> Iterator[Asked]:
    """Walk an expression, knowing what stands around each selector.

    What stands beside `or` may be missing, and so may what `unless` takes away; but where a
    difference takes it for zero, all events become errors.
    """
    if isinstance(node, pp.VectorSelector):
        metric = str(node.name)
        if not metric.startswith("slo:") and metric != naming.INFO:
            matchers = tuple(
                Matcher(m.name, OPERATORS[str(m.op)], m.value) for m in node.matchers.matchers
            )
            errors = rule.name in naming.RATES_OF_ERRORS
            yield Asked(Selector(metric, matchers), rule.origin, functions, required, errors)
    elif isinstance(node, pp.BinaryExpr):
        op = str(node.op)
        optional = required and not (op == "or" and not subtracted)
        yield from _visit(node.lhs, rule, functions, required=optional, subtracted=subtracted)
        yield from _visit(
            node.rhs,
            rule,
            functions,
            required=op == "-" or (optional and op != "unless"),
            subtracted=subtracted or op == "-",
        )
    else:
        if isinstance(node, pp.Call):
            functions |= {node.func.name}
        for part in children(node):
            yield from _visit(part, rule, functions, required=required, subtracted=subtracted)


def _texts(slo: ResolvedSLO) -> Iterator[tuple[Loc, str]]:
    """Give the texts of the SLI as they stand in the manifest."""
    data: Any = slo.document.data
    loc: Loc = (*slo.loc, "sli")
    try:
        for step in loc:
            data = data[step]
    except (KeyError, IndexError, TypeError):
        return  # it was written elsewhere
    stack: list[tuple[tuple[str | int, ...], Any]] = [(tuple(loc), data)]
    while stack:
        at, value = stack.pop()
        if isinstance(value, str):
            yield at, value
        elif isinstance(value, dict):
            stack.extend(((*at, key), inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            stack.extend(((*at, i), inner) for i, inner in reversed([*enumerate(value)]))


def _placed(asked: Asked, slo: ResolvedSLO, texts: Sequence[tuple[Loc, str]], nth: int) -> Asked:
    """Find where a selector was written: first in the query that its rule comes from."""
    metric = asked.selector.metric
    names = [metric, *(metric.removesuffix(s) for s in SUFFIXES if metric.endswith(s))]
    ordered = sorted(texts, key=lambda t: slo.document.locate(t[0]) != asked.position)
    for loc, text in ordered:
        for name in names:
            found = [*re.finditer(rf"(?<![\w:]){re.escape(name)}(?![\w:])", text)]
            if found:
                start = found[min(nth, len(found) - 1)].start()
                at = slo.document.within(loc, start, len(name))
                return replace(asked, position=at, text=text, loc=loc, offset=start)
    return asked
