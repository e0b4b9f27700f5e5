"""Native data made of a foreign document, each value with its place in that document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from slo_compiler.frontend.overlay import Origin, Overlay, Piece, Text
from slo_compiler.source import Document, Loc


@dataclass(frozen=True, slots=True)
class From:
    """A value of the native document, and the place of the foreign value that it is made of."""

    data: Any
    loc: Loc
    pieces: tuple[Piece, ...] = ()  # of a text that was changed: which part came from where
    document: Document | None = None  # where it is from, if not from the document that is read


def replaced(document: Document, loc: Loc, old: str, new: str) -> From:
    """Return the text at `loc` with `old` replaced, so that a caret still finds its token."""
    made, offset = "", 0
    pieces = []
    for number, part in enumerate(document.text(loc).split(old)):
        if number:
            made += new
            offset += len(old)
        pieces.append(Piece(len(made), len(made) + len(part), offset))
        made += part
        offset += len(part)
    return From(made, loc, tuple(pieces))


def translated(document: Document, data: Any) -> Document:  # noqa: ANN401
    """Return a document of native data.

    Args:
        document: the foreign document.
        data: mappings, lists and scalars, each of which may be a `From`. What is not one has the
            place of the nearest `From` around it, or of the whole document.
    """
    plain, places = places_of(document, data, ())
    places = {(): Origin(document, (), made=True), **places}
    return Overlay(document.path, plain, document.node, document.lines, document, places)


def belonging(value: Any, document: Document) -> Any:  # noqa: ANN401
    """Return values whose places are in a document, unless they are in another already."""
    if isinstance(value, From):
        inner = belonging(value.data, document)
        return replace(value, data=inner, document=value.document or document)
    if isinstance(value, dict):
        return {key: belonging(each, document) for key, each in value.items()}
    if isinstance(value, list):
        return [belonging(each, document) for each in value]
    return value


def places_of(
    document: Document,
    data: Any,  # noqa: ANN401
    at: Loc,
) -> tuple[Any, dict[Loc, Origin | Text]]:
    """Return native data at a path without the `From`, and the places of its values."""
    places: dict[Loc, Origin | Text] = {}

    def plain(value: Any, loc: Loc) -> Any:  # noqa: ANN401
        if isinstance(value, From):
            places[loc] = _place(value.document or document, value)
            value = value.data
        if isinstance(value, dict):
            return {key: plain(inner, (*loc, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [plain(inner, (*loc, index)) for index, inner in enumerate(value)]
        return value

    return plain(data, at), places


def _place(document: Document, value: From) -> Origin | Text:
    if value.data == _at(document.data, value.loc):
        return Origin(document, value.loc)
    if isinstance(value.data, str):
        return Text(Origin(document, value.loc), value.pieces)
    return Origin(document, value.loc, made=True)


def _at(data: Any, loc: Loc) -> Any:  # noqa: ANN401
    for step in loc:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data
