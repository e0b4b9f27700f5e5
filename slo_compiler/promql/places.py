"""Where the parts of a query are in its text: the parser's tree has no positions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from slo_compiler.promql.text import MAX_LENGTH, STRING, code_of

Place = tuple[int, int]  # offset and width in the text

_LISTS = re.compile(
    r"\{[^{}]*\}|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)", re.IGNORECASE
)
_TOKEN = re.compile(
    rf"(?P<label>[A-Za-z_]\w*|{STRING})\s*(?P<op>=~|!~|!=|=(?!=))\s*(?P<value>{STRING})"
    rf"|(?P<name>{STRING})|#[^\n]*|(?P<open>\{{)|(?P<end>\}})"
)


@dataclass(frozen=True, slots=True)
class WrittenMatcher:
    """A matcher in the text of a query: places are of what is between the quotes."""

    label: str
    op: str
    value: str  # as written, escapes included
    label_place: Place
    op_place: Place
    value_place: Place

    @property
    def place(self) -> Place:
        """The value, or the operator where the value is empty."""
        return self.value_place if self.value_place[1] else self.op_place


def written_matchers(text: str, start: int = 0, *, one: bool = False) -> Iterator[WrittenMatcher]:
    """Give the matchers of a text from a place on, in order.

    Args:
        text: a query.
        start: where to begin, outside of strings and comments.
        one: whether to read only the braces that begin there, if any do.
    """
    if one and not re.compile(r"\s*\{").match(text, start):
        return
    for found in _TOKEN.finditer(text, start):
        if one and found["end"]:
            return
        if found["op"]:
            yield _written(found)


def _written(found: re.Match[str]) -> WrittenMatcher:
    label, (start, end) = found["label"], found.span("label")
    if label[0] in "\"'`":
        label, start, end = label[1:-1], start + 1, end - 1
    return WrittenMatcher(
        label,
        found["op"],
        found["value"][1:-1],
        (start, end - start),
        (found.start("op"), len(found["op"])),
        (found.start("value") + 1, len(found["value"]) - 2),
    )


@lru_cache(maxsize=256)
def names_of(text: str) -> str:
    """Blank out strings, comments, matchers and lists of labels: metrics and functions are left."""
    return _LISTS.sub(lambda match: " " * len(match[0]), code_of(text))


def words(text: str, word: str, start: int = 0) -> Iterator[Place]:
    """Give the places of a metric or function from a place on; of a metric, also in quotes."""
    pattern = re.compile(rf"(?<![\w:.]){re.escape(word)}(?![\w:])", re.IGNORECASE)
    found = [(m.start(), len(word)) for m in pattern.finditer(names_of(text), start)]
    if not found:
        for token in _TOKEN.finditer(text, start):
            if token["name"] and token["name"][1:-1] == word:
                found.append((token.start("name") + 1, len(word)))
            elif token["label"] == "__name__" and token["value"][1:-1] == word:
                found.append((token.start("value") + 1, len(word)))
    yield from found


def find_code(query: str, pattern: str) -> Place | tuple[()]:
    """Find the first group of a pattern outside of strings and comments, for the caret."""
    match = re.search(pattern, code_of(query))
    return (match.start(1), len(match[1])) if match else ()


def find_matcher(query: str, label: str, value: str | None = None) -> Place | tuple[()]:
    """Find a matcher by its label: the text of its value, or the label if no value is given."""
    places = [m for m in written_matchers(query) if m.label == label]
    found = next((m for m in places if value in (None, m.value)), None)
    found = found or next(iter(places), None)
    if found is None:
        return ()
    return found.value_place if value else found.label_place


def find_quoted(query: str, words_: str) -> Place:
    """Find what a message of the parser quotes."""
    for token in re.findall(r"'([^']+)'|\"([^\"]+)\"|`([^`]+)`", words_):
        at = query.find(wanted := next(filter(None, token)))
        if at >= 0:
            return at, len(wanted)
    return 0, MAX_LENGTH
