"""Values that many SLOs share, each kept once and named by its number."""

from __future__ import annotations

import json
from typing import Any


class Interned:
    """A list of different values; the same value has the same number."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: Any) -> int:  # noqa: ANN401  (JSON)
        """Give the number of a value, which is added if it is new."""
        key = json.dumps(value)
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]
