"""Errors of events, or good of events."""

from __future__ import annotations

from typing import ClassVar

from slo_compiler.schema.sli.base import BasePair, Measure, Missing, Query, Second, SLIType, Term


class Ratio(SLIType):
    """Share of events that are errors.

    Each query is a counter's selector, or PromQL that yields events per second and holds `$window`
    as its range. Give `good` where errors are a label value that may appear late.
    """

    KIND: ClassVar = "ratio"
    ONE_OF: ClassVar = ("errors", "good")

    errors: Query | None = None
    good: Query | None = None
    total: Query

    def base_pair(self) -> BasePair:
        """Count errors, or take good from total."""
        errors = self.errors is not None
        return BasePair(
            Term("total"),
            Term("errors" if errors else "good"),
            Second.ERRORS if errors else Second.GOOD,
            Missing.ZERO,
            Measure.REQUESTS,
            events_template="events",
            errors_template="errors" if errors else "errors_from_good",
        )
