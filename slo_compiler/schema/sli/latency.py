"""Events slower than a threshold, from a classic or a native histogram."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from slo_compiler.schema.base import Span
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
from slo_compiler.templating import promql_string


class Latency(SLIType):
    """Share of events that take longer than `threshold`.

    `histogram` is the selector of a histogram in seconds. Of a classic one, without `_bucket`,
    `threshold` must be one of the bucket bounds; of a `native` one it may be any, and Prometheus
    interpolates within the bucket that it falls into.
    """

    KIND: ClassVar = "latency"

    histogram: Query
    threshold: Span
    native: bool = False

    def base_pair(self) -> BasePair:
        """Take the bucket of the threshold from the count."""
        bound = Decimal(self.threshold.ms) / 1000
        if self.native:
            family = Term("histogram", Reading.FAMILY)
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
        count = Term("histogram", Reading.FAMILY, "_count")
        bucket = Term("histogram", Reading.FAMILY, "_bucket", bucket_matcher(bound))
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
