"""Outputs that are kept as files beside a test, and read in review like code."""

from __future__ import annotations

from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1] / "unit"


class Kept:
    """The files of one folder below tests/unit; `--snapshot-update` writes them."""

    def __init__(self, folder: str, *, update: bool) -> None:
        self.folder = UNIT / folder
        self._update = update

    @classmethod
    def of(cls, config: pytest.Config, folder: str) -> Kept:
        """Return the files of a folder."""
        return cls(folder, update=bool(config.getoption("update_snapshots", default=False)))

    def assert_kept(self, name: str, text: str) -> None:
        """Compare a text with the file of a name."""
        path = self.folder / name
        if self._update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path} is missing: run pytest --snapshot-update and read it"
        assert text == path.read_text(encoding="utf-8")
