"""Errors of events, or good of events."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from slo_compiler.manifest.base import LabelName, Strict

Query = Annotated[str, Field(min_length=1)]


class Ratio(Strict):
    """Share of events that are errors.

    Each query is a counter's selector, or PromQL that yields events per second and holds `$window`
    as its range. Give `good` where errors are a label value that may appear late.
    """

    KIND: ClassVar = "ratio"
    ONE_OF: ClassVar = ("errors", "good")

    errors: Query | None = None
    good: Query | None = None
    total: Query
    by: list[LabelName] = Field(default=[], max_length=8)
