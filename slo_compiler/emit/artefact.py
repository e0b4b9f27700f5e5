"""A file that will be written, and the manifest's lines behind its parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from slo_compiler.diagnostics import Position


@dataclass(frozen=True, slots=True)
class Content:
    """The large part of an artefact, which the cache keeps on disk until it is read."""

    text: str
    checked: str | None = None  # what the checker reads instead, where it does not know the format
    # Of "group/rule number" in rules, of a receiver's name in an Alertmanager configuration.
    origins: Mapping[str, Position] = field(default_factory=dict)

    def read(self) -> Content:
        """Return itself: it is in memory."""
        return self


class Readable(Protocol):
    """A content in memory, or where to read it."""

    def read(self) -> Content:
        """Give the content."""


class Artefact:
    """One output file, relative to the output folder.

    Args:
        path: relative to the output folder.
        text: the file's content.
        checker: the tool that checks it: "promtool", "amtool", or none.
        origins: where the parts that the checker names come from.
        checked: what the checker reads instead of the text, where it does not know all of it.
    """

    __slots__ = ("_content", "checked_digest", "checker", "digest", "path")

    def __init__(
        self,
        path: str,
        text: str,
        checker: str | None = None,
        origins: Mapping[str, Position] | None = None,
        checked: str | None = None,
    ) -> None:
        self.path = path
        self.checker = checker
        self.digest = _digest(text)
        self.checked_digest = self.digest if checked is None else _digest(checked)
        self._content: Readable = Content(text, checked, origins or {})

    @property
    def text(self) -> str:
        """The file's content; may be read from disk.

        Raises:
            OSError: it is kept in the cache, which was removed since.
        """
        return self._content.read().text

    @property
    def checked(self) -> str:
        """What the checker reads.

        Raises:
            OSError: as for the text.
        """
        content = self._content.read()
        return content.text if content.checked is None else content.checked

    @property
    def origins(self) -> Mapping[str, Position]:
        """The manifest's places behind the parts of the file.

        Raises:
            OSError: as for the text.
        """
        return self._content.read().origins


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
