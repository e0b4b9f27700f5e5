"""Which series an SLO's rules select: each selector, how it is used, and where it was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import promql_parser as pp

from slo_compiler import naming
from slo_compiler.diagnostics import Position
from slo_compiler.plan.burn import Timing
from slo_compiler.promql import Matcher, Selector, children, parsed, selector_of
from slo_compiler.promql.places import words, written_matchers
from slo_compiler.render import Rule
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.source import Loc

COUNTED = frozenset({"rate", "irate", "increase"})
SUFFIXES = ("_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True)
class UsedSelector:
    """A selector of one of an SLO's base rules, and what is expected of it."""

    selector: Selector
    position: Position
    functions: frozenset[str]  # that it is an argument of, at whatever depth
    required: bool  # whether the rule fails without it, or takes it for zero
    errors: bool  # whether it is in the rule of the errors
    text: str = ""  # the query that it is in, as it was written
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
class CheckedSLO:
    """An SLO, and the selectors in its base rules."""

    tenant: ResolvedTenant
    slo: ResolvedSLO
    timing: Timing
    asked: tuple[UsedSelector, ...]

    @property
    def name(self) -> str:
        """What the SLO is called."""
        return f"{self.tenant.name}/{self.slo.spec.service}/{self.slo.spec.name}"

    @property
    def sli(self) -> Loc:
        """Path of the SLI's fields."""
        return (*self.slo.loc, "sli", self.slo.spec.sli.body.KIND)

    def at(self, key: str) -> Position:
        """Place of a field of the SLI."""
        return self.slo.document.locate((*self.sli, key))

    def matcher_at(self, used: UsedSelector, matcher: Matcher) -> Position:
        """Place of a matcher's value in the query; of the selector where it is not written."""
        start = max(used.offset, 0)
        for found in written_matchers(used.text, start):
            if (found.label, found.op) == (matcher.name, matcher.op) and found.value:
                return self.slo.document.within(used.loc, *found.value_place)
        return used.position


def subject(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: Timing, rules: Sequence[Rule]
) -> CheckedSLO:
    """Collect the selectors of an SLO's base rules; those that read recorded series are ours."""
    texts = [*_texts(slo)]
    used: list[UsedSelector] = []
    for rule in rules:
        seen: dict[str, int] = {}
        for one in _visit(parsed(rule.expr), rule, frozenset()):
            nth = seen[one.selector.metric] = seen.get(one.selector.metric, -1) + 1
            used.append(_placed(one, slo, texts, nth))
    return CheckedSLO(tenant, slo, timing, tuple(used))


def _visit(
    node: pp.Expr,
    rule: Rule,
    functions: frozenset[str],
    *,
    required: bool = True,
    subtracted: bool = False,
) -> Iterator[UsedSelector]:
    """Walk an expression, knowing what is around each selector.

    What is beside `or` may be missing, and so may what `unless` takes away; but where a
    difference takes it for zero, all events become errors.
    """
    if isinstance(node, pp.VectorSelector):
        selector = selector_of(node)
        metric = selector.metric
        if not metric.startswith("slo:") and metric != naming.INFO:
            errors = rule.name in naming.RATES_OF_ERRORS
            yield UsedSelector(selector, rule.origin, functions, required, errors)
    elif isinstance(node, pp.BinaryExpr):
        op = str(node.op)
        optional = required and not (op == "or" and not subtracted)
        yield from _visit(node.lhs, rule, functions, required=optional, subtracted=subtracted)
        yield from _visit(
            node.rhs,
            rule,
            functions,
            required=op == "-" or (optional and op != "unless"),
            # What is taken from all events may be missing.
            subtracted=subtracted or (op == "-" and rule.name in naming.RATES_OF_ERRORS),
        )
    else:
        if isinstance(node, pp.Call):
            functions |= {node.func.name}
        for part in children(node):
            yield from _visit(part, rule, functions, required=required, subtracted=subtracted)


def _texts(slo: ResolvedSLO) -> Iterator[tuple[Loc, str]]:
    """Return the texts of the SLI as they are in the manifest."""
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


def _placed(
    used: UsedSelector, slo: ResolvedSLO, texts: Sequence[tuple[Loc, str]], nth: int
) -> UsedSelector:
    """Find where a selector was written: first in the query that its rule comes from."""
    metric = used.selector.metric
    names = [metric, *(metric.removesuffix(s) for s in SUFFIXES if metric.endswith(s))]
    ordered = sorted(texts, key=lambda t: slo.document.locate(t[0]) != used.position)
    for loc, text in ordered:
        for name in names:
            if found := [*words(text, name)]:
                place = found[min(nth, len(found) - 1)]
                at = slo.document.within(loc, *place)
                return replace(used, position=at, text=text, loc=loc, offset=place[0])
    return used
