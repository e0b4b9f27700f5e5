"""Queries of other tools in native words: the window, and selectors of counters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from slo_compiler.frontend.overlay import Piece
from slo_compiler.frontend.translate import From
from slo_compiler.importing.part import Section
from slo_compiler.promql.text import WINDOW, code_of

_ACTION = "{{"
_SELECTOR = r"(?P<selector>[a-zA-Z_:][\w:]*(?:\s*\{[^{}]*\})?)"
_TEMPLATE = r"\{\{-?\s*\.window\s*-?\}\}"


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a tool writes the window of a query, and queries that are a counter's selector."""

    window: re.Pattern[str]
    plain: tuple[re.Pattern[str], ...]

    def windows(self, text: str) -> Iterator[re.Match[str]]:
        """Find the windows of a query; what is in a string or a comment is none."""
        code = code_of(text)
        for match in self.window.finditer(text):
            if _ACTION in match[0] or match[0] == code[match.start() : match.end()]:
                yield match


def _rate(window: str) -> str:
    return rf"sum\s*\(\s*rate\s*\(\s*{_SELECTOR}\s*\[\s*{window}\s*\]\s*\)\s*\)"


TEMPLATED = Spelling(re.compile(_TEMPLATE), (re.compile(_rate(_TEMPLATE), re.ASCII),))
_ANY = rf"(?:{_TEMPLATE}|[0-9][0-9a-z]*)"
# A range of any length: the tool evaluates the query as it is.
SUM = re.compile(rf"sum\s*\(\s*{_SELECTOR}\s*\)", re.ASCII)
FIXED = Spelling(
    re.compile(rf"(?<=\[)\s*{_ANY}\s*(?=\])", re.ASCII),
    (re.compile(_rate(_ANY), re.ASCII), SUM),
)


def read_query(part: Section, key: str, spelling: Spelling) -> From | None:
    """Give a query with the native name of the window, each part of it with its place.

    A sum of one counter's rates is written as the counter's selector, which means the same.
    """
    text = part.text(key)
    if text is None:
        if part.data.get(key) is None:
            part.refuse(key, f'the key "{key}" is missing')
        return None
    return read_text(part, key, text, 0, spelling)


def read_text(part: Section, key: str, text: str, offset: int, spelling: Spelling) -> From | None:
    """Read a text, or a part of one that begins at an offset."""
    loc = (*part.loc, key)
    offset += len(text) - len(text.lstrip())
    text = text.strip()
    if plain := next(filter(None, (each.fullmatch(text) for each in spelling.plain)), None):
        selector = plain["selector"]
        piece = Piece(0, len(selector), offset + plain.start("selector"))
        return From(selector, loc, (piece,))
    made, end, pieces = "", 0, []
    for match in [*spelling.windows(text), None]:
        stop = match.start() if match else len(text)
        wrong = text.find(_ACTION, end, stop)
        if wrong >= 0:
            part.report.error(
                part.document.within(loc, offset + wrong, len(_ACTION)),
                "import-refused",
                'of what begins with "{{" only {{.window}} is filled in',
                "write the value itself",
            )
            return None
        pieces.append(Piece(len(made), len(made) + stop - end, offset + end))
        made += text[end:stop] + (WINDOW if match else "")
        end = match.end() if match else stop
    return From(made, loc, tuple(pieces))
