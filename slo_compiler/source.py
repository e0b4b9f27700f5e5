"""Bytes in, plain data and the place of every value out.

YAML is read by node, never by `yaml.load`: so each value keeps its place, a duplicate key is an
error, `no` and `12:30` stay text (YAML 1.2's core schema), and 99.9 is Decimal("99.9").
Manifests are hostile until shown otherwise, so size, depth and alias expansion are capped first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from slo_compiler.diagnostics import Position, Report

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 100_000  # after alias expansion

Loc = Sequence[str | int]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The YAML 1.2 core schema: no sexagesimals, no dates, no yes/no/on/off."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}


for _tag, _regex, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_regex})$"), [*_first.replace("\0", ""), ""]
    )
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile("^<<$"), ["<"])


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its data, and where each value of it stands."""

    path: str
    data: Any
    node: yaml.Node
    lines: Sequence[str]

    def locate(self, loc: Loc = (), *, key: bool = False) -> Position:
        """Place of the value at `loc`, or of its key; of the nearest parent if there is none."""
        node, key_node = self.node, None
        for step in loc:
            found = _child(node, step)
            if found is None:
                break
            key_node, node = found
        else:
            if key and key_node is not None:
                node = key_node
            return self._position(node)
        # The path leads on to something that is not there: mark the key of its parent.
        return self._position(key_node if key_node is not None else _first_key(node))

    def within(self, loc: Loc, offset: int, width: int) -> Position:
        """Place of a part of the text at `loc`, for a caret under a token of a query."""
        at = self.locate(loc)
        node: yaml.Node | None = self.node
        for step in loc:
            found = _child(node, step) if node is not None else None
            node = found[1] if found else None
        if not isinstance(node, yaml.ScalarNode):
            return at
        token = node.value[offset : offset + width].split("\n")[0]
        # Which of the token's occurrences it is, so that folded and quoted text needs no decoding.
        nth = node.value[: offset + len(token)].count(token) if token else 0
        for number in range(node.start_mark.line, node.end_mark.line + 1):
            line = self.lines[number] if number < len(self.lines) else ""
            start = node.start_mark.column if number == node.start_mark.line else 0
            while nth and (start := line.find(token, start)) >= 0:
                nth -= 1
                if nth == 0:
                    return Position(self.path, number + 1, start + 1, max(len(token), 1), line)
                start += max(len(token), 1)
        return at

    def _position(self, node: yaml.Node) -> Position:
        mark, end = node.start_mark, node.end_mark
        line = self.lines[mark.line] if mark.line < len(self.lines) else ""
        same_line = mark.line == end.line and isinstance(node, yaml.ScalarNode)
        width = end.column - mark.column if same_line else len(line.rstrip()) - mark.column
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            width = 1
        return Position(self.path, mark.line + 1, mark.column + 1, max(width, 1), line)


def read_documents(path: str, content: bytes, report: Report) -> list[Document]:
    """Read all documents of one file; findings go to `report`, unreadable files give none."""
    if len(content) > MAX_BYTES:
        report.error(
            Position(path),
            "file-too-large",
            f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are read",
            "split it into one file per tenant",
        )
        return []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8", "replace")
        line = good.count("\n") + 1
        column = len(good) - (good.rfind("\n") + 1) + 1
        report.error(
            Position(path, line, column),
            "not-utf8",
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            "save the file as UTF-8",
        )
        return []
    lines = text.splitlines()
    try:
        _check_depth(text)
        nodes = [n for n in yaml.compose_all(text, Loader=_Loader) if n is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(path)
        if mark is not None:
            source = lines[mark.line] if mark.line < len(lines) else ""
            at = Position(path, mark.line + 1, mark.column + 1, 1, source)
        report.error(at, "yaml-syntax", f"not valid YAML: {error.problem or error.context}")
        return []
    except yaml.YAMLError as error:
        report.error(Position(path), "yaml-syntax", f"not valid YAML: {str(error).splitlines()[0]}")
        return []
    nodes = [n for n in nodes if not (isinstance(n, yaml.ScalarNode) and n.value == "")]
    if not nodes:
        report.error(
            Position(path), "empty-file", "the file holds no document", "delete it or fill it"
        )
    documents = []
    for node in nodes:
        shell = Document(path, None, node, lines)
        if _expanded(node, {}, set()) > MAX_NODES:
            report.error(
                shell.locate(),
                "yaml-bomb",
                f"aliases expand this document to more than {MAX_NODES:,} values",
                "write repeated parts as spec.defaults",
            )
            continue
        documents.append(Document(path, _construct(node, shell, report), node, lines))
    return documents


def _check_depth(text: str) -> None:
    """Refuse nesting that would exhaust the interpreter's stack, before anything recurses."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise yaml.MarkedYAMLError(
                    None, None, f"nested deeper than {MAX_DEPTH} levels", event.start_mark
                )  # type: ignore[arg-type]
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _expanded(node: yaml.Node, sizes: dict[int, int], open_: set[int]) -> int:
    """Count the values that a node stands for once its aliases are followed."""
    if id(node) in open_:
        return MAX_NODES + 1  # an alias to itself is infinite
    if id(node) not in sizes:
        open_.add(id(node))
        sizes[id(node)] = 1 + sum(_expanded(n, sizes, open_) for n in _children(node))
        open_.discard(id(node))
    return sizes[id(node)]


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _construct(node: yaml.Node, document: Document, report: Report) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        return _construct_mapping(node, document, report)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, document, report) for item in node.value]
    return _construct_scalar(node, document, report)


def _construct_scalar(node: yaml.Node, document: Document, report: Report) -> Any:  # noqa: ANN401
    kind = node.tag.rsplit(":", 1)[-1]
    if kind == "null":
        return None
    if kind == "bool":
        return node.value.lower() == "true"
    if kind == "int" and len(node.value) < 19:  # noqa: PLR2004  (what 64 bits hold)
        return int(node.value)
    if kind in ("int", "float"):
        return Decimal(node.value)
    if node.tag.startswith("tag:yaml.org,2002:str") or kind == "merge":
        return node.value
    at = document._position(node)  # noqa: SLF001
    report.error(at, "yaml-tag", f"the YAML tag {node.tag} has no meaning in a manifest")
    return node.value


def _construct_mapping(
    node: yaml.MappingNode, document: Document, report: Report
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    seen: dict[str, yaml.Node] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            bases = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for base in reversed(bases):
                if isinstance(base, yaml.MappingNode):
                    merged |= _construct_mapping(base, document, report)
            continue
        at = document._position(key)  # noqa: SLF001
        if not isinstance(key, yaml.ScalarNode):
            report.error(at, "yaml-key", "a key must be plain text")
            continue
        if key.value in seen:
            first = seen[key.value].start_mark.line + 1
            report.error(
                at,
                "duplicate-key",
                f'the key "{key.value}" stands here twice; first on line {first}',
                "remove one of them",
            )
            continue
        seen[key.value] = key
        data[key.value] = _construct(value, document, report)
    return merged | data


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key, value
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge" and (found := _child(value, step)):
                return found
    return None


def _first_key(node: yaml.Node) -> yaml.Node:
    if isinstance(node, yaml.MappingNode) and node.value:
        first: yaml.Node = node.value[0][0]
        return first
    return node
