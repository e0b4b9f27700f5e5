"""Parts of PromQL by their places in its text: operands, parentheses, constants, ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from slo_compiler.promql.text import TOKEN, code_of

_RANGE = re.compile(r"\[\s*([0-9][0-9a-z]*)\s*\]", re.ASCII)
_NUMBER = re.compile(
    r"[0-9]{1,20}(?:\.[0-9]{0,30})?(?:[eE][-+]?[0-9]{1,2})?|\.[0-9]{1,30}", re.ASCII
)
_MAX = 16_384  # of an expression that is looked at


@dataclass(frozen=True, slots=True)
class Operand:
    """A part of an expression, less blanks and parentheses around it."""

    whole: str
    code: str  # the same with blanks for strings and comments
    start: int
    end: int

    @classmethod
    def of(cls, text: str) -> Operand | None:
        """Begin with a whole expression; None if it is too long to look at."""
        return cls(text, code_of(text), 0, len(text)).bare() if len(text) <= _MAX else None

    @property
    def text(self) -> str:
        """What is written."""
        return self.whole[self.start : self.end]

    def part(self, start: int, end: int) -> Operand:
        """Give a part between two places of the whole, bare."""
        return Operand(self.whole, self.code, start, end).bare()

    def bare(self) -> Operand:
        """Take away blanks and parentheses around it."""
        start, end = self.start, self.end
        while True:
            while start < end and self.code[start].isspace():
                start += 1
            while start < end and self.code[end - 1].isspace():
                end -= 1
            if not (start < end and self.code[start] == "(" and self.closing(start) == end - 1):
                return Operand(self.whole, self.code, start, end)
            start, end = start + 1, end - 1

    def closing(self, start: int) -> int:
        """Give the place where the parenthesis closes that opens at `start`; -1 if it does not."""
        depth = 0
        for place in range(start, self.end):
            depth += (self.code[place] in "([{") - (self.code[place] in ")]}")
            if depth == 0:
                return place
        return -1

    def split(self, *operators: str) -> list[Operand]:
        """Split at operators that are in no parentheses; with none of them, give it alone."""
        found, depth, start = [], 0, self.start
        for token in TOKEN.finditer(self.whole, self.start, self.end):
            depth += bool(token["open"]) - bool(token["close"])
            if depth == 0 and token["operator"] in operators:
                found.append(self.part(start, token.start()))
                start = token.end()
        return [*found, self.part(start, self.end)]

    def operators(self) -> list[str]:
        """Give the operators that are in no parentheses."""
        found, depth = [], 0
        for token in TOKEN.finditer(self.whole, self.start, self.end):
            depth += bool(token["open"]) - bool(token["close"])
            if depth == 0 and token["operator"]:
                found.append(token["operator"])
        return found

    def ranges(self) -> Iterator[str]:
        """Give the ranges of its selectors."""
        for match in _RANGE.finditer(self.code, self.start, self.end):
            yield match[1]

    def inside(self, head: str, tail: str = "") -> Operand | None:
        """Give what is in the parentheses of `head(...) tail`; None if it is not that."""
        begin = re.compile(rf"{head}\s*(?=\()", re.ASCII).match(self.code, self.start, self.end)
        close = self.closing(begin.end()) if begin else -1
        if begin is None or close < 0:
            return None
        rest = self.code[close + 1 : self.end].strip()
        return self.part(begin.end() + 1, close) if re.fullmatch(tail, rest, re.ASCII) else None

    def constant(self) -> Fraction | None:
        """Work out a number; None if it is more than numbers and arithmetic."""
        if _NUMBER.fullmatch(self.text):
            return Fraction(self.text)
        for operator in ("+", "-", "*", "/"):
            sides = self.split(operator)
            if len(sides) < 2 or any(not side.text for side in sides):  # noqa: PLR2004
                continue
            values = [side.constant() for side in sides]
            found = values[0]
            for value in values[1:]:
                if found is None or value is None or (operator == "/" and not value):
                    return None
                found = _applied(operator, found, value)
            return found
        return None


def _applied(operator: str, left: Fraction, right: Fraction) -> Fraction:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    return left * right if operator == "*" else left / right
