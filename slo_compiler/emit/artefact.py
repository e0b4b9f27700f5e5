"""A file that will be written, and the manifest's lines behind its parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from slo_compiler.diagnostics import Position


@dataclass(frozen=True, slots=True)
class Artefact:
    """One output file, relative to the output folder."""

    path: str
    text: str
    checker: str | None = None  # "promtool" or "amtool"
    origins: dict[str, Position] = field(default_factory=dict)  # "group/rule number", receiver

    @property
    def digest(self) -> str:
        """SHA-256 of the text in UTF-8, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()
