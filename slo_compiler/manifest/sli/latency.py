"""Events slower than a threshold, from a classic histogram."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from slo_compiler.manifest.base import LabelName, Span, Strict
from slo_compiler.manifest.sli.ratio import Query


class Latency(Strict):
    """Share of events that take longer than `threshold`.

    `histogram` is the selector of a classic histogram in seconds, without `_bucket`; `threshold`
    must be one of its bucket bounds.
    """

    KIND: ClassVar = "latency"

    histogram: Query
    threshold: Span
    by: list[LabelName] = Field(default=[], max_length=8)
