"""Labels of a service of a compose file, written as a mapping or as a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slo_compiler.diagnostics import Position, Report
from slo_compiler.frontend.overlay import Piece
from slo_compiler.frontend.translate import From
from slo_compiler.importing.part import Section
from slo_compiler.schema.base import shown
from slo_compiler.source import Document, Loc

PREFIX = "slo."
_DOLLARS = re.compile(r"\$\$|\$\{[^}]*\}?|\$\w*")


@dataclass(frozen=True, slots=True)
class Label:
    """A label: its value as YAML reads it, or its text, with the place of each part."""

    key: str
    value: Any
    document: Document
    loc: Loc
    at: Position  # of its key
    pieces: tuple[Piece, ...] = ()
    problem: tuple[Position, str, str] | None = None  # why its value cannot be taken

    def is_fine(self, report: Report) -> bool:
        """Report its problem; gives whether there is none."""
        if self.problem is None:
            return True
        at, text, help_ = self.problem
        report.error(at, "import-refused", text, help_)
        return False

    @property
    def place(self) -> Position:
        """Place of its value."""
        if self.pieces and self.pieces[0].offset:  # an item of a list: key=value
            return self.document.within(self.loc, self.pieces[0].offset, len(self.value))
        return self.document.locate(self.loc)

    def made(self, data: Any = None) -> From:  # noqa: ANN401
        """Give the value, or one that is made of it."""
        value = self.value if data is None else data
        return From(value, self.loc, self.pieces if data is None else (), self.document)

    def inserted(self, at: int, text: str) -> Label:
        """Give a label whose text has more in it."""
        pieces = []
        for piece in self.pieces:
            split = min(max(at, piece.start), piece.end)
            size = len(text)
            if piece.start < split:
                pieces.append(Piece(piece.start, split, piece.offset))
            if split < piece.end:
                after = piece.offset + split - piece.start
                pieces.append(Piece(split + size, piece.end + size, after))
        return replace(self, value=self.value[:at] + text + self.value[at:], pieces=tuple(pieces))

    def cut(self, start: int, stop: int) -> Label:
        """Give a label with a part of its text taken out."""
        pieces = []
        size = stop - start
        for piece in self.pieces:
            if piece.start < start:
                pieces.append(replace(piece, end=min(piece.end, start)))
            if piece.end > stop:
                begin = max(piece.start, stop)
                offset = piece.offset + begin - piece.start
                pieces.append(Piece(begin - size, piece.end - size, offset))
        return replace(self, value=self.value[:start] + self.value[stop:], pieces=tuple(pieces))


def labels_of(service: Section, report: Report) -> dict[str, Label]:
    """Give the labels of a service that are about SLOs, by their keys without the prefix.

    Those of `deploy` are labels of a Swarm service, and count as well.
    """
    found: dict[str, Label] = {}
    deploy = service.data.get("deploy")
    places: list[tuple[Loc, Any]] = [((*service.loc, "labels"), service.data.get("labels"))]
    if isinstance(deploy, Mapping):
        places.append(((*service.loc, "deploy", "labels"), deploy.get("labels")))
    for loc, value in places:
        for label in _read(service.document, loc, value, report):
            first = found.setdefault(label.key, label)
            if first is not label:
                text = f"{PREFIX}{label.key} is set at {first.at} already"
                report.error(label.at, "import-refused", text, "remove one")
    return found


def _read(document: Document, loc: Loc, value: object, report: Report) -> Iterator[Label]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key.startswith(PREFIX):
                at = document.locate((*loc, key), key=True)
                yield _label(key, inner, document, (*loc, key), at, 0)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, str) and item.startswith(PREFIX):
                key, _, text = item.partition("=")
                place = (*loc, index)
                at = document.within(place, 0, len(key))
                yield _label(key, text, document, place, at, len(key) + 1)
    elif value is not None:
        at = document.locate(loc)
        report.error(at, "import-refused", f"expected labels, found {shown(value)}")


def _label(
    key: str, value: object, document: Document, loc: Loc, at: Position, offset: int
) -> Label:
    """Give a label, with `$$` read as Compose reads it; what it fills in is a problem."""
    label = Label(key.removeprefix(PREFIX), value, document, loc, at)
    if isinstance(value, (Mapping, list)) or value is None:
        text = f"expected the label's text, found {shown(value)}"
        return replace(label, problem=(at, text, ""))
    if not isinstance(value, str):
        return label
    made, end, pieces = "", 0, []
    for match in _DOLLARS.finditer(value):
        if match[0] != "$$":
            found = document.within(loc, offset + match.start(), len(match[0]))
            text = f"Compose fills in {shown(match[0])} from its environment, which is not known"
            help_ = f'write the value itself, or "${match[0]}" if the dollar is meant'
            return replace(label, problem=(found, text, help_))
        pieces.append(Piece(len(made), len(made) + match.start() - end, offset + end))
        made += value[end : match.start()] + "$"
        end = match.end()
    pieces.append(Piece(len(made), len(made) + len(value) - end, offset + end))
    return replace(label, value=made + value[end:], pieces=tuple(pieces))
