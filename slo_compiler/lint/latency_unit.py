"""A histogram's unit cannot be known from its name, or is not the one in the name.

The threshold selects a bucket by its bound, which is `0.5` in seconds and `500` in milliseconds.
The wrong unit selects another bucket, or none: all requests seem slow, or none. Names that end in a
unit need nothing more; for others write `unit`.

Fails:

    latency: {histogram: request_duration, threshold: 500ms}

Passes:

    latency: {histogram: request_duration, threshold: 500ms, unit: milliseconds}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.sli.latency import Latency
from slo_compiler.schema.sli.unit import TimeUnit, metric_of

ID = "latency-unit"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each histogram whose unit is assumed, or contradicts its name."""
    for slo in tenant.slos:
        body = slo.spec.sli.body
        if not isinstance(body, Latency) or not (metric := metric_of(body.histogram)):
            continue
        named = body.named_unit
        if body.unit is None and named is None:
            others = ", ".join(unit for unit in TimeUnit if unit is not TimeUnit.SECONDS)
            yield Finding(
                slo.at("sli", Latency.KIND, "histogram"),
                f'the name "{metric}" has no unit: its bounds are taken for seconds, and '
                f"{body.threshold} for {format(body.bound, 'f')}",
                f"write unit: seconds if they are, or the unit that they have: {others}",
            )
        elif body.unit and named and named is not body.measured_in:
            yield Finding(
                slo.at("sli", Latency.KIND, "unit"),
                f'unit is {body.unit}, but the name "{metric}" means {named}',
                f"write unit: {named}, or leave unit out",
            )
