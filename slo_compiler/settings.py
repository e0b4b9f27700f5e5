"""The project as all stages know it: its file's settings, and the folder of its paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slo_compiler import naming
from slo_compiler.diagnostics import Position
from slo_compiler.frontend.load import Manifest
from slo_compiler.schema import ProjectSpec

PROJECT_FILE = naming.PROJECT_FILE


@dataclass(frozen=True, slots=True)
class Settings:
    """The project: its file's settings, where it is, and the folder that paths are relative to.

    Without a file it is what the command line sets, and the paths are the current folder's.
    """

    spec: ProjectSpec
    root: Path
    manifest: Manifest | None = None

    @property
    def uncertain(self) -> frozenset[str]:
        """IDs of findings that may only follow from those of the project file."""
        return self.manifest.uncertain if self.manifest else frozenset()

    def at(self, *path: str | int, key: bool = False) -> Position:
        """Place of a part of the project file, or of its key."""
        if self.manifest is None:
            return Position(PROJECT_FILE)
        return self.manifest.document.locate(path, key=key)
