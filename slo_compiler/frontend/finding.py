"""Pydantic's errors in our words: each one complaint, its place in the data, and what to write."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.schema.base import Strict, how_to_quote, shown
from slo_compiler.source import Document, Loc


def empty_places(data: object, loc: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Return the places whose value was left out: a key without a value must not mean a default."""
    items: Iterable[tuple[str | int, object]] = ()
    if isinstance(data, dict):
        items = data.items()
    elif isinstance(data, list):
        items = enumerate(data)
    for step, value in items:
        if value is None:
            yield (*loc, step)
        else:
            yield from empty_places(value, (*loc, step))


@dataclass(frozen=True, slots=True)
class DocumentFinding:
    """One complaint of pydantic, in our words."""

    loc: Loc  # of the data, without pydantic's own steps
    id: str
    message: str
    help: str = ""
    key: str = ""  # the key at `loc` that is meant, where it is not the value
    expected: str = ""  # of a wrong type: what the alternatives of a union add up to
    meant: str = ""  # of an unknown key: the one that was probably meant
    moved: Loc = ()  # of an unknown key: the mapping that it belongs to

    @property
    def place(self) -> Loc:
        """What is meant: the value at `loc`, or a key of it."""
        return (*self.loc, self.key) if self.key else self.loc

    @classmethod
    def empty(cls, loc: Loc) -> DocumentFinding:
        """Complain of a key or an item without a value."""
        *parent, last = loc
        if isinstance(last, int):
            return cls(loc, "empty-value", "this item has no value", "write one, or remove it")
        message = f"the key {shown(last)} has no value"
        return cls(tuple(parent), "empty-value", message, "write one, or remove it", key=last)

    @classmethod
    def of(cls, kind: type[Strict], detail: ErrorDetails, data: object) -> DocumentFinding:
        """Put what pydantic found into our words."""
        loc, type_, found = tuple(detail["loc"]), detail["type"], shown(detail["input"])
        context = detail.get("ctx", {})
        place = _place(loc, data)
        if type_ == "missing":
            return cls(place, "missing-key", f'the key "{loc[-1]}" is missing', key=str(loc[-1]))
        if type_ == "extra_forbidden":
            key = str(loc[-1])
            hint = nearest(key, _keys_at(kind, loc[:-1]))
            meant = hint.split('"')[1] if hint.startswith("did you mean") else ""
            message = f"no key {shown(key)} here"
            if moved := _belongs(kind, place[:-1], key, data):
                where = f"{_dotted(moved)}.{key}" if moved else key
                deeper = len(moved) > len(place) - 1
                hint = f"it belongs to {where}: {'indent it more' if deeper else 'indent it less'}"
            return cls(place[:-1], "unknown-key", message, hint, key, meant=meant, moved=moved)
        if "message" in context:
            key = str(loc[-2]) if loc[-1:] == ("[key]",) else context["key"]
            place = (*place, context["value_of"]) if context["value_of"] else place
            return cls(place, type_, context["message"], context["help"], key)
        if type_ in _EXPECTED or type_ == "literal_error":
            expected = _EXPECTED.get(type_) or context["expected"].replace("'", '"')
            hint = how_to_quote(detail["input"]) if expected == "text" else ""
            if type_ == "model_type" and (keys := _keys_at(kind, loc)):
                hint = f"its keys: {', '.join(keys)}"
            elif type_ == "list_type" and isinstance(detail["input"], str):
                hint = "put it into brackets: [...]"
            if type_ == "literal_error" and isinstance(detail["input"], str):
                known = nearest(detail["input"], re.findall(r'"([^"]*)"', expected))
                hint = known if known.startswith("did you mean") else ""
            id_ = "value" if type_ == "literal_error" else "type"
            return cls(place, id_, f"expected {expected}, found {found}", hint, expected=expected)
        if type_ == "too_short" and context["min_length"] > 1:
            words = "expected at least {min_length} entries, found {actual_length}"
            return cls(place, "value", words.format(**context), "add what is missing")
        words, hint = _BOUNDS.get(type_, ("{found} is not valid here", ""))
        return cls(place, "value", words.format(found=found, **context), hint)

    def joined(self, other: DocumentFinding | None) -> DocumentFinding:
        """Join with another alternative of the same union."""
        if other is None:
            return self
        expected = f"{other.expected} or {self.expected}"
        message = self.message.replace(self.expected, expected, 1)
        return replace(self, message=message, expected=expected)

    def tell(self, document: Document, report: Report) -> None:
        """Report this at its place in the document."""
        help_ = self.help
        if self.id == "empty-value":
            line = document.locate(self.place, key=True).text
            if comment := re.search(r"[:-]\s+(#\S[^,}\]]*)", line):
                help_ = f'"#" begins a comment: put the text into quotes, "{comment[1].strip()}"'
        at = document.locate((*self.loc, self.key), key=True) if self.key else None
        if self.id == "inline-secret":
            value = document.locate((*self.loc, self.key) if self.key else self.loc)
            at = _masked(at or value, value)
        report.error(at or document.blamed(self.loc), self.id, self.message, help_)


def distinct(findings: Sequence[DocumentFinding]) -> list[DocumentFinding]:
    """Leave out what only follows from another finding, and join the alternatives of a union."""
    empty = {f.place for f in findings if f.id == "empty-value"}
    meant = {(f.loc, f.meant) for f in findings if f.meant}
    meant |= {(f.moved, f.key) for f in findings if f.moved}
    rest = [f for f in findings if not _other_alternative(f, findings)]
    opaque = {f.place for f in rest if f.expected or f.id in ("type", "unknown-key")} - empty
    kept: dict[object, DocumentFinding] = {}
    for finding in rest:
        match finding.id:
            case "empty-value":
                follows = any(finding.place[: len(outer)] == outer for outer in opaque)
            case "missing-key":
                follows = (finding.loc, finding.key) in meant
            case "one-of":
                follows = any(place[:-1] == finding.loc for place in empty)
            case _:
                follows = finding.place in empty
        if not follows:
            same = kept.get((finding.loc, "type")) if finding.expected else None
            slot = (finding.loc, "type") if finding.expected else finding
            kept[slot] = finding.joined(same)
    return [*kept.values()]


def _other_alternative(finding: DocumentFinding, findings: Sequence[DocumentFinding]) -> bool:
    """Whether this is of the alternative of a union that was not meant: another got further."""
    here = finding.loc
    return bool(finding.expected) and any(
        o.place[: len(here)] == here != o.place for o in findings if o.id != "empty-value"
    )


def _belongs(kind: type[Strict], loc: Loc, key: str, data: object) -> Loc:
    """Find the mapping that an unknown key belongs to: one level inward, or any outward."""
    here: Any = data
    for step in loc:
        here = here[step]
    outer = [loc[:length] for length in range(len(loc) - 1, 0, -1)]
    known = _keys_at(kind, loc)  # a manifest may have thousands of others here
    inner = [(*loc, name) for name in known if isinstance(here.get(name), dict)]
    inner += [(*loc, name) for name in known if name not in here]
    # A key that many mappings have is no sign of a wrong indentation.
    places = [each for each in (*inner, *outer) if key in _keys_at(kind, each)]
    return places[0] if places and key != "name" else ()


def _dotted(loc: Loc) -> str:
    """Name a mapping by the keys on its path, from the last item of a list on."""
    start = max((n + 1 for n, step in enumerate(loc) if isinstance(step, int)), default=0)
    return ".".join(map(str, loc[start:])) or str(loc[start - 2]).removesuffix("s")


def _place(loc: Sequence[str | int], data: object) -> tuple[str | int, ...]:
    """Reduce pydantic's path to that of the data: it names the members of unions, too."""
    place: list[str | int] = []
    for step in loc:
        if isinstance(data, dict) and step in data:
            data = data[str(step)]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            continue
        place.append(step)
    return tuple(place[:-1] if loc[-1:] == ("[key]",) else place)


def _masked(at: Position, secret: Position) -> Position:
    """Hide a secret in the line that is shown: reports end up in logs that others read."""
    hidden = secret.text[: secret.column - 1] + "***"
    rest = secret.text[secret.column - 1 + secret.width :]
    return replace(at, text=hidden + rest, width=3 if at == secret else at.width)


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS = {
    "too_short": ("expected at least one entry, found none", "add one"),
    "too_long": ("expected at most {max_length:,} entries, found {actual_length:,}", ""),
    "string_too_short": ("the text is empty", "write something, or remove the key"),
    "string_pattern_mismatch": ("{found} is not a label name", "such as tenant or namespace"),
    "greater_than_equal": ("expected at least {ge}, found {found}", ""),
    "less_than_equal": ("expected at most {le:,}, found {found}", ""),
}


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
