"""Alerts on a burn rate: two windows of one error ratio, each above a factor times a budget."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from slo_compiler.duration import Duration
from slo_compiler.importing.rules_file import FoundRule
from slo_compiler.importing.rules_text import Operand

_SAME = Fraction(1, 10**9)  # by which two numbers may differ, in parts of them: floats as text
_MATCHING = re.compile(r"(?:on|ignoring)\s*\([^()]*\)", re.ASCII)
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{([^{}]*)\})?", re.ASCII)
_MATCHER = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"([^"\\]*)"\s*(?:,|$)', re.ASCII)


class NotUnderstoodError(Exception):
    """Why a rule is none that is known here."""


@dataclass(frozen=True, slots=True)
class ErrorRatio:
    """An error ratio over a window: where its expression is, and what a selector narrows it to."""

    rule: FoundRule
    expr: Operand
    window: Duration
    fixed: tuple[tuple[str, str], ...] = ()  # labels that an alert selects

    @property
    def shape(self) -> tuple[object, ...]:
        """What is the same for each window of one error ratio."""
        text, end = "", self.expr.start
        for match in re.finditer(r"\[\s*[0-9][0-9a-z]*\s*\]", self.expr.text):
            text += self.expr.whole[end : self.expr.start + match.start()] + "[$window]"
            end = self.expr.start + match.end()
        text += self.expr.whole[end : self.expr.end]
        return (" ".join(text.split()), self.fixed)


@dataclass(frozen=True, slots=True)
class FoundBurn:
    """One pair of windows of an alert."""

    rule: FoundRule
    long: ErrorRatio
    short: ErrorRatio
    factor: Fraction
    budget: Fraction


def recorded(rules: Sequence[FoundRule]) -> dict[str, list[FoundRule]]:
    """Give the recording rules by what they record."""
    found: dict[str, list[FoundRule]] = {}
    for rule in rules:
        if not rule.alerts:
            found.setdefault(rule.name, []).append(rule)
    return found


def burns_of(rule: FoundRule, records: Mapping[str, list[FoundRule]]) -> list[FoundBurn]:
    """Give the pairs of windows of an alert, joined by `or`.

    Raises:
        NotUnderstoodError: with the reason, for any other alert.
    """
    if rule.expr is None:
        raise NotUnderstoodError("its expression is too long")
    return [_burn(rule, branch, records) for branch in rule.expr.split("or")]


def _burn(rule: FoundRule, branch: Operand, records: Mapping[str, list[FoundRule]]) -> FoundBurn:
    sides = branch.split("and")
    if len(sides) != 2:  # noqa: PLR2004
        what = "no window" if ">" not in branch.code else f"{len(sides)} window"
        plural = "s" if len(sides) > 1 else ""
        raise NotUnderstoodError(f"it compares {what}{plural}; an alert on a burn rate compares 2")
    first, second = (_compared(side) for side in sides)
    (left, bound), (right, other) = first, second
    factor, budget = _factors(bound)
    if abs(factor * budget - _value(other)) > _SAME * factor * budget:
        raise NotUnderstoodError("its two windows have different thresholds")
    ratios = sorted(
        (_ratio(rule, left, records), _ratio(rule, right, records)), key=lambda each: each.window
    )
    short, long = ratios
    if short.shape != long.shape:
        raise NotUnderstoodError("its two windows are of different error ratios")
    if short.window == long.window:
        raise NotUnderstoodError("its two windows are the same")
    return FoundBurn(rule, long, short, factor, budget)


def _compared(side: Operand) -> tuple[Operand, Operand]:
    """Give an error ratio and its bound, also of Sloth's `max(ratio > bound) without (...)`."""
    if match := _MATCHING.match(side.code, side.start, side.end):
        side = side.part(match.end(), side.end)
    side = side.inside("max", r"without\s*\(\s*sloth_window\s*\)") or side
    if side.operators().count(">") != 1:
        raise NotUnderstoodError("it does not compare an error ratio with >")
    left, right = side.split(">")
    return left, right


def _value(bound: Operand) -> Fraction:
    value = bound.constant()
    if value is None or value <= 0:
        raise NotUnderstoodError(f"its threshold {bound.text[:40]!r} is no positive number")
    return value


def _factors(bound: Operand) -> tuple[Fraction, Fraction]:
    """Give the factor and the budget: the budget is 1 less a number, or else the smaller one."""
    sides = bound.split("*")
    _value(bound)
    if len(sides) != 2:  # noqa: PLR2004
        raise NotUnderstoodError("its threshold is no product of a factor and an error budget")
    pairs = [(_value(side), "-" in side.operators()) for side in sides]
    pairs.sort(key=lambda pair: (pair[1], -pair[0]))
    (factor, _), (budget, _) = pairs
    if not budget < 1:
        raise NotUnderstoodError("its error budget is not below 1")
    return factor, budget


def _ratio(rule: FoundRule, left: Operand, records: Mapping[str, list[FoundRule]]) -> ErrorRatio:
    match = _SELECTOR.fullmatch(left.text)
    if match is None:
        return over_window(rule, left)
    wanted = dict(_matchers(match[2] or ""))
    found = [
        each
        for each in records.get(match[1], [])
        if all(each.labels.get(key, value) == value for key, value in wanted.items())
    ]
    # Of several that may be meant, the one that sets most of the labels that are selected.
    fits = [sum(key in each.labels for key in wanted) for each in found]
    best = [each for each, fit in zip(found, fits, strict=True) if fit == max(fits)]
    if not best:
        raise NotUnderstoodError(f"no rule of these files records {left.text[:80]}")
    if len(best) > 1:
        raise NotUnderstoodError(f"several rules record {left.text[:80]}")
    if best[0].expr is None:
        raise NotUnderstoodError(f"the expression of {match[1]} is too long")
    fixed = tuple(sorted(pair for pair in wanted.items() if pair[0] not in best[0].labels))
    return over_window(best[0], best[0].expr, fixed)


def _matchers(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while text[place:].strip():
        match = _MATCHER.match(text, place)
        if match is None:
            raise NotUnderstoodError(f"its matchers {{{text[:80]}}} are not all equalities")
        yield match[1], match[2]
        place = match.end()


def over_window(
    rule: FoundRule, expr: Operand, fixed: tuple[tuple[str, str], ...] = ()
) -> ErrorRatio:
    """Read an error ratio, all ranges of which are one window.

    Raises:
        NotUnderstoodError: with the reason, if they are not.
    """
    found = {*expr.ranges()}
    if len(found) != 1:
        raise NotUnderstoodError(f"{rule.name} has {'several ranges' if found else 'no range'}")
    (text,) = found
    try:
        window = Duration.parse(text)
    except ValueError as error:
        raise NotUnderstoodError(str(error)) from error
    return ErrorRatio(rule, expr, window, fixed)
