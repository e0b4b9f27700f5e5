"""Texts that a regular expression matches, for label values of test series.

A small reader of RE2's syntax proposes texts, and RE2 itself decides: what is given matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from slo_compiler.regex import RegexError, matches_whole

MAX_EXAMPLES = 256
MAX_LENGTH = 1_024  # of an example
_MAX_DEPTH = 100
# Characters that are tried for a class, the plainest first.
_CANDIDATES = "0xya9AZ_-./: @" + "".join(map(chr, range(0x21, 0x7F))) + "\t\n\r\x00éßλДאあ中ก💥"
_NEGATED = "xy"
_PLAIN = re.compile(r"[^\\\[\](){}*+?.^$|]+(?![*+?{])")  # a run that nothing repeats
_FLAGS = re.compile(r"\(\?[imsU]*(?:-[imsU]+)?\)")
_GROUP = re.compile(r"\((?:\?(?:[imsU]*(?:-[imsU]+)?:|P?<\w+>))?")
_REPEAT = re.compile(r"(?:(?P<sign>[*+?])|\{(?P<least>[0-9]+)(?P<open>,(?P<most>[0-9]*))?\})\??")
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\[pP]\{[^}]*\}|\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPED_CLASS = re.compile(r"\\(?:[dDsSwW]|[pP](?:\{[^}]*\}|.))")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:x\{(?P<long>[0-9A-Fa-f]+)\}|x(?P<hex>[0-9A-Fa-f]{2})|(?P<octal>[0-7]{1,3})|(?P<char>.))",
    re.DOTALL,
)
_EMPTY = "bBAz"  # escapes that match no character
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A fixed text, empty for an anchor."""

    text: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, so many times."""

    part: Node
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts that follow each other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Branches, one of which matches."""

    branches: tuple[Node, ...]


Node = Literal | Repeat | Sequence | Choice


def examples(pattern: str) -> Iterator[str]:
    """Give texts that a pattern matches, the shortest of each branch first.

    Gives nothing for a pattern that RE2 refuses, that has classes of rare characters, or whose
    examples are longer than `MAX_LENGTH`.
    """
    try:
        tree = _tree(pattern)
    except RegexError:
        return
    if tree is None:
        return
    count = _variants(tree)
    seen: set[str] = set()
    for more in (0, 1):  # repetitions beyond the least
        for branch in range(count):
            text = _text(tree, branch, more)
            if len(text) <= MAX_LENGTH and text not in seen and matches_whole(pattern, text):
                seen.add(text)
                yield text


@lru_cache(maxsize=512)
def _variants(tree: Node) -> int:
    return min(_branches(tree), MAX_EXAMPLES)


def _branches(node: Node) -> int:
    """Give the number of branches of the choice that has most."""
    match node:
        case Literal():
            return 1
        case Repeat(part):
            return _branches(part)
        case Sequence(parts):
            return max(map(_branches, parts), default=1)
        case Choice(parts):
            return max(len(parts), *map(_branches, parts))


def _text(node: Node, branch: int, more: int) -> str:
    match node:
        case Literal(text):
            return text
        case Repeat(part, least, most):
            times = least + more if most is None else min(least + more, most)
            one = _text(part, branch, more) if times else ""
            return one * min(times, MAX_LENGTH + 1)
        case Sequence(parts):
            return "".join(_text(part, branch, more) for part in parts)[: MAX_LENGTH + 1]
        case Choice(branches):
            return _text(branches[branch % len(branches)], branch, more)


@lru_cache(maxsize=512)
def _tree(pattern: str) -> Node | None:
    """Read a pattern; None where the reader does not know a part of it."""
    matches_whole(pattern, "")  # what RE2 refuses is not read
    reader = _Reader(pattern)
    try:
        tree = reader.choice(0)
    except _UnknownError:
        return None
    return tree if reader.at == len(pattern) else None


class _UnknownError(Exception):
    """The reader does not know a part of the pattern."""


class _Reader:
    """Reads a pattern that RE2 compiles, from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take what a pattern matches here."""
        if found := pattern.match(self.pattern, self.at):
            self.at = found.end()
        return found

    def choice(self, depth: int) -> Node:
        """Read branches, up to the end of their group."""
        if depth > _MAX_DEPTH:
            raise _UnknownError
        branches = [self.sequence(depth)]
        while self.pattern.startswith("|", self.at):
            self.at += 1
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def sequence(self, depth: int) -> Node:
        """Read parts and how often they are repeated, up to the end of their branch."""
        parts: list[Node] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            if plain := self.take(_PLAIN):
                parts.append(Literal(plain[0]))
                continue
            if self.take(_FLAGS):
                continue
            part = self.part(depth)
            while found := self.take(_REPEAT):
                part = _repeated(part, found)
            parts.append(part)
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def part(self, depth: int) -> Node:
        """Read one part."""
        if self.take(_GROUP):
            inner = self.choice(depth + 1)
            if not self.pattern.startswith(")", self.at):
                raise _UnknownError
            self.at += 1
            return inner
        if quoted := self.take(_QUOTED):
            found = self.take(_REPEAT) if quoted[1] else None
            if found is None:
                return Literal(quoted[1])
            last = _repeated(Literal(quoted[1][-1]), found)  # a repetition is of the last character
            return Sequence((Literal(quoted[1][:-1]), last))
        if class_ := self.take(_CLASS) or self.take(_ESCAPED_CLASS):
            return Literal(_member(class_[0]))
        if escape := self.take(_ESCAPE):
            return Literal(_escaped(escape))
        char = self.pattern[self.at]
        self.at += 1
        return Literal({"^": "", "$": "", ".": "0"}.get(char, char))


def _repeated(part: Node, found: re.Match[str]) -> Repeat:
    if sign := found["sign"]:
        return Repeat(part, int(sign == "+"), 1 if sign == "?" else None)
    least = int(found["least"])
    most = (int(found["most"]) if found["most"] else None) if found["open"] else least
    return Repeat(part, least, most)


def _escaped(found: re.Match[str]) -> str:
    if digits := found["long"] or found["hex"]:
        return chr(int(digits, 16))
    if found["octal"]:
        return chr(int(found["octal"], 8))
    char = found["char"]
    return "" if char in _EMPTY else _CONTROLS.get(char, char)


@lru_cache(maxsize=512)
def _member(text: str) -> str:
    """Give a character of a class: its first where that is plain, else one that RE2 finds in it."""
    candidates = _CANDIDATES
    if text.startswith(("[^", r"\D", r"\W", r"\P")):
        candidates = _NEGATED + _CANDIDATES
    elif text.startswith("[") and text[1] not in "\\[":
        candidates = text[1] + _CANDIDATES
    elif text[1] == "\\" and text[2] not in "dDsSwWpP" and (escape := _ESCAPE.match(text, 1)):
        candidates = _escaped(escape) + _CANDIDATES
    for char in candidates:
        if matches_whole(text, char):
            return char
    raise _UnknownError
