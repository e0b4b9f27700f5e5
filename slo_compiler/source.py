"""Files of input, and the documents in them: plain data, and the place of each value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from slo_compiler.diagnostics import Diagnostic, Position

MAX_BYTES = 1 << 20  # of a file; nothing longer is read
MERGE = "tag:yaml.org,2002:merge"  # of the key <<

Loc = tuple[str | int, ...]
_Found = tuple[yaml.Node | None, yaml.Node]  # a key, if there is one, and the value


@lru_cache(maxsize=256)  # every alert of a file names its digest
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input: the path to show, its name in the repo, and its bytes.

    The name is relative to the project, so that outputs with it are the same everywhere.
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
    """One YAML document: its data, and the place of each value of it."""

    path: str
    data: Any
    node: yaml.Node
    lines: Sequence[str]
    # Nodes by their path, with their keys, and places: findings and rules need the same again.
    _seen: dict[Loc, _Found | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _places: dict[tuple[Loc, bool], Position] = field(
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
        if (loc, key) not in self._places:
            self._places[loc, key] = self._locate(loc, key=key)
        return self._places[loc, key]

    def _locate(self, loc: Loc, *, key: bool) -> Position:
        if (found := self._lookup(loc)) is not None:
            key_node, node = found
            return self.place_of(key_node if key and key_node is not None else node)
        # The path leads on to something that is not there: mark the key of its parent.
        while (found := self._lookup(loc := loc[:-1])) is None:
            pass
        key_node, node = found
        return self.place_of(key_node if key_node is not None else _first_key(node))

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
        """Place of the named thing at `loc`: here, of its name."""
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

    def place_of(self, node: yaml.Node) -> Position:
        """Place of a node."""
        mark, end = node.start_mark, node.end_mark
        line = self.lines[mark.line] if mark.line < len(self.lines) else ""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            width = 1
        elif mark.line == end.line:
            width = end.column - mark.column
        else:
            width = len(line.rstrip()) - mark.column
        return Position(self.path, mark.line + 1, mark.column + 1, max(width, 1), line)


def _child(node: yaml.Node, step: str | int) -> _Found | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key, value
        for key, value in node.value:
            if key.tag == MERGE:
                for base in bases(value):
                    if isinstance(base, yaml.MappingNode) and (found := _child(base, step)):
                        return found
    return None


def bases(value: yaml.Node) -> list[yaml.Node]:
    """Give the mappings that `<<` names, the first of which wins."""
    return [*value.value] if isinstance(value, yaml.SequenceNode) else [value]


def _first_key(node: yaml.Node) -> yaml.Node:
    if isinstance(node, yaml.MappingNode) and node.value:
        first: yaml.Node = node.value[0][0]
        return first
    return node
