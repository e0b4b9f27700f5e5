"""A document with mistakes, without them: so that all else of it is checked in the same run.

What is wrong is taken out, and what the model cannot do without is replaced by a stand-in. The
result is only good for finding more mistakes: the report has an error already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from slo_compiler.diagnostics import Position
from slo_compiler.frontend.finding import DocumentFinding
from slo_compiler.frontend.validate import ModelT, examine
from slo_compiler.schema.base import Strict
from slo_compiler.source import Document, Loc

ROUNDS = 20  # taking something out may show that something else is missing
_GONE = object()  # an item of a list that was taken out; the others keep their numbers
_QUERIES = ("errors", "total", "histogram", "gauge", "query", "error_ratio")
_STAND_IN = "stand_in"


@dataclass(frozen=True, slots=True)
class Pruned(Document):
    """A document some of whose values were taken out; each that is left keeps its place."""

    own: Document
    shifts: Mapping[Loc, Sequence[int]]  # of each list: the numbers that its items had

    @property
    def sources(self) -> Iterable[Document]:
        """The documents of templates that some of it comes from."""
        return self.own.sources

    def original(self, loc: Loc) -> Loc:
        """Path that a value had before anything was taken out."""
        return _original(tuple(loc), self.shifts)

    def final(self, loc: Loc) -> Loc:
        """Path that a value has now; of an item that was taken out, the path of its list."""
        return _final(loc, self.shifts)

    def locate(self, loc: Loc = (), *, key: bool = False) -> Position:
        """Place of the value at `loc`, or of its key."""
        return self.own.locate(self.original(loc), key=key)

    def within(self, loc: Loc, offset: int, width: int, wrong: Any = None) -> Position:  # noqa: ANN401
        """Place of a part of the text at `loc`."""
        return self.own.within(self.original(loc), offset, width, wrong)

    def blamed(self, loc: Loc) -> Position:
        """Place of whatever makes the value at `loc` wrong."""
        return self.own.blamed(self.original(loc))

    def declared(self, loc: Loc) -> Position:
        """Place that names the thing at `loc`."""
        return self.own.declared(self.original(loc))

    def has(self, loc: Loc) -> bool:
        """Whether there is a value at `loc`."""
        return self.own.has(self.original(loc))

    def text(self, loc: Loc) -> str:
        """Give a scalar as it was written."""
        return self.own.text(self.original(loc))


@dataclass(frozen=True, slots=True)
class Repaired:
    """A model of what is left, its document, and the paths of what is not there any more."""

    model: Strict
    document: Pruned
    lost: frozenset[Loc]


def repair(kind: type[ModelT], document: Document) -> Repaired | None:
    """Take out what is wrong; None if nothing worth a check is left."""
    work, lost = _copied(document.data), set[Loc]()
    for _ in range(ROUNDS):
        shifts: dict[Loc, list[int]] = {}
        data = _compacted(work, (), shifts)
        model, findings = examine(kind, data)
        if model is not None and not findings:
            view = Pruned(document.path, data, document.node, document.lines, document, shifts)
            return Repaired(model, view, frozenset(_final(loc, shifts) for loc in lost))
        for finding in findings:
            if finding.id != "too-many" and not _mend(work, finding, shifts, lost):
                return None
    return None


def _mend(
    work: Any,  # noqa: ANN401
    finding: DocumentFinding,
    shifts: Mapping[Loc, Sequence[int]],
    lost: set[Loc],
) -> bool:
    """Take out what a finding is about; false if that is the whole document."""
    loc = _original(finding.place, shifts)
    if finding.meant:
        lost.add((*loc[:-1], finding.meant))
    if finding.moved:
        lost.add((*_original(finding.moved, shifts), finding.key))
    if _is_gone(work, loc):
        return True
    if finding.id == "one-of":
        loc = _choice(work, loc)
    if finding.id in ("missing-key", "one-of") and loc:
        parent, stand_in = _get(work, loc[:-1]), _stand_in(loc)
        if isinstance(parent, dict) and loc[-1] not in parent and stand_in is not None:
            parent[loc[-1]] = stand_in
            lost.add(loc)
            return True
    while loc and _get(work, loc) is _GONE:
        loc = loc[:-1]
    if loc:
        _take_out(_get(work, loc[:-1]), loc[-1])
        lost.add(loc)
    return loc != ()


def _is_gone(work: Any, loc: Loc) -> bool:  # noqa: ANN401
    """Whether another finding of the same round took this out, or what it is in."""
    of_list = isinstance(loc[-1], int) if loc else False
    return _get(work, loc[:-1]) is _GONE or (of_list and _get(work, loc) is _GONE)


def _choice(work: Any, loc: Loc) -> Loc:  # noqa: ANN401
    """Give the key to change where exactly one of several must be given."""
    body = _get(work, loc)
    if loc[-1:] == ("ratio",):
        return (*loc, "good" if isinstance(body, dict) and "good" in body else "errors")
    if loc[:2] == ("spec", "channels") and len(loc) == 3:  # noqa: PLR2004  (the channel itself)
        for kind in [key for key in body if key != "name"]:
            del body[kind]
        return (*loc, "webhook")
    return loc


def _take_out(parent: Any, last: str | int) -> None:  # noqa: ANN401
    if isinstance(parent, dict):
        del parent[last]
    elif isinstance(parent, list) and isinstance(last, int):
        parent[last] = _GONE


def _stand_in(loc: Loc) -> Any:  # noqa: ANN401
    """Give a value for a key that is needed; None if what it is part of is better taken out."""
    match loc:
        case ("metadata", "name" | "owner"):
            return "stand-in"
        case ("spec",):
            return {}
        case ("spec", "channels", _, "webhook"):
            return {"url": "http://stand-in.invalid/"}
        case ("spec", "slos"):
            return [{key: _of_slo((0, key)) for key in ("name", "service", "sli")}]
        case ("spec", "slos", *path):
            return _of_slo(tuple(path))
    return None


def _of_slo(path: Loc) -> Any:  # noqa: ANN401
    """Give a stand-in for a part of an SLO, of which the path begins with the number."""
    match path:
        case (index, "name" | "service"):
            return f"stand-in-{index}"
        case (_, "sli"):
            return {"ratio": {"errors": _STAND_IN, "total": _STAND_IN}}
        case (_, "sli", kind, key):
            bound = {"latency/threshold": "1s", "threshold/op": "<", "threshold/value": Decimal(1)}
            return _STAND_IN if key in _QUERIES else bound.get(f"{kind}/{key}")
    return None


def _get(data: Any, loc: Loc) -> Any:  # noqa: ANN401
    """Give the value at a path, or a mark that there is none."""
    for step in loc:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return _GONE
    return data


def _copied(data: Any) -> Any:  # noqa: ANN401
    if isinstance(data, dict):
        return {key: _copied(value) for key, value in data.items()}
    return [_copied(value) for value in data] if isinstance(data, list) else data


def _compacted(data: Any, loc: Loc, shifts: dict[Loc, list[int]]) -> Any:  # noqa: ANN401
    """Leave out what was taken out of lists, and note the numbers that the items had."""
    if isinstance(data, dict):
        return {key: _compacted(value, (*loc, key), shifts) for key, value in data.items()}
    if not isinstance(data, list):
        return data
    kept = [index for index, value in enumerate(data) if value is not _GONE]
    if len(kept) < len(data):
        shifts[loc] = kept
    return [_compacted(data[old], (*loc, new), shifts) for new, old in enumerate(kept)]


def _original(loc: Loc, shifts: Mapping[Loc, Sequence[int]]) -> Loc:
    steps: list[str | int] = []
    for number, step in enumerate(loc):
        kept = shifts.get(loc[:number])
        known = kept is not None and isinstance(step, int) and step < len(kept)
        steps.append(kept[int(step)] if known and kept is not None else step)
    return tuple(steps)


def _final(loc: Loc, shifts: Mapping[Loc, Sequence[int]]) -> Loc:
    """Path in what is left; of an item that was taken out, the path of its list."""
    steps: list[str | int] = []
    for step in loc:
        kept = shifts.get(tuple(steps))
        if kept is not None and isinstance(step, int):
            if step not in kept:
                break
            steps.append([*kept].index(step))
        else:
            steps.append(step)
    return tuple(steps)
