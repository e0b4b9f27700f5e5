"""Which IDs can a finding have? Read from the lints' files, for completion.

To import the lints takes half a second, since they need the plan: too long for a press of a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "lint"
_LINT = re.compile(
    r'\A"""(?P<summary>[^\n]*?)\.?\n.*'
    r'^ID = "(?P<id>[^"]+)"$.*^SEVERITY = Severity\.(?P<level>\w+)$',
    re.MULTILINE | re.DOTALL,
)


def entries() -> Iterator[tuple[str, str, str]]:
    """Give ID, severity and summary of each lint and each error, sorted by ID."""
    yield from sorted([*_lints(), *_errors()])


def _lints() -> Iterator[tuple[str, str, str]]:
    for path in _FOLDER.glob("*.py"):
        if found := _LINT.search(path.read_text(encoding="utf-8")):
            yield found["id"], found["level"].lower(), found["summary"]


def _errors() -> Iterator[tuple[str, str, str]]:
    for line in (_FOLDER / "errors.txt").read_text(encoding="utf-8").splitlines():
        id_, _, text = line.partition(": ")
        yield id_, "error", text.partition(". ")[0].removesuffix(".")
