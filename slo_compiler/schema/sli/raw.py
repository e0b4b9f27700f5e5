"""An error ratio that somebody else computed."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from slo_compiler.schema.sli.base import (
    BasePair,
    Measure,
    Missing,
    Query,
    Reading,
    Second,
    SLIType,
    Term,
)


class Raw(SLIType):
    """An error ratio between 0 and 1, of any PromQL.

    The number of events behind it is unknown, so that every second weighs the same: an idle night
    counts like a busy noon. Prefer any other type that fits. NaN is no event; of several series
    the mean is taken.
    """

    KIND: ClassVar = "raw"

    error_ratio: Query

    def base_pair(self) -> BasePair:
        """Take a second for an event, and the ratio for the part of it that failed."""
        query = Term("error_ratio", reading=Reading.VALUE)
        return BasePair(
            query,
            query,
            Second.SAME,
            Missing.BROKEN,
            Measure.SECONDS,
            events_template="events_of_ratio",
            errors_template="errors_of_ratio",
        )

    def extremes(self) -> tuple[Decimal, Decimal]:
        """No errors, and nothing else."""
        return Decimal(0), Decimal(1)
