"""Events slower than a threshold, from a classic or a native histogram."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, WithJsonSchema

from slo_compiler.duration import ExactSpan
from slo_compiler.schema.base import invalid, shown
from slo_compiler.schema.quantities import with_unit
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
from slo_compiler.schema.sli.unit import TimeUnit, metric_of, unit_in_name
from slo_compiler.templating import promql_string


def _threshold(value: object) -> ExactSpan:
    if isinstance(value, ExactSpan):
        return value
    try:
        return ExactSpan.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise invalid(
            "duration",
            f"expected a span of time such as 300ms, 1.5s or 500us, found {shown(value)}",
            with_unit(value),
        ) from None


LatencyThreshold = Annotated[
    ExactSpan,
    BeforeValidator(_threshold),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^([0-9]+([.][0-9]+)?(ms|us|\u00b5s|\u03bcs|ns|[smhdwy]))+$",
            "examples": ["300ms", "1.5s", "500us"],
        }
    ),
]


class Latency(SLIType):
    """Share of events that take longer than `threshold`.

    `histogram` is the selector of a histogram of times. Their unit is the one in its name,
    as in `_seconds` or `_milliseconds`; where it has none, it is `unit`, and otherwise seconds are
    assumed. Of a classic histogram, without `_bucket`, `threshold` must be one of the bucket
    bounds; of a `native` one it may be any, and Prometheus interpolates within the bucket that it
    falls into.
    """

    KIND: ClassVar = "latency"

    histogram: Query
    threshold: LatencyThreshold
    unit: Literal["seconds", "milliseconds", "microseconds", "nanoseconds", "minutes"] | None = None
    native: bool = False

    @property
    def named_unit(self) -> TimeUnit | None:
        """The unit in the histogram's name."""
        return unit_in_name(metric_of(self.histogram))

    @property
    def measured_in(self) -> TimeUnit:
        """The unit of the histogram's bounds."""
        return TimeUnit(self.unit) if self.unit else self.named_unit or TimeUnit.SECONDS

    @property
    def bound(self) -> Decimal:
        """The threshold in the histogram's unit."""
        return _decimal(self.threshold.seconds / self.measured_in.in_seconds)

    def base_pair(self) -> BasePair:
        """Take the bucket of the threshold from the count."""
        bound = self.bound
        if self.native:
            family = Term("histogram", reading=Reading.FAMILY)
            values = {"bound": format(bound.normalize(), "f")}
            return BasePair(
                family,
                family,
                Second.GOOD,
                Missing.ZERO,
                Measure.REQUESTS,
                events_template="events_of_native",
                errors_template="errors_of_native",
                values=values,
            )
        count = Term("histogram", reading=Reading.FAMILY, suffix="_count")
        bucket = Term(
            "histogram", reading=Reading.FAMILY, suffix="_bucket", matcher=bucket_matcher(bound)
        )
        return BasePair(
            count,
            bucket,
            Second.GOOD,
            # A histogram has all of its buckets from its first sample on.
            Missing.BROKEN,
            Measure.REQUESTS,
            events_template="events",
            errors_template="errors_from_bucket",
        )


def _decimal(value: Fraction) -> Decimal:
    """Turn a fraction into a decimal; one that does not end is rounded as floats are printed."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact if Fraction(exact) == value else Decimal(repr(float(value)))


def bucket_matcher(bound: Decimal) -> str:
    """Match a bucket's `le` however it is spelled.

    Clients write 1 as `1` or `1.0`, a million as `1e+06` or `1000000.0`; Prometheus 3 rewrites them
    to the float's shortest form with a decimal point, 2.x keeps what was scraped.
    """
    plain = format(bound, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    spellings = {plain}
    if "." not in plain:
        spellings.add(f"{plain}.0")
    digits, exponent = bound.normalize().as_tuple()[1:]
    scientific = int(exponent) + len(digits) - 1
    if scientific < -4 or scientific >= 6:  # noqa: PLR2004  (Go's %g and Python's repr)
        mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if digits[1:] else "")
        spellings.add(f"{mantissa}e{scientific:+03d}")
    if len(spellings) == 1:
        return f"le={promql_string(plain)}"
    pattern = "|".join(sorted(spellings)).replace(".", "[.]").replace("+", "[+]")
    return f"le=~{promql_string(pattern)}"
