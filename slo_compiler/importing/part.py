"""A part of a foreign document: read key by key, so that no key is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.schema.base import shown
from slo_compiler.source import Document, Loc


@dataclass(slots=True)
class Section:
    """A mapping of a document, and which of its keys were read."""

    document: Document
    loc: Loc
    data: dict[str, Any]
    report: Report
    read: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, document: Document, loc: Loc, data: object, report: Report) -> Section:
        """Begin with what must be a mapping; anything else is an error, and an empty one."""
        if isinstance(data, dict):
            return cls(document, loc, data, report)
        if data is not None:
            at = document.locate(loc)
            report.error(at, "import-refused", f"expected a mapping, found {shown(data)}")
        return cls(document, loc, {}, report)

    def at(self, key: str) -> Position:
        """Place of a key's value; of the mapping where the key is missing."""
        return self.document.locate((*self.loc, key))

    def key(self, key: str) -> Position:
        """Place of a key."""
        return self.document.locate((*self.loc, key), key=True)

    def get(self, key: str) -> Any:  # noqa: ANN401
        """Give a value as it is."""
        self.read.add(key)
        return self.data.get(key)

    def part(self, key: str) -> Section:
        """Give a mapping in it; an empty one if there is none."""
        return Section.of(self.document, (*self.loc, key), self.get(key), self.report)

    def parts(self, key: str, report: Report) -> Iterator[Section]:
        """Give the mappings of a list."""
        value = self.get(key)
        if not isinstance(value, list):
            if value is not None:
                self.refuse(key, f"expected a list, found {shown(value)}")
            return
        for index, item in enumerate(value):
            yield Section.of(self.document, (*self.loc, key, index), item, report)

    def text(self, key: str) -> str | None:
        """Give a text; None where there is none, and an error if it is something else."""
        value = self.get(key)
        if value is None or isinstance(value, str):
            return value
        self.refuse(key, f"expected text, found {shown(value)}", "put it in quotes")
        return None

    def flag(self, key: str) -> bool:
        """Give a truth value; false where there is none."""
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            self.refuse(key, f"expected true or false, found {shown(value)}")
        return value is True

    def refuse(self, key: str, message: str, help_: str = "") -> None:
        """Report what cannot be imported."""
        self.report.error(self.at(key), "import-refused", message, help_)

    def finish(self) -> None:
        """Report the keys that were not read."""
        for key in self.data:
            if key not in self.read:
                self.report.error(
                    self.key(key),
                    "import-unknown-key",
                    f"the key {shown(key)} is unknown, and was not imported",
                    nearest(key, self.read),
                )
