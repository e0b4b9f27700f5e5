"""What each error means that is no lint, by its ID; errors.txt has a line for each."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def errors() -> dict[str, str]:
    """Give the explanation of each ID: what is wrong, and what to write instead."""
    text = Path(__file__).with_name("errors.txt").read_text(encoding="utf-8")
    pairs = (line.partition(": ") for line in text.splitlines())
    return {id_: explanation for id_, _, explanation in pairs}
