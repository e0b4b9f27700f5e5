"""Documents to models: every finding of every file in one run, each at its line."""

from __future__ import annotations

import hashlib
import types
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from slo_compiler.diagnostics import Report, nearest
from slo_compiler.manifest.base import Strict
from slo_compiler.manifest.model import API_VERSION, AlertPolicy, Project, Tenant
from slo_compiler.source import Document, read_documents

KINDS: tuple[type[Strict], ...] = (Tenant, AlertPolicy, Project)
ModelT = TypeVar("ModelT", bound=Strict)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input: the path to show, its name in the repo, and its bytes.

    The name is relative to the project, so that outputs that hold it are the same everywhere.
    """

    path: str
    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A validated document, and where its values stand."""

    model: Strict
    document: Document
    source: SourceFile


def load(
    files: Iterable[SourceFile], kinds: Sequence[type[Strict]], report: Report
) -> list[Manifest]:
    """Read and validate all documents; those with findings are left out of the result."""
    manifests = []
    for file in files:
        for document in read_documents(file.path, file.content, report):
            kind = _kind(document, kinds, report)
            model = validate(kind, document, report) if kind else None
            if model is not None:
                manifests.append(Manifest(model, document, file))
    return manifests


def validate(kind: type[ModelT], document: Document, report: Report) -> ModelT | None:
    """Validate a document against one model; None if there are findings."""
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _report(kind, document, detail, report)
        return None


def _kind(document: Document, kinds: Sequence[type[Strict]], report: Report) -> type[Strict] | None:
    data = document.data
    names = {kind.__name__: kind for kind in kinds}
    if not isinstance(data, dict):
        report.error(
            document.locate(),
            "not-a-manifest",
            "a manifest is a mapping with apiVersion, kind and spec",
        )
        return None
    if "apiVersion" not in data or data["apiVersion"] != API_VERSION:
        found = f'"{data["apiVersion"]}"' if "apiVersion" in data else "none"
        report.error(
            document.locate(("apiVersion",) if "apiVersion" in data else ()),
            "not-a-manifest",
            f'expected apiVersion "{API_VERSION}", found {found}',
        )
        return None
    name = str(data.get("kind"))
    if name not in names:
        everywhere = {kind.__name__ for kind in KINDS}
        hint = nearest(name, names)
        if name in everywhere:
            hint = "it belongs into a file of its own" if name == "Project" else hint
        report.error(
            document.locate(("kind",) if "kind" in data else ()),
            "kind",
            f'kind "{name}" does not belong here' if name in everywhere else f'no kind "{name}"',
            hint,
        )
        return None
    return names[name]


def _report(kind: type[Strict], document: Document, detail: ErrorDetails, report: Report) -> None:
    loc, type_ = tuple(detail["loc"]), detail["type"]
    context = detail.get("ctx", {})
    if loc and loc[-1] == "[key]":
        report.error(
            document.locate(loc[:-1], key=True), type_, detail["msg"], context.get("help", "")
        )
    elif type_ == "missing":
        report.error(document.locate(loc), "missing-key", f'the key "{loc[-1]}" is missing')
    elif type_ == "extra_forbidden":
        report.error(
            document.locate(loc, key=True),
            "unknown-key",
            f'no key "{loc[-1]}" here',
            nearest(str(loc[-1]), _keys_at(kind, loc[:-1])),
        )
    elif type_ == "literal_error" and str(detail["input"]) != "none":
        report.error(
            document.locate(loc),
            "value",
            f"expected {context['expected']}, found {_shown(detail['input'])}",
        )
    elif type_ in _EXPECTED:
        report.error(
            document.locate(loc),
            "type",
            f"expected {_EXPECTED[type_]}, found {_shown(detail['input'])}",
        )
    else:
        known = "help" in context
        report.error(
            document.locate(loc),
            type_ if known else "value",
            detail["msg"],
            context.get("help", ""),
        )


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def _shown(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    if isinstance(value, bool) or value is None:
        return {None: "nothing", True: "true", False: "false"}[value]
    return f'"{value}"' if isinstance(value, str) else str(value)


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Give the keys that are valid at a place of a model."""
    here: Any = model
    for step in loc:
        if isinstance(here, type) and issubclass(here, BaseModel):
            fields = {f.alias or name: f.annotation for name, f in here.model_fields.items()}
            if step in fields:
                here = _mapping_type(fields[str(step)])
        elif isinstance(here, tuple):  # the value type of a list or dict
            here = here[0]
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [f.alias or name for name, f in here.model_fields.items()]
    return []


def _mapping_type(annotation: Any) -> Any:  # noqa: ANN401
    """Reduce an annotation to the model in it; one in a list or dict comes as a 1-tuple."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _mapping_type(args[0])
    if origin in (typing.Union, types.UnionType):
        return next((_mapping_type(a) for a in args if _mapping_type(a) is not None), None)
    if origin in (list, dict):
        inner = _mapping_type(args[-1])
        return (inner,) if inner is not None else None
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else None
