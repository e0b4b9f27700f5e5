"""A document into which others were merged: where each of its values came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from slo_compiler.diagnostics import Position
from slo_compiler.frontend.reference import SAMPLES, sampled
from slo_compiler.source import Document, Loc

Wrong = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written."""

    document: Document
    loc: Loc
    made: bool = False  # of a value there, and is no copy of it: its parts have no other place

    def locate(self, rest: Loc = (), *, key: bool = False) -> Position:
        """Place of the value, or of a part of it."""
        return self.document.locate(self.reach(rest), key=key)

    def reach(self, rest: Loc) -> Loc:
        """Path of a part of the value in the document."""
        return self.loc if self.made else (*self.loc, *rest)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: copied from the template at `offset`, or an argument."""

    start: int  # in the text that was made
    end: int
    offset: int  # in the template's text
    argument: Origin | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a template with arguments in it."""

    origin: Origin
    pieces: tuple[Piece, ...]

    def argument(self, document: Document) -> Position:
        """Place of an argument, of one that the document gives if there is any."""
        given = [piece.argument for piece in self.pieces if piece.argument]
        given.sort(key=lambda origin: origin.document is not document)
        return given[0].locate() if given else self.origin.locate()

    def within(self, offset: int, width: int, own: Document, wrong: Wrong | None) -> Position:
        """Place of a token: in the template or in the argument, whichever contains all of it.

        What would not be `wrong` with other arguments is an argument's fault.
        """
        document, loc = self.origin.document, self.origin.loc
        end, text = offset + width, document.text(loc)
        piece = next((p for p in self.pieces if p.start <= offset and end <= p.end), None)
        if piece and piece.argument:
            inside = piece.argument
            return inside.document.within(inside.loc, offset - piece.start, width)
        if wrong and not all(wrong(sampled(text, sample)) for sample in SAMPLES):
            return self.argument(own)
        if piece is None:
            return document.within(loc, 0, len(text))
        return document.within(loc, offset - piece.start + piece.offset, width)


@dataclass(frozen=True, slots=True)
class Overlay(Document):
    """A tenant's document with its templates filled in: `data` is merged, the places are not."""

    own: Document
    places: Mapping[Loc, Origin | Text] = field(default_factory=dict)
    uses: Mapping[Loc, Position] = field(default_factory=dict)  # of templates, by the SLO

    @property
    def sources(self) -> Iterator[Document]:
        """The documents of templates that some of it comes from; one may come several times."""
        for place in self.places.values():
            document = (place.origin if isinstance(place, Text) else place).document
            if document.path != self.path:
                yield document
        yield from self.own.sources

    def locate(self, loc: Loc = (), *, key: bool = False) -> Position:
        """Place of the value at `loc`, in the file that sets it."""
        place, rest = self._find(loc)
        if isinstance(place, Text):
            return self._used(place.origin.locate(), loc)
        return self._used(place.locate(rest, key=key), loc)

    def within(self, loc: Loc, offset: int, width: int, wrong: Wrong | None = None) -> Position:
        """Place of a part of the text at `loc`, in the template or in the argument."""
        place, rest = self._find(loc)
        if isinstance(place, Text):
            return self._used(place.within(offset, width, self.own, wrong), loc)
        return self._used(place.document.within(place.reach(rest), offset, width), loc)

    def blamed(self, loc: Loc) -> Position:
        """Place of an argument, where the value has one: the template by itself was valid."""
        place, _ = self._find(loc)
        if isinstance(place, Text):
            return self._used(place.argument(self.own), loc)
        return self.locate(loc)

    def declared(self, loc: Loc) -> Position:
        """Place where the document itself declares what is at `loc`, template or not."""
        name = (*loc, "name")
        if tuple(loc) in self.uses and self.own.has(name):
            return self.own.locate(name)
        return self.uses.get(tuple(loc)) or self.locate(name)

    def has(self, loc: Loc) -> bool:
        """Whether the merged data has a value at `loc`."""
        data = self.data
        for step in loc:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def text(self, loc: Loc) -> str:
        """Give a scalar as it was written."""
        place, rest = self._find(loc)
        origin = place.origin if isinstance(place, Text) else place
        return origin.document.text(origin.reach(rest))

    def _find(self, loc: Loc) -> tuple[Origin | Text, Loc]:
        for length in range(len(loc), -1, -1):
            place = self.places.get(tuple(loc[:length]))
            if place is not None:
                return place, loc[length:]
        return Origin(self.own, ()), loc

    def _used(self, at: Position, loc: Loc) -> Position:
        """Add to a place of a template the use that led to it."""
        if at.path == self.path:
            return at
        use = next((self.uses[loc[:n]] for n in range(len(loc) + 1) if loc[:n] in self.uses), None)
        return replace(at, use=use)
