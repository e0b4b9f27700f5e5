"""Bytes in, plain data and the place of every value out.

YAML is read by node, never by `yaml.load`: so each value keeps its place, a duplicate key is an
error, `no` and `12:30` stay text (YAML 1.2's core schema), and 99.9 is Decimal("99.9").
Manifests are hostile until shown otherwise, so size, depth and alias expansion are capped first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import yaml

from slo_compiler.characters import REORDERING, UNSEEN
from slo_compiler.diagnostics import Diagnostic, Position, Report

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 100_000  # after alias expansion
# What YAML does not allow in a file, and what a reviewer would not see; a scalar may hold it as an
# escape.
_CONTROL = re.compile(
    f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff{REORDERING}{UNSEEN}]"
)
_TAG = "tag:yaml.org,2002:"

Loc = tuple[str | int, ...]
_Found = tuple[yaml.Node | None, yaml.Node]  # a key, if there is one, and the value


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
_Loader.add_implicit_resolver(f"{_TAG}merge", re.compile(r"<<\Z"), ["<"])


@lru_cache(maxsize=256)  # every alert of a file names its digest
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input: the path to show, its name in the repo, and its bytes.

    The name is relative to the project, so that outputs that hold it are the same everywhere.
    """

    path: str
    name: str
    content: bytes
    # Files of other tools that it names, by what it writes; None until they were looked for.
    imports: tuple[tuple[str, tuple[SourceFile, ...]], ...] | None = None
    problems: tuple[Diagnostic, ...] = ()  # why some of these could not be read

    @property
    def imported(self) -> tuple[SourceFile, ...]:
        """The files of other tools, each once."""
        files = {file.path: file for _, named in self.imports or () for file in named}
        return tuple(files.values())

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return _digest(self.content)

    @property
    def version(self) -> str:
        """Name and begin of the digest of it and of what it imports: what alerts came from."""
        files = (self, *self.imported)
        return ", ".join(f"{file.name} sha256:{file.digest[:12]}" for file in files)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its data, and where each value of it stands."""

    path: str
    data: Any
    node: yaml.Node
    lines: Sequence[str]
    # Nodes by their place, with their keys: findings and rules ask for the same again and again.
    _seen: dict[Loc, _Found | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def sources(self) -> Iterable[Document]:
        """Other documents that some of it comes from: here, none."""
        return ()

    def at(self, *path: str | int, key: bool = False) -> Position:
        """Place of the value at a path, or of its key."""
        return self.locate(path, key=key)

    def locate(self, loc: Loc = (), *, key: bool = False) -> Position:
        """Place of the value at `loc`, or of its key; of the nearest parent if there is none."""
        if (found := self._lookup(loc)) is not None:
            key_node, node = found
            return self._position(key_node if key and key_node is not None else node)
        # The path leads on to something that is not there: mark the key of its parent.
        while (found := self._lookup(loc := loc[:-1])) is None:
            pass
        key_node, node = found
        return self._position(key_node if key_node is not None else _first_key(node))

    def within(
        self,
        loc: Loc,
        offset: int,
        width: int,
        wrong: Callable[[str], bool] | None = None,  # noqa: ARG002  (of use where texts are made)
    ) -> Position:
        """Place of a part of the text at `loc`, for a caret under a token of a query."""
        at, node = self.locate(loc), self._node(loc)
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

    def blamed(self, loc: Loc) -> Position:
        """Place of whatever makes the value at `loc` wrong: here, the value."""
        return self.locate(loc)

    def declared(self, loc: Loc) -> Position:
        """Place that stands for the named thing at `loc`: here, its name."""
        return self.locate((*loc, "name"))

    def has(self, loc: Loc) -> bool:
        """Whether there is a value at `loc`."""
        return self._node(loc) is not None

    def text(self, loc: Loc) -> str:
        """Give a scalar as it was written, less quotes and escapes."""
        node = self._node(loc)
        return node.value if isinstance(node, yaml.ScalarNode) else ""

    def _node(self, loc: Loc) -> yaml.Node | None:
        found = self._lookup(loc)
        return found[1] if found else None

    def _lookup(self, loc: Loc) -> _Found | None:
        """Find the node at `loc`, and its key."""
        if not loc:
            return None, self.node
        if loc not in self._seen:
            parent = self._lookup(loc[:-1])
            self._seen[loc] = _child(parent[1], loc[-1]) if parent else None
        return self._seen[loc]

    def _position(self, node: yaml.Node) -> Position:
        mark, end = node.start_mark, node.end_mark
        line = self.lines[mark.line] if mark.line < len(self.lines) else ""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            width = 1
        elif mark.line == end.line:
            width = end.column - mark.column
        else:
            width = len(line.rstrip()) - mark.column
        return Position(self.path, mark.line + 1, mark.column + 1, max(width, 1), line)


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
        report.error(*_syntax_error(path, lines, error))
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
        report.error(document._position(error.node), error.id, error.message, error.help)  # noqa: SLF001
        return False
    return True


def _is_plain(text: str) -> bool:
    """Whether a text has no aliases, and not more values than a document may have.

    Nesting that would exhaust the interpreter's stack is refused, before anything recurses.
    """
    depth = events = aliases = 0
    for event in yaml.parse(text, Loader=_Loader):
        events += 1
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


def _syntax_error(
    path: str, lines: Sequence[str], error: yaml.MarkedYAMLError
) -> tuple[Position, str, str, str]:
    """Tell where YAML broke; at the end of the file, the end of its last line is marked."""
    mark = error.problem_mark or error.context_mark
    at, problem = Position(path), str(error.problem or error.context)
    if mark is not None and mark.line < len(lines):
        at = Position(path, mark.line + 1, mark.column + 1, 1, lines[mark.line])
    elif lines:
        at = Position(path, len(lines), len(lines[-1]) + 1, 1, lines[-1])
    hint = next((hint for words, hint in _HINTS.items() if words in problem), "")
    begin = error.context_mark
    hint = _comment_hint(lines[: at.line]) or hint
    if any(words in problem for words in _INDENTATION):
        hint = _indentation_hint(lines, at.line) or hint
    if not hint and error.context and begin is not None and begin.line + 1 < at.line:
        hint = f"{error.context}, which begins on line {begin.line + 1}"
    return at, "yaml-syntax", f"not valid YAML: {problem}", hint


_INDENTATION = (
    "did not find expected key",
    "did not find expected '-' indicator",
    "mapping values are not allowed",
)
_UNQUOTED = re.compile(r":\s+(#[^\s,}\]\"']+)[,}\]]")


def _comment_hint(lines: Sequence[str]) -> str:
    """Find a text that begins with # and is not quoted: the rest of its line is a comment."""
    for number, line in reversed([*enumerate(lines, start=1)]):
        if found := _UNQUOTED.search(line):
            return f'"#" begins a comment on line {number}: put it into quotes, "{found[1]}"'
    return ""


def _indentation_hint(lines: Sequence[str], at: int) -> str:
    """Say how far the line is off, if it is indented almost like the one before."""
    texts = [line for line in lines[: at - 1] if line.strip() and not line.lstrip().startswith("#")]
    if not texts or at > len(lines):
        return ""
    here, before = (len(line) - len(line.lstrip(" -")) for line in (lines[at - 1], texts[-1]))
    if abs(here - before) != 1:
        return ""
    return f"this line is indented by {here}, the one before by {before}: indent both the same"


_HINTS = {
    "mapping values are not allowed": 'put text that holds ": " into quotes',
    "cannot start any token": "put text that begins with this character into quotes",
    "tab character": "indent with spaces",
    "undefined alias": "put text that begins with * into quotes, or define the anchor first",
}


class _TooMuchError(Exception):
    """What a node would expand to is too large."""

    def __init__(self, node: yaml.Node, id_: str, message: str, help_: str) -> None:
        self.node, self.id, self.message, self.help = node, id_, message, help_


def _expanded(
    node: yaml.Node, sizes: dict[int, tuple[int, int]], open_: set[int]
) -> tuple[int, int]:
    """Count the values that a node stands for once its aliases are followed, and their levels.

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
        if node.tag != f"{_TAG}merge":
            _check_tag(node, "str", document, report)
        return node.value
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return node.value.lower() == "true"
        case "int" if len(node.value) < 19:  # noqa: PLR2004  (what 64 bits hold)
            return int(node.value)
        case _:
            return Decimal(node.value)


def reads_as_text(value: str) -> bool:
    """Whether an unquoted scalar is text, and no number, truth value, null or merge key."""
    return value != "<<" and not any(regex.match(value) for regex, _ in _SCALARS.values())


def _check_tag(node: yaml.Node, expected: str, document: Document, report: Report) -> None:
    if node.tag != _TAG + expected:
        report.error(
            document._position(node),  # noqa: SLF001
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
            at = document._position(key)  # noqa: SLF001
            report.error(at, "yaml-key", "a key must be plain text", "name it by one word")
            continue
        if key.tag == f"{_TAG}merge" and key.value not in seen:
            seen[key.value] = key
            for base in reversed(_bases(value)):
                if isinstance(base, yaml.MappingNode):
                    merged |= _construct_mapping(base, document, report)
                else:
                    at = document._position(key)  # noqa: SLF001
                    report.error(at, "yaml-key", "<< merges mappings only", "remove it")
            continue
        if key.value in seen:
            first = seen[key.value].start_mark.line + 1
            report.error(
                document._position(key),  # noqa: SLF001
                "duplicate-key",
                f'the key "{key.value}" stands here twice; first on line {first}',
                "remove one of them",
            )
            continue
        seen[key.value] = key
        data[key.value] = _construct(value, document, report)
    return merged | data


def _child(node: yaml.Node, step: str | int) -> _Found | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key, value
        for key, value in node.value:
            if key.tag == f"{_TAG}merge":
                for base in _bases(value):
                    if isinstance(base, yaml.MappingNode) and (found := _child(base, step)):
                        return found
    return None


def _bases(value: yaml.Node) -> list[yaml.Node]:
    """Give the mappings that `<<` names, the first of which wins."""
    return [*value.value] if isinstance(value, yaml.SequenceNode) else [value]


def _first_key(node: yaml.Node) -> yaml.Node:
    if isinstance(node, yaml.MappingNode) and node.value:
        first: yaml.Node = node.value[0][0]
        return first
    return node
