"""Changes as text, as markdown for a merge request, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from slo_compiler.report import printable
from slo_compiler.view.diff import Change, Danger

TITLES: Mapping[Danger, str] = MappingProxyType(
    {
        Danger.LOST: "No longer alerted or notified",
        Danger.LESS: "Alerts later, or for more errors",
        Danger.OTHER: "Other events or windows",
        Danger.MORE: "Alerts sooner, or to more receivers",
        Danger.NEW: "New",
        Danger.WORDS: "Names, texts and links",
    }
)
_LISTED = 5  # SLOs of one change
NOTHING = "no SLO changes what it counts, when it alerts or whom it notifies\n"


def as_text(changes: Sequence[Change]) -> str:
    """Write changes for a terminal; a line each."""
    return "".join(_text(changes)) if changes else NOTHING


def as_markdown(changes: Sequence[Change]) -> str:
    """Write changes as a comment on a merge request."""
    return "".join(_markdown(changes)) if changes else NOTHING


def as_json(changes: Sequence[Change]) -> str:
    """Write changes as a list of objects."""
    data = [
        {
            "danger": change.danger.name.lower(),
            "change": change.text,
            "slos": change.slos,
            "at": change.at,
        }
        for change in changes
    ]
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Change]], str]] = MappingProxyType(
    {"text": as_text, "markdown": as_markdown, "json": as_json}
)


def _text(changes: Sequence[Change]) -> Iterator[str]:
    for number, (danger, group) in enumerate(groupby(changes, lambda change: change.danger)):
        yield ("\n" if number else "") + f"{TITLES[danger]}:\n"
        for change in group:
            yield f"  {printable(_names(change))}  {printable(change.text)}\n"


def _markdown(changes: Sequence[Change]) -> Iterator[str]:
    for number, (danger, group) in enumerate(groupby(changes, lambda change: change.danger)):
        yield ("\n" if number else "") + f"**{TITLES[danger]}**\n\n"
        for change in group:
            names = ", ".join(f"`{name}`" for name in change.slos[:_LISTED])
            yield f"- {names}{_more(change)}: {_escaped(printable(change.text))}\n"


def _names(change: Change) -> str:
    return ", ".join(change.slos[:_LISTED]) + _more(change)


def _more(change: Change) -> str:
    more = len(change.slos) - _LISTED
    return f" and {more} more" if more > 0 else ""


def _escaped(text: str) -> str:
    """Keep manifests' texts from becoming links, images, HTML or mentions."""
    for character in "\\`*_[]<>!#@|~":
        text = text.replace(character, f"&#{ord(character)};")
    return text
