"""A change between two states of a project, in words, and how dangerous it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

PROJECT = "project"  # what a change of the project file is about


class Danger(IntEnum):
    """How dangerous a change is: what is lost comes first."""

    LOST = 0  # an alert or a notification that there was
    LESS = 1  # alerts come later, or for more errors only
    OTHER = 2  # other events are counted
    MORE = 3  # alerts come sooner, or more people get them
    NEW = 4
    WORDS = 5  # names, texts and links


@dataclass(frozen=True, slots=True)
class Change:
    """One change, in words, and what it is about: several SLOs if it is the same for them."""

    danger: Danger
    text: str
    about: tuple[str, ...]  # SLOs, a tenant, or the project
    at: str  # where the first of them is declared now; before, if it is gone


@dataclass(slots=True)
class ChangesOf:
    """The changes of one SLO, of one tenant, or of the project."""

    about: str
    at: str
    changes: list[tuple[Danger, str]] = field(default_factory=list)

    def add(self, danger: Danger, text: str) -> None:
        """Add a change."""
        self.changes.append((danger, text))


def joined(found: Sequence[ChangesOf]) -> list[Change]:
    """Make one change of those that are the same for several SLOs; the most dangerous first."""
    same: dict[tuple[Danger, str], list[ChangesOf]] = {}
    for one in found:
        for danger, text in one.changes:
            same.setdefault((danger, text), []).append(one)
    changes = [
        Change(danger, text, tuple(sorted(one.about for one in those)), those[0].at)
        for (danger, text), those in same.items()
    ]
    return sorted(changes, key=lambda change: (change.danger, change.about, change.text))
