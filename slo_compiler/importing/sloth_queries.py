"""Sloth's queries in native words: the window, selectors, ratios; and what replaces a plugin."""

from __future__ import annotations

import re

from slo_compiler.frontend.overlay import Piece
from slo_compiler.frontend.translate import From
from slo_compiler.importing.part import Section
from slo_compiler.promql.text import WINDOW, code_of

_ACTION = "{{"
_WINDOW_TEXT = r"\{\{-?\s*\.window\s*-?\}\}"
_WINDOW = re.compile(_WINDOW_TEXT)
_PLAIN = re.compile(
    r"sum\s*\(\s*rate\s*\(\s*(?P<selector>[a-zA-Z_:][\w:]*(?:\s*\{[^{}]*\})?)\s*"
    rf"\[\s*{_WINDOW_TEXT}\s*\]\s*\)\s*\)",
    re.ASCII,
)
_SUMS = re.compile(r"\s*sum\s*\(\)\s*/\s*sum\s*\(\)\s*")
# What to write instead of an SLI plugin, by a part of its ID: the first that fits.
_RATIO = 'sli: {{ratio: {{errors: {0}{{{1}=~"5.."}}, total: {0}}}}}'
_PLUGINS = (
    ("targets/availability", 'sli: {availability: {gauge: up{job="..."}}}'),
    ("latency", "sli: {latency: {histogram: http_request_duration_seconds, threshold: 300ms}}"),
    ("apiserver", _RATIO.format("apiserver_request_total", "code")),
    ("istio", _RATIO.format("istio_requests_total", "response_code")),
    ("availability", _RATIO.format("http_requests_total", "code")),
)


def instead_of_plugin(id_: object) -> str:
    """Say what to write instead of an SLI plugin."""
    known = (text for part, text in _PLUGINS if part in str(id_))
    return f"write {next(known, 'its queries as sli: {events: ...} and import again')}"


def read_query(part: Section, key: str) -> From | None:
    """Give a query with the native name of the window, each part of it with its place.

    A sum of one counter's rates is written as the counter's selector, which means the same.
    """
    text = part.text(key)
    if text is None:
        if part.data.get(key) is None:
            part.refuse(key, f'the key "{key}" is missing')
        return None
    return _read(part, key, text, 0)


def read_ratio(part: Section, key: str) -> tuple[From, From] | None:
    """Split `sum(...) / sum(...)` into errors and events; None if the query has another shape."""
    text = part.data.get(key)
    if not isinstance(text, str) or "#" in text:
        return None
    depth, outer, slash = 0, "", 0
    for place, char in enumerate(code_of(text)):
        depth -= char in ")]}"
        if depth == 0:
            outer += char
            slash = place if char == "/" else slash
        depth += char in "([{"
    if not _SUMS.fullmatch(outer):
        return None
    sides = (text[:slash], 0), (text[slash + 1 :], slash + 1)
    if not all(_WINDOW.search(side) for side, _ in sides):
        return None
    errors, total = (_read(part, key, side, offset) for side, offset in sides)
    return (errors, total) if errors and total else None


def _read(part: Section, key: str, text: str, offset: int) -> From | None:
    """Read a text, or a part of one that begins at an offset."""
    loc = (*part.loc, key)
    offset += len(text) - len(text.lstrip())
    text = text.strip()
    if plain := _PLAIN.fullmatch(text):
        selector = plain["selector"]
        piece = Piece(0, len(selector), offset + plain.start("selector"))
        return From(selector, loc, (piece,))
    made, end, pieces = "", 0, []
    for match in [*_WINDOW.finditer(text), None]:
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
