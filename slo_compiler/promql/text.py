"""The text of a query: strings, comments and code told apart, and tokens found for the caret."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_LENGTH = 4_096
WINDOW = "$window"
_STRING = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`'
_IGNORED = re.compile(rf"(?:{_STRING})|#[^\n]*")
TOKEN = re.compile(
    rf"(?P<string>{_STRING})|(?P<comment>#[^\n]*)|(?P<open>[([{{])|(?P<close>[)\]}}])"
    r"|(?P<operator>==|!=|=~|!~|>=|<=|[-+*/%^<>]|\b(?:and|or|unless|atan2)\b)"
)


@dataclass(eq=False)
class QueryError(Exception):
    """Why a query is refused, and which part of its text to mark: all of it unless said."""

    id: str
    message: str
    help: str = ""
    offset: int = 0
    width: int = MAX_LENGTH


def code_of(query: str) -> str:
    """Blank out strings and comments, so that what is left stands at its own place."""
    return _IGNORED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), query)


def find_code(query: str, pattern: str) -> tuple[int, int] | tuple[()]:
    """Find the first group of a pattern outside of strings and comments, for the caret."""
    match = re.search(pattern, code_of(query))
    return (match.start(1), len(match[1])) if match else ()


def find_matcher(query: str, label: str, value: str | None = None) -> tuple[int, int] | tuple[()]:
    """Find a matcher by its label: the text of its value, or the label if no value is given."""
    pattern = rf"(?<!\w)({re.escape(label)})(?!\w)[\"'`]?\s*[=!][=~]?\s*(?P<value>{_STRING})"
    places = [*re.finditer(pattern, query)]
    match = next((m for m in places if value in (None, m["value"][1:-1])), None)
    match = match or next(iter(places), None)
    if match is None:
        return ()
    if value:
        return match.start("value") + 1, len(match["value"]) - 2
    return match.start(1), len(label)


def find_quoted(query: str, words: str) -> tuple[int, int]:
    """Find what a message of the parser quotes."""
    for token in re.findall(r"'([^']+)'|\"([^\"]+)\"|`([^`]+)`", words):
        at = query.find(wanted := next(filter(None, token)))
        if at >= 0:
            return at, len(wanted)
    return 0, MAX_LENGTH
