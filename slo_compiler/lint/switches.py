"""Which lints are switched off where: comments in manifests, and the project's list."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import yaml

from slo_compiler.diagnostics import Position, nearest
from slo_compiler.lint.base import Context, Finding
from slo_compiler.source import Document

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*slo-compiler:\s*(?P<words>.*)")
_DISABLE = re.compile(r"disable\s*=\s*(?P<ids>[^\s,]+(?:\s*,\s*[^\s,]+)*)(?:\s+--\s*(?P<why>.*))?")
_EMPTY = re.compile(r"\s*(#.*)?")
MAX_IDS = 1_000  # of one document: manifests are hostile, and each is compared with each finding
_HOW = "write # slo-compiler: disable=<ID>[,<ID>] -- <reason>"


@dataclass(frozen=True, slots=True)
class _Span:
    first: int  # lines, from 1
    last: int

    def covers(self, line: int) -> bool:
        return self.first <= line <= self.last


@dataclass(slots=True)
class _Switch:
    """One ID that is off: on some lines of a file, or for some tenants of a project."""

    id: str
    at: Position
    path: str = ""
    spans: Sequence[_Span] = ()
    tenants: Collection[str] | None = None
    project: bool = False
    used: bool = False

    def covers(self, position: Position, tenant: str) -> bool:
        if self.project:
            return self.tenants is None or tenant in self.tenants
        return position.path == self.path and any(s.covers(position.line) for s in self.spans)


@dataclass(frozen=True, slots=True)
class Unused:
    """A switch that suppressed nothing in one unit; in another it may have."""

    id: str
    at: Position
    project: bool
    tenants: frozenset[str]  # of a project's switch: whom it is for; empty if it is for all


@dataclass(frozen=True, slots=True)
class Switched:
    """Which switches of a unit were used, and which were not."""

    used: frozenset[tuple[str, Position]] = frozenset()
    unused: tuple[Unused, ...] = ()
    tenants: frozenset[str] = frozenset()
    complete: bool = True


def unused(units: Sequence[Switched], *, whole: bool) -> Iterator[Finding]:
    """Give the switches that suppressed nothing in any unit.

    A project's switch is judged if all tenants of the project were looked at, or one it is for.
    """
    if not all(unit.complete for unit in units):
        return  # a lint may have had nothing to look at yet
    used = frozenset[tuple[str, Position]]().union(*(unit.used for unit in units))
    tenants = frozenset[str]().union(*(unit.tenants for unit in units))
    for switch in dict.fromkeys(switch for unit in units for switch in unit.unused):
        judged = not switch.project or whole or switch.tenants & tenants
        if judged and (switch.id, switch.at) not in used:
            yield Finding(switch.at, f"{switch.id} has nothing here to suppress", "remove it")


@dataclass(slots=True)
class Switches:
    """All switches of a run; each remembers whether it suppressed anything."""

    compiled: Collection[str]  # names of the tenants of this run
    switches: dict[str, list[_Switch]] = field(default_factory=dict)  # by ID
    broken: list[Finding] = field(default_factory=list)

    def add(self, switch: _Switch) -> None:
        """Remember one."""
        self.switches.setdefault(switch.id, []).append(switch)

    def silence(self, id_: str, position: Position, tenant: str) -> bool:
        """Whether a finding is switched off."""
        covering = [s for s in self.switches.get(id_, ()) if s.covers(position, tenant)]
        for switch in covering:
            switch.used = True
        return bool(covering)

    def result(self, *, complete: bool) -> Switched:
        """Give what was switched off and what was not, once all lints have run.

        `complete` is whether the lints could look at everything.
        """
        found = [each for same in self.switches.values() for each in same]
        return Switched(
            frozenset((each.id, each.at) for each in found if each.used),
            tuple(
                Unused(each.id, each.at, each.project, frozenset(each.tenants or ()))
                for each in found
                if not each.used
            ),
            frozenset(self.compiled),
            complete,
        )


def read_switches(context: Context, known: Collection[str]) -> Switches:
    """Read the project's list, and the comments of all documents that findings can be in."""
    switches = Switches({tenant.name for tenant in context.tenants})
    _read_project(context, known, switches)
    documents = {id(d): d for d in ([context.document] if context.document else [])}
    tenants_own = {}
    for tenant in context.tenants:
        slos = tenant.slos
        for document in (
            tenant.document,
            *tenant.document.sources,
            *(slo.document for slo in slos),
            *(slo.policy.document for slo in slos),
        ):
            documents[id(document)] = document
        tenants_own[id(tenant.document)] = tenant.document
    for key, document in documents.items():
        locked = context.project.lint.locked if key in tenants_own else ()
        _read_comments(document, known, locked, switches)
    return switches


def _read_project(context: Context, known: Collection[str], switches: Switches) -> None:
    def at(*path: str | int) -> Position:
        assert context.document is not None  # noqa: S101  (its content was read from it)
        return context.document.locate(("spec", "lint", *path))

    for index, switch in enumerate(context.project.lint.disable):
        if _is_known(switch.id, at("disable", index, "id"), known, switches):
            at_id = at("disable", index, "id")
            switches.add(_Switch(switch.id, at_id, tenants=switch.tenants, project=True))
    for index, id_ in enumerate(context.project.lint.locked):
        _is_known(id_, at("locked", index), known, switches)


def _is_known(id_: str, at: Position, known: Collection[str], switches: Switches) -> bool:
    if id_ not in known:
        hint = nearest(id_[:80], known)
        hint = hint if hint.startswith("did you mean") else "`slo-compiler lints` lists them"
        switches.broken.append(Finding(at, f'no lint "{id_[:80]}" that can be switched off', hint))
    return id_ in known


def _read_comments(
    document: Document, known: Collection[str], locked: Collection[str], switches: Switches
) -> None:
    if not any(map(_COMMENT.search, document.lines)):
        return
    texts = sorted(_scalars(document.node), key=_start)
    found = [*islice(_ids(document, texts), MAX_IDS + 1)]
    extents = _extents(document, texts) if found else {}
    following = _following(document) if found else {}
    for here, words in found[:MAX_IDS]:
        if words is None:
            switches.broken.append(Finding(here, "this comment cannot be understood", _HOW))
            continue
        id_ = here.text[here.column - 1 :][: here.width]
        if not _is_known(id_, here, known, switches):
            continue
        if id_ in locked:
            message = f"the project keeps {id_} on: it is locked"
            hint = "remove this, or ask the owner of the project file"
            switches.broken.append(Finding(here, message, hint))
        elif not (words["why"] or "").strip():
            message = f"{id_} is not switched off: there is no reason"
            switches.broken.append(Finding(here, message, _HOW))
        else:
            alone = here.text.lstrip().startswith("#")
            target = following[here.line] if alone else here.line
            spans = [_Span(target, target), *extents.get(target, ())]
            switches.add(_Switch(id_, here, document.path, spans))
    if len(found) > MAX_IDS:
        message = f"a document holds more than {MAX_IDS:,} switches: the rest is not read"
        hint = "repair what is found, or split the document"
        switches.broken.append(Finding(found[-1][0], message, hint))


def _ids(
    document: Document, texts: Sequence[yaml.ScalarNode]
) -> Iterator[tuple[Position, re.Match[str] | None]]:
    """Give the place of each ID in the comments for us, and the words around it if they fit."""
    for number, comment in _comments(document, texts):
        line, start = comment.string, comment.start("words")
        words = _DISABLE.fullmatch(line.rstrip(), start)
        if words is None:
            width = len(comment[0].rstrip())
            yield Position(document.path, number, comment.start() + 1, width, line), None
            continue
        for id_ in re.compile(r"[^\s,]+").finditer(line, *words.span("ids")):
            place = id_.start() + 1, len(id_[0])
            yield Position(document.path, number, *place, line), words


def _comments(
    document: Document, texts: Sequence[yaml.ScalarNode]
) -> Iterator[tuple[int, re.Match[str]]]:
    """Give the comments for us from above a document's first key to its end, and their line."""
    starts = [_start(text) for text in texts]
    for number in _lines(document):
        comment = _COMMENT.search(document.lines[number - 1])
        if comment is None:
            continue
        place = (number - 1, comment.start())
        before = bisect_right(starts, place) - 1
        if before < 0 or not _inside(texts[before], *place):
            yield number, comment


def _lines(document: Document) -> range:
    """Give the numbers of a document's lines, with the comments above its first key."""
    first = document.node.start_mark.line
    while first > 0 and _EMPTY.fullmatch(document.lines[first - 1]):
        first -= 1
    return range(first + 1, min(document.node.end_mark.line + 1, len(document.lines)) + 1)


def _inside(text: yaml.ScalarNode, line: int, column: int) -> bool:
    """Whether a place is in a text; a comment in a block of PromQL is one to us, too."""
    if text.style == "|" or (text.style == ">" and line == text.start_mark.line):
        return False
    return (line, column) < (text.end_mark.line, text.end_mark.column)


def _following(document: Document) -> dict[int, int]:
    """Give for each line the next one, or itself, that has more than a comment."""
    following, after = {}, 0
    for number in reversed(_lines(document)):
        if not _EMPTY.fullmatch(document.lines[number - 1]):
            after = number
        following[number] = after
    return following


def _extents(document: Document, texts: Sequence[yaml.ScalarNode]) -> dict[int, list[_Span]]:
    """Give, by their first line, what a comment can be for as a whole: texts, and SLOs by name."""
    extents: dict[int, list[_Span]] = {}
    for text in texts:
        first, last = text.start_mark.line + 1, _last(text)
        if last > first:
            extents.setdefault(first, []).append(_Span(first, last))
    slos = _value(_value(document.node, "spec"), "slos")
    for slo in slos.value if isinstance(slos, yaml.SequenceNode) else ():
        name = _value(slo, "name")
        if name is not None:
            lines = [slo.start_mark.line + 1, *map(_last, _scalars(slo))]
            extents.setdefault(name.start_mark.line + 1, []).append(_Span(min(lines), max(lines)))
    return extents


def _start(text: yaml.ScalarNode) -> tuple[int, int]:
    return text.start_mark.line, text.start_mark.column


def _last(text: yaml.ScalarNode) -> int:
    """The last line of a text; a block ends at the start of the line after it."""
    end = text.end_mark
    return max(text.start_mark.line + 1, int(end.line) + bool(end.column))


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return value  # type: ignore[no-any-return]  # PyYAML's nodes are untyped
    return None


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Give all texts of a document, each once however many aliases name it."""
    stack, seen = [node], set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield node
        elif isinstance(node, yaml.SequenceNode):
            stack += node.value
        elif isinstance(node, yaml.MappingNode):
            stack += [part for pair in node.value for part in pair]
