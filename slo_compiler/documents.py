"""Bytes in, plain data and the place of every value out.

YAML is read by node, never by `yaml.load`: so each value keeps its place, a duplicate key is an
error, `no` and `12:30` stay text (YAML 1.2's core schema), and 99.9 is Decimal("99.9").
Manifests are hostile until shown otherwise, so size, depth and alias expansion are capped first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import yaml

from slo_compiler.characters import REORDERING, UNSEEN
from slo_compiler.diagnostics import Position, Report
from slo_compiler.source import MAX_BYTES, MERGE, Document, bases
from slo_compiler.yaml_syntax import syntax_error

MAX_DEPTH = 64
MAX_NODES = 100_000  # after alias expansion
# What YAML does not allow in a file, and what a reviewer would not see; a scalar may have it as an
# escape.
_CONTROL = re.compile(
    f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff{REORDERING}{UNSEEN}]"
)
_TAG = "tag:yaml.org,2002:"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The YAML 1.2 core schema: no sexagesimals, no dates, no yes/no/on/off."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}


_SCALARS = {  # what each tag looks like, and how that begins
    f"{_TAG}bool": (re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), "tTfF"),
    f"{_TAG}null": (re.compile(r"(?:~|null|Null|NULL|)\Z"), "~nN"),
    f"{_TAG}int": (re.compile(r"[-+]?[0-9]+\Z"), "-+0123456789"),
    f"{_TAG}float": (
        re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"),
        "-+.0123456789",
    ),
}
for _tag, (_regex, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(_tag, _regex, [*_first, ""])
_Loader.add_implicit_resolver(MERGE, re.compile(r"<<\Z"), ["<"])


def read_documents(path: str, content: bytes, report: Report) -> list[Document]:
    """Read all documents of one file; findings go to `report`, unreadable files give none."""
    if len(content) > MAX_BYTES:
        report.error(
            Position(path),
            "file-too-large",
            f"the file is larger than {MAX_BYTES:,} bytes",
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
    if control := _CONTROL.search(text):
        before = text[: control.start()].splitlines(keepends=True) or [""]
        if before[-1].endswith(("\n", "\r")):
            before.append("")
        at = Position(path, len(before), len(before[-1]) + 1, 1, before[-1] + control[0])
        report.error(
            at,
            "control-character",
            f"the file holds the control character U+{ord(control[0]):04X}",
            "remove it",
        )
        return []
    lines = text.splitlines()
    try:
        plain = _is_plain(text)
        nodes = [n for n in yaml.compose_all(text, Loader=_Loader) if n is not None]
    except yaml.MarkedYAMLError as error:
        report.error(*syntax_error(path, lines, error))
        return []
    except yaml.YAMLError as error:
        report.error(Position(path), "yaml-syntax", f"not valid YAML: {str(error).splitlines()[0]}")
        return []
    nodes = [n for n in nodes if not (isinstance(n, yaml.ScalarNode) and n.value == "")]
    if not nodes:
        report.error(
            Position(path), "empty-file", "the file holds no document", "delete it or fill it"
        )
    shells = [Document(path, None, node, lines) for node in nodes]
    return [
        replace(shell, data=_construct(shell.node, shell, report))
        for shell in shells
        if plain or _is_bounded(shell, report)
    ]


def _is_bounded(document: Document, report: Report) -> bool:
    """Whether a document stays within limits once its aliases are followed."""
    try:
        _expanded(document.node, {}, set())
    except _TooMuchError as error:
        report.error(document.place_of(error.node), error.id, error.message, error.help)
        return False
    return True


def _is_plain(text: str) -> bool:
    """Whether a text has no aliases, and not more values than a document may have.

    Nesting that would exhaust the interpreter's stack is refused, before anything recurses.
    """
    depth = events = aliases = 0
    for event in yaml.parse(text, Loader=_Loader):
        events += 1
        if isinstance(event, yaml.ScalarEvent):  # most are
            continue
        aliases += isinstance(event, yaml.AliasEvent)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark: Any = event.start_mark  # its type depends on whether LibYAML is there
                raise yaml.MarkedYAMLError(
                    None, None, f"nested deeper than {MAX_DEPTH} levels", mark
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return not aliases and events <= MAX_NODES


class _TooMuchError(Exception):
    """What a node would expand to is too large."""

    def __init__(self, node: yaml.Node, id_: str, message: str, help_: str) -> None:
        self.node, self.id, self.message, self.help = node, id_, message, help_


def _expanded(
    node: yaml.Node, sizes: dict[int, tuple[int, int]], open_: set[int]
) -> tuple[int, int]:
    """Count the values of a node once its aliases are followed, and their levels.

    Raises:
        _TooMuchError: at the innermost node that is too large.
    """
    if id(node) in open_:
        raise _TooMuchError(
            node, "yaml-bomb", "this value holds an alias to itself", "remove the alias"
        )
    if id(node) not in sizes:
        open_.add(id(node))
        inner = [_expanded(n, sizes, open_) for n in _children(node)]
        size, depth = 1 + sum(s for s, _ in inner), 1 + max((d for _, d in inner), default=0)
        if size > MAX_NODES:
            raise _TooMuchError(
                node,
                "yaml-bomb",
                f"this holds more than {MAX_NODES:,} values, each alias counted as what it names",
                "write repeated parts as spec.defaults, or split the file",
            )
        if depth > MAX_DEPTH + 1:  # a scalar is a level, too
            raise _TooMuchError(
                node,
                "yaml-bomb",
                f"aliases nest this deeper than {MAX_DEPTH} levels",
                "write repeated parts as spec.defaults",
            )
        sizes[id(node)] = size, depth
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
        _check_tag(node, "map", document, report)
        return _construct_mapping(node, document, report)
    if isinstance(node, yaml.SequenceNode):
        _check_tag(node, "seq", document, report)
        return [_construct(item, document, report) for item in node.value]
    return _construct_scalar(node, document, report)


def _construct_scalar(node: yaml.Node, document: Document, report: Report) -> Any:  # noqa: ANN401
    regex, _ = _SCALARS.get(node.tag, (None, ""))
    if regex is None or not regex.match(node.value):  # a tag that was written, not resolved
        if node.tag != MERGE:
            _check_tag(node, "str", document, report)
        return node.value
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return node.value.lower() == "true"
        case "int" if len(node.value) < 19:  # noqa: PLR2004  (it fits into 64 bits)
            return int(node.value)
        case _:
            return Decimal(node.value)


def reads_as_text(value: str) -> bool:
    """Whether an unquoted scalar is text, and no number, truth value, null or merge key."""
    return value != "<<" and not any(regex.match(value) for regex, _ in _SCALARS.values())


def _check_tag(node: yaml.Node, expected: str, document: Document, report: Report) -> None:
    if node.tag != _TAG + expected:
        report.error(
            document.place_of(node),
            "yaml-tag",
            f"the YAML tag {node.tag.replace(_TAG, '!!')} has no meaning here",
            "remove it",
        )


def _construct_mapping(
    node: yaml.MappingNode, document: Document, report: Report
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    seen: dict[str, yaml.Node] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            at = document.place_of(key)
            report.error(at, "yaml-key", "a key must be plain text", "name it by one word")
            continue
        if key.tag == MERGE and key.value not in seen:
            seen[key.value] = key
            for base in reversed(bases(value)):
                if isinstance(base, yaml.MappingNode):
                    merged |= _construct_mapping(base, document, report)
                else:
                    at = document.place_of(key)
                    report.error(at, "yaml-key", "<< merges mappings only", "remove it")
            continue
        if key.value in seen:
            first = seen[key.value].start_mark.line + 1
            report.error(
                document.place_of(key),
                "duplicate-key",
                f'the key "{key.value}" is here twice; first on line {first}',
                "remove one of them",
            )
            continue
        seen[key.value] = key
        data[key.value] = _construct(value, document, report)
    return merged | data
