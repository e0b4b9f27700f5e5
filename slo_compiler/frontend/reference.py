"""Where the texts of a template name its parameters: `${name}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slo_compiler.source import Loc

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^}]*)(?P<end>\}?)")


# What an argument may be: a text that is wrong with either is wrong by itself.
SAMPLES = ("a", "1")


@dataclass(frozen=True, slots=True)
class Reference:
    """A parameter's name in a text, or an escaped `${` if there is none."""

    start: int
    end: int
    name: str | None
    closed: bool = True


def references(text: str) -> Iterator[Reference]:
    """Find `${name}` in a text; `$${` means `${`, and any other `$` means itself."""
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


def sampled(data: Any, sample: str) -> Any:  # noqa: ANN401
    """Put a sample in the place of every reference."""
    if isinstance(data, dict):
        return {key: sampled(value, sample) for key, value in data.items()}
    if isinstance(data, list):
        return [sampled(value, sample) for value in data]
    if not isinstance(data, str):
        return data
    made, done = "", 0
    for found in references(data):
        made += data[done : found.start] + ("${" if found.name is None else sample)
        done = found.end
    return made + data[done:]
