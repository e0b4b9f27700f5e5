"""SLO templates: how one SLO is made of a template, its arguments and what the tenant adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from slo_compiler.diagnostics import Report, nearest
from slo_compiler.frontend.overlay import Origin, Overlay, Piece, Text
from slo_compiler.frontend.reference import is_whole, references
from slo_compiler.source import Document, Loc, SourceFile

# Enough for a query or a name, and not a way to fill memory: 1,000 uses may name one.
MAX_ARGUMENT = 4_096
SLO_LOC: Loc = ("spec", "slo")  # of a template
_MERGED = ("alerting", "labels")  # keys that a use adds to; any other that it gives replaces
_USE = ("template", "with")
Places = dict[Loc, Origin | Text]


@dataclass(frozen=True, slots=True)
class TemplateValue:
    """An argument or a default, and its place."""

    data: Any
    origin: Origin

    @property
    def text(self) -> str:
        """The value as it was written, to be put inside a longer text."""
        return self.origin.document.text(self.origin.loc)


@dataclass(frozen=True, slots=True)
class Template:
    """A template that can be used; of one with mistakes, `slo` is a stand-in."""

    name: str
    document: Document
    parameters: tuple[str, ...]
    defaults: Mapping[str, TemplateValue]
    slo: Mapping[str, Any]
    broken: bool = False

    def fill(self, arguments: Mapping[str, TemplateValue]) -> tuple[dict[str, Any], Places]:
        """Put arguments in; gives the SLO's data, and where its values came from."""
        values = {**self.defaults, **arguments}
        places: Places = {(): Origin(self.document, SLO_LOC)}

        def filled(data: Any, loc: Loc) -> Any:  # noqa: ANN401
            if isinstance(data, dict):
                return {key: filled(value, (*loc, key)) for key, value in data.items()}
            if isinstance(data, list):
                return [filled(value, (*loc, index)) for index, value in enumerate(data)]
            if not isinstance(data, str) or "${" not in data:
                return data
            if is_whole(data):
                value = values[data[2:-1]]
                places[loc] = value.origin
                return value.data
            text, pieces = _filled(data, values)
            places[loc] = Text(Origin(self.document, (*SLO_LOC, *loc)), pieces)
            return text

        return filled(dict(self.slo), ()), places


def _filled(text: str, values: Mapping[str, TemplateValue]) -> tuple[str, tuple[Piece, ...]]:
    """Put arguments into a text, and remember which part of the result is whose."""
    made, done = "", 0
    pieces: list[Piece] = []

    def add(part: str, offset: int, argument: Origin | None = None) -> None:
        nonlocal made
        pieces.append(Piece(len(made), len(made) + len(part), offset, argument))
        made += part

    for found in references(text):
        add(text[done : found.start], done)
        if found.name is None:
            add("${", found.start + 1)
        else:
            add(values[found.name].text, found.start, values[found.name].origin)
        done = found.end
    add(text[done:], done)
    return made, tuple(pieces)


# Gives the document with the SLOs, and what is missing of it.
Imports = Callable[[Document, SourceFile, Report], tuple[Document, frozenset[Loc]]]

# Replaces a template that cannot be used, so that all else of its tenant is checked.
STAND_IN = {
    "name": "a",
    "service": "a",
    "objective": Decimal(99),
    "sli": {"ratio": {"errors": "a", "total": "a"}},
}


@dataclass(frozen=True, slots=True)
class Library:
    """The templates of a project; `complete` unless some file of theirs could not be read.

    `imports` puts the SLOs of other tools' files into the document of a tenant that names them.
    """

    templates: Mapping[str, Template] = field(default_factory=dict)
    complete: bool = True
    imports: Imports | None = None


def expand(document: Document, library: Library, report: Report) -> tuple[Document, frozenset[Loc]]:
    """Fill in the templates that a tenant's document uses.

    Returns:
        The document with each use replaced by its SLO, and the paths of what could not be: there,
        a stand-in is, for the rest of the document to be checked.
    """
    slos = _slos(document.data)
    if not any(isinstance(slo, dict) and not {*_USE}.isdisjoint(slo) for slo in slos):
        return document, frozenset()
    lost: set[Loc] = set()
    places: Places = {}
    uses = {}
    made = []
    for index, slo in enumerate(slos):
        loc: Loc = ("spec", "slos", index)
        if not isinstance(slo, dict) or "template" not in slo:
            made.append(slo)
            if isinstance(slo, dict) and "with" in slo:
                at = document.locate((*loc, "with"), key=True)
                report.error(at, "missing-key", 'the key "template" is missing', "name one")
                lost |= _lost(loc)
            continue
        uses[loc] = document.locate((*loc, "template"))
        template = library.templates.get(slo["template"]) if _is_text(slo["template"]) else None
        if template is None:
            _tell_unknown(document, loc, slo["template"], library, report)
        arguments = _arguments(document, loc, slo, template, report)
        own = Origin(document, loc)
        filled: dict[str, Any] = {**STAND_IN, "name": f"a{index}"}
        local: Places = {(): own}
        if template is None or template.broken or arguments is None:
            lost |= _lost(loc)
        else:
            filled, local = template.fill(arguments)
        made.append(_merged(filled, slo, local, own))
        places |= {(*loc, *inner): place for inner, place in local.items()}
    data = {**document.data, "spec": {**document.data["spec"], "slos": made}}
    overlay = Overlay(document.path, data, document.node, document.lines, document, places, uses)
    return overlay, frozenset(lost)


def _lost(loc: Loc) -> set[Loc]:
    """Paths of what a stand-in for a template cannot give."""
    return {(*loc, "template"), (*loc, "sli")}


def _slos(data: Any) -> list[Any]:  # noqa: ANN401
    spec = data.get("spec") if isinstance(data, dict) else None
    slos = spec.get("slos") if isinstance(spec, dict) else None
    return slos if isinstance(slos, list) else []


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _tell_unknown(
    document: Document, loc: Loc, name: object, library: Library, report: Report
) -> None:
    if isinstance(name, str) and library.complete:
        report.error(
            document.locate((*loc, "template")),
            "undefined-template",
            f'no template "{name[:80]}"',
            nearest(name, library.templates) or "the project names no templates",
        )


def _arguments(
    document: Document,
    loc: Loc,
    slo: Mapping[str, Any],
    template: Template | None,
    report: Report,
) -> dict[str, TemplateValue] | None:
    """Look the arguments of a use up; None if the template cannot be filled with them."""
    given = slo.get("with", {})
    if template is None or not isinstance(given, dict):
        return None
    whole = True
    for name, value in given.items():
        at: Loc = (*loc, "with", name)
        if name not in template.parameters:
            whole = False
            report.error(
                document.locate(at, key=True),
                "unknown-argument",
                f'the template "{template.name}" has no parameter "{name[:80]}"',
                nearest(name, template.parameters) or "it has none",
            )
        elif isinstance(value, dict | list) or value is None:
            whole = False  # reported with the other keys of the wrong type
        elif len(document.text(at)) > MAX_ARGUMENT:
            whole = False
            report.error(
                document.locate(at),
                "argument-too-long",
                f"the argument has {len(document.text(at)):,} characters; "
                f"at most {MAX_ARGUMENT:,} are allowed",
            )
    missing = [n for n in template.parameters if n not in given and n not in template.defaults]
    for name in missing:
        at = (*loc, "with") if "with" in slo else (*loc, "template")
        report.error(
            document.locate(at, key=True),
            "missing-argument",
            f'the template "{template.name}" needs "{name}"',
            f"add it: with: {{{name}: ...}}",
        )
    if missing or not whole:
        return None
    return {n: TemplateValue(v, Origin(document, (*loc, "with", n))) for n, v in given.items()}


def _merged(
    filled: Mapping[str, Any], slo: Mapping[str, Any], places: Places, own: Origin
) -> dict[str, Any]:
    """Put what a use gives itself over what its template gives, and note that in the places."""
    merged = dict(filled)
    for key, value in slo.items():
        under = filled.get(key)
        given: list[Loc] = [(key,)]
        merged[key] = value
        if key in _MERGED and isinstance(value, dict) and isinstance(under, dict):
            merged[key] = {**under, **value}
            given = [(key, inner) for inner in value]
        for loc in given:
            for inner in [place for place in places if place[: len(loc)] == loc]:
                del places[inner]
            places[loc] = Origin(own.document, (*own.loc, *loc))
    return merged
