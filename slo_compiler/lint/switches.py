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
MAX_COMMENTS = 1_000  # of one document: manifests are hostile, and each is held to each finding
_HOW = "write # slo-compiler: disable=<ID>[,<ID>] -- <reason>"


_Comment = tuple[int, re.Match[str]]  # its line, and where it is in it


@dataclass(frozen=True, slots=True)
class _Span:
    first: int  # lines, from 1
    last: int

    def holds(self, line: int) -> bool:
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
        return position.path == self.path and any(s.holds(position.line) for s in self.spans)


@dataclass(slots=True)
class Switches:
    """All switches of a run; each remembers whether it kept anything quiet."""

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

    def unused(self, *, whole: bool) -> Iterator[Finding]:
        """Give the switches that kept nothing quiet, once all lints have run."""
        for switch in (s for same in self.switches.values() for s in same):
            judged = not switch.project or whole or {*(switch.tenants or ())} & {*self.compiled}
            if switch.used or not judged:
                continue
            yield Finding(switch.at, f"{switch.id} finds nothing here to keep quiet", "remove it")


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
        assert context.document is not None  # noqa: S101  (what it holds was read from it)
        return context.document.locate(("spec", "lint", *path))

    for index, switch in enumerate(context.project.lint.disable):
        if _is_known(switch.id, at("disable", index, "id"), known, switches):
            at_id = at("disable", index, "id")
            switches.add(_Switch(switch.id, at_id, tenants=switch.tenants, project=True))
    for index, id_ in enumerate(context.project.lint.locked):
        _is_known(id_, at("locked", index), known, switches)


def _is_known(id_: str, at: Position, known: Collection[str], switches: Switches) -> bool:
    if id_ not in known:
        hint = nearest(id_, known)
        hint = hint if hint.startswith("did you mean") else "`slo-compiler lints` lists them"
        switches.broken.append(Finding(at, f'no lint "{id_[:80]}" that can be switched off', hint))
    return id_ in known


def _read_comments(
    document: Document, known: Collection[str], locked: Collection[str], switches: Switches
) -> None:
    texts = sorted(_scalars(document.node), key=_start)
    found = [*islice(_comments(document, texts), MAX_COMMENTS + 1)]
    if not found:
        return
    extents, following = _extents(document, texts), _following(document.lines)
    if len(found) > MAX_COMMENTS:
        at = Position(document.path, found[-1][0])
        message = f"a document holds more than {MAX_COMMENTS:,} switches: the rest is not read"
        switches.broken.append(Finding(at, message, "repair what is found, or split the document"))
    for line, comment in found[:MAX_COMMENTS]:
        words, text = comment["words"], comment.string
        at = Position(document.path, line, comment.start() + 1, len(comment[0].rstrip()), text)
        parsed = _DISABLE.fullmatch(words.strip())
        if parsed is None:
            switches.broken.append(Finding(at, "this comment says nothing that is known", _HOW))
            continue
        alone = not text[: comment.start()].strip()
        target = following[line - 1] if alone else line
        spans = [_Span(target, target), *extents.get(target, ())]
        column = comment.start("words") + 1
        for id_ in re.split(r"\s*,\s*", parsed["ids"]):
            start = column + words.index(id_, parsed.start("ids"))
            here = Position(document.path, line, start, len(id_), text)
            if not _is_known(id_, here, known, switches):
                continue
            if id_ in locked:
                message = f"the project keeps {id_} on: it is locked"
                hint = "remove this, or ask who owns the project file"
                switches.broken.append(Finding(here, message, hint))
            elif not (parsed["why"] or "").strip():
                message = f"{id_} is not switched off: there is no reason"
                switches.broken.append(Finding(here, message, _HOW))
            else:
                switches.add(_Switch(id_, here, document.path, spans))


def _comments(document: Document, texts: Sequence[yaml.ScalarNode]) -> Iterator[_Comment]:
    """Give the comments for us between a document's first line and its last, and their line."""
    starts = [_start(text) for text in texts]
    first, last = document.node.start_mark.line, document.node.end_mark.line + 1
    for number, line in enumerate(document.lines[first:last], first):
        comment = _COMMENT.search(line)
        if comment is None:
            continue
        before = bisect_right(starts, (number, comment.start())) - 1
        if before < 0 or not _inside(texts[before], number, comment.start()):
            yield number + 1, comment


def _inside(text: yaml.ScalarNode, line: int, column: int) -> bool:
    """Whether a place is in a text; a comment in a block of PromQL is one to us, too."""
    if text.style == "|" or (text.style == ">" and line == text.start_mark.line):
        return False
    return (line, column) < (text.end_mark.line, text.end_mark.column)


def _following(lines: Sequence[str]) -> list[int]:
    """Give for each line the next one, or itself, that holds more than a comment."""
    following, after = [0] * len(lines), len(lines)
    for number in range(len(lines) - 1, -1, -1):
        if not _EMPTY.fullmatch(lines[number]):
            after = number + 1
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
