"""Samples of a 0/1 gauge that are not 1, such as of `up` and `probe_success`."""

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


class Availability(SLIType):
    """Share of the time that a target is down.

    `gauge` is the selector of a gauge that is 1 while the target is up and 0 while it is down. An
    event is a second of one target, so that two targets of three that are down are an error ratio
    of two thirds. A target whose series is gone counts for nothing.
    """

    KIND: ClassVar = "availability"

    gauge: Query

    def base_pair(self) -> BasePair:
        """Count the samples of the gauge, and what they lack to 1."""
        gauge = Term("gauge", reading=Reading.SAMPLES)
        return BasePair(
            gauge,
            gauge,
            Second.SAME,
            Missing.BROKEN,
            Measure.SECONDS,
            events_template="events_of_gauge",
            errors_template="errors_of_gauge",
        )

    def extremes(self) -> tuple[Decimal, Decimal]:
        """Up, and down."""
        return Decimal(1), Decimal(0)
