"""Where the texts of a template name its parameters: `${name}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from slo_compiler.source import Loc

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^}]*)(?P<end>\}?)")


@dataclass(frozen=True, slots=True)
class Reference:
    """A parameter's name in a text, or an escaped `${` if there is none."""

    start: int
    end: int
    name: str | None
    closed: bool = True


def references(text: str) -> Iterator[Reference]:
    """Find `${name}` in a text; `$${` stands for `${`, and any other `$` for itself."""
    for match in _REFERENCE.finditer(text):
        yield Reference(match.start(), match.end(), match["name"], closed=match["end"] != "")


def leaves(data: object, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """Give the texts of a value, each with its place."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*loc, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from leaves(value, (*loc, index))
    elif isinstance(data, str):
        yield loc, data


def is_whole(text: str) -> bool:
    """Whether a text is one reference, which its argument replaces with its type."""
    found = next(references(text), None)
    return (
        found is not None and found.name is not None and (found.start, found.end) == (0, len(text))
    )
