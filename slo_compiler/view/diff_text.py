"""Changes as text, as markdown for a merge request, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from types import MappingProxyType

from slo_compiler.report import printable
from slo_compiler.view.changes import Change, Danger
from slo_compiler.view.diff import CostChange, Difference

TITLES: Mapping[Danger, str] = MappingProxyType(
    {
        Danger.LOST: "No longer alerted or notified",
        Danger.LESS: "Alerts later, or for more errors",
        Danger.OTHER: "Other events, windows or settings",
        Danger.MORE: "Alerts sooner, or to more receivers",
        Danger.NEW: "New",
        Danger.WORDS: "Names, texts and links",
    }
)
_LISTED = 5  # SLOs of one change that are named
NOTHING = "no SLO changes what it counts, when it alerts or whom it notifies\n"


def as_text(difference: Difference) -> str:
    """Write changes for a terminal; a line each."""
    return "".join(_text(difference)) if difference.changes else NOTHING


def as_markdown(difference: Difference) -> str:
    """Write changes as a comment on a merge request."""
    return "".join(_markdown(difference)) if difference.changes else NOTHING


def as_json(difference: Difference) -> str:
    """Write changes as a list of objects, and the cost before and after."""
    cost = difference.cost
    data = {
        "changes": [
            {
                "danger": change.danger.name.lower(),
                "change": change.text,
                "about": change.about,
                "at": change.at,
            }
            for change in difference.changes
        ],
        "cost": {
            "rules": {"was": cost.rules[0], "is": cost.rules[1]},
            "samples_per_second": {
                "was": round(cost.samples_per_second[0], 3),
                "is": round(cost.samples_per_second[1], 3),
            },
        },
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Difference], str]] = MappingProxyType(
    {"text": as_text, "markdown": as_markdown, "json": as_json}
)


def _text(difference: Difference) -> Iterator[str]:
    changes = difference.changes
    for number, (danger, group) in enumerate(groupby(changes, lambda change: change.danger)):
        yield ("\n" if number else "") + f"{TITLES[danger]}:\n"
        for change in group:
            yield f"  {printable(_names(change))}  {printable(change.text)}\n"
    cost = _cost(difference.cost)
    yield f"\n{cost}\n" if cost else ""


def _markdown(difference: Difference) -> Iterator[str]:
    changes = difference.changes
    for number, (danger, group) in enumerate(groupby(changes, lambda change: change.danger)):
        yield ("\n" if number else "") + f"**{TITLES[danger]}**\n\n"
        for change in group:
            names = ", ".join(f"`{name}`" for name in change.about[:_LISTED])
            yield f"- {names}{_more(change)}: {_escaped(printable(change.text))}\n"
    cost = _cost(difference.cost)
    yield f"\n{cost}\n" if cost else ""


def _cost(cost: CostChange) -> str:
    """Write what the rules cost more or less; nothing if that is the same."""
    parts = []
    before, after = cost.rules
    if before != after:
        parts.append(f"rules {after:,}, was {before:,}")
    before_, after_ = cost.samples_per_second
    moved = f"{abs(after_ - before_):,.1f}"
    if moved != "0.0":
        parts.append(f"evaluation reads {moved} samples/s {'more' if after_ > before_ else 'less'}")
    return "; ".join(parts)


def _names(change: Change) -> str:
    return ", ".join(change.about[:_LISTED]) + _more(change)


def _more(change: Change) -> str:
    more = len(change.about) - _LISTED
    return f" and {more} more" if more > 0 else ""


def _escaped(text: str) -> str:
    """Keep manifests' texts from becoming links, images, HTML or mentions."""
    for character in "\\`*_[]<>!#@|~":
        text = text.replace(character, f"&#{ord(character)};")
    return text
