"""Errors of events, or good of events."""

from __future__ import annotations

from typing import ClassVar

from slo_compiler.schema.base import OneOf
from slo_compiler.schema.sli.base import (
    BasePair,
    Measure,
    Missing,
    Queries,
    Second,
    SLIType,
    Term,
)


class Ratio(SLIType, OneOf):
    """Share of events that are errors.

    Each query is a counter's selector, or PromQL that yields events per second and has `$window`
    as its range. Several queries of a list are added up, and one without series counts as zero as
    long as another has some. What `minus` counts is taken from `total`; without series it is zero,
    too. Give `good` where errors are a label value that may appear late.
    """

    KIND: ClassVar = "ratio"
    ONE_OF: ClassVar = ("errors", "good")

    errors: Queries | None = None
    good: Queries | None = None
    total: Queries
    minus: Queries | None = None

    def base_pair(self) -> BasePair:
        """Count errors, or take good from total."""
        errors = self.errors is not None
        return BasePair(
            Term("total", minus="minus" if self.minus is not None else ""),
            Term("errors" if errors else "good"),
            Second.ERRORS if errors else Second.GOOD,
            Missing.ZERO,
            Measure.REQUESTS,
            events_template="events",
            errors_template="errors" if errors else "errors_from_good",
        )
