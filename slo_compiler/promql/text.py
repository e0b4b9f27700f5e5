"""The text of a query: its strings and comments separated from its code."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_LENGTH = 4_096
WINDOW = "$window"
STRING = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`'
_IGNORED = re.compile(rf"(?:{STRING})|#[^\n]*")
TOKEN = re.compile(
    rf"(?P<string>{STRING})|(?P<comment>#[^\n]*)|(?P<open>[([{{])|(?P<close>[)\]}}])"
    r"|(?P<operator>==|!=|=~|!~|>=|<=|[-+*/%^<>]|\b(?:and|or|unless|atan2)\b)"
)


@dataclass(eq=False)
class QueryError(Exception):
    """Why a query is refused, and which part of its text to mark: all of it by default."""

    id: str
    message: str
    help: str = ""
    offset: int = 0
    width: int = MAX_LENGTH


def code_of(query: str) -> str:
    """Blank out strings and comments, so that what is left is at its own place."""
    return _IGNORED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), query)
