"""Where each value of an SLO comes from: which level sets it, and on which line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slo_compiler.diagnostics import Position
from slo_compiler.resolve.inherit import SourceLevel
from slo_compiler.resolve.metadata import metadata_parts
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema import Alerting
from slo_compiler.source import Document, Loc


@dataclass(frozen=True, slots=True)
class Value:
    """A value, who sets it, and where."""

    key: str
    value: str
    said_by: str
    at: str = ""


def values_of(slo: ResolvedSLO, project: Document | None) -> Iterator[Value]:
    """Return the values that an SLO sets or inherits; `project` is the project file."""
    document = slo.document
    for key, given in slo.inherited.sourced.items():
        if key == "tiers":  # its guards are shown with each tier
            continue
        own = (*slo.loc, "alerting", key) if key in Alerting.model_fields else (*slo.loc, key)
        text = f"{given.value}%" if key == "objective" else str(given.value)
        match given.level:
            case SourceLevel.SLO:
                yield _own(slo, key, text, document.blamed(own))
            case SourceLevel.TENANT:
                at = place(document.locate(("spec", "defaults", key)))
                yield Value(key, text, "tenant", at)
            case SourceLevel.PROJECT:
                yield Value(key, text, "project", _project(project, key))
            case SourceLevel.BUILTIN:
                yield Value(key, text, "builtin")
    for name, given in slo.inherited.labels.items():
        text = f'{name}="{given.value}"'
        match given.level:
            case SourceLevel.SLO:
                yield _own(slo, "label", text, document.blamed((*slo.loc, "labels", name)))
            case SourceLevel.TENANT:
                places = (("spec", "defaults", "labels", name), ("metadata", "labels", name))
                where = next((p for p in places if document.has(p)), places[1])
                yield Value("label", text, "tenant", place(document.locate(where)))
            case _:
                yield Value("label", text, "project", _project(project, "labels", name))


def metadata_values(slo: ResolvedSLO, project: Document | None) -> Iterator[Value]:
    """Return the alerts' names, labels and annotations; only the nearest of each."""
    document, seen = slo.document, set[str]()
    for level, alerting in reversed(slo.inherited.metadata):
        for path, part in metadata_parts(alerting):
            words: dict[Loc, str] = {("name",): part.name} if part.name else {}
            words |= {("labels", key): value for key, value in part.labels.items()}
            words |= {("annotations", key): value for key, value in part.annotations.items()}
            for more, value in words.items():
                key = ".".join(map(str, (*path, *more)))
                if key in seen:
                    continue
                seen.add(key)
                match level:
                    case SourceLevel.SLO:
                        own = document.blamed((*slo.loc, "alerting", *path, *more))
                        yield _own(slo, key, value, own)
                    case SourceLevel.TENANT:
                        at = document.locate(("spec", "defaults", *path, *more))
                        yield Value(key, value, "tenant", place(at))
                    case _:
                        yield Value(key, value, "project", _project(project, *path, *more))


def _own(slo: ResolvedSLO, key: str, value: str, at: Position) -> Value:
    level = "SLO" if at.path == slo.document.path else "template"
    return Value(key, value, level, place(at))


def _project(document: Document | None, *path: str | int) -> str:
    return place(document.locate(("spec", "defaults", *path))) if document else ""


def place(at: Position) -> str:
    """Write a place as editors and terminals follow it."""
    return f"{at.path}:{at.line}"
