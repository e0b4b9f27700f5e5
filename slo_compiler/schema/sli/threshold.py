"""Samples of any value that are beyond a bound: a queue's age, freshness, saturation."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from slo_compiler.schema.quantities import Number
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

Operator = Literal["<", "<=", ">", ">="]
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Threshold(SLIType):
    """Share of the time that a value is not what it should be: `query op value` is good.

    `query` is any PromQL; it is sampled once a scrape interval, and an event is a second of one
    series of it. NaN is no event.
    """

    KIND: ClassVar = "threshold"

    query: Query
    op: Operator
    value: Number

    def base_pair(self) -> BasePair:
        """Count the samples, and those on the other side of the bound."""
        query = Term("query", reading=Reading.VALUE)
        values = {"worse": _NEGATED[self.op], "bound": format(self.value, "f")}
        return BasePair(
            query,
            query,
            Second.SAME,
            Missing.BROKEN,
            Measure.SECONDS,
            events_template="events_of_value",
            errors_template="errors_of_value",
            values=values,
        )

    def extremes(self) -> tuple[Decimal, Decimal]:
        """The bound, and a hundredth beside it."""
        step = abs(self.value) / 100 or Decimal(1)
        beside = self.value + (step if self.op in ("<=", ">") else -step)
        return (self.value, beside) if "=" in self.op else (beside, self.value)
