"""A query of a ratio gives a time or a ratio, where it should count events.

`histogram_quantile(...) > 0.5` has the value of the quantile, in seconds, where it is above the
bound; a quotient that is compared has a ratio. Beside a rate of all requests these are a fraction
of one event per second, however many requests are slow.

Fails:

    ratio:
      errors: histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket[$window]))) > 0.5
      total: sum(rate(latency_seconds_count[$window]))

Passes:

    latency:
      histogram: latency_seconds
      threshold: 500ms
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.dimension import Dimension
from slo_compiler.lint.queries import queries
from slo_compiler.promql.places import Place
from slo_compiler.resolve.model import ResolvedTenant

ID = "quantile-as-events"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the queries that are to count events, and give a quantity or a ratio."""
    for query in queries(tenant):
        if not query.counted or query.plain:
            continue
        origin = query.origin
        whole: Place = (0, len(query.text))
        named = bool(origin.call or origin.metric)
        at = query.at(origin.place if named else whole)
        what = f"{origin.call}()" if origin.call else origin.metric or "this quotient"
        if query.dimension is Dimension.QUANTITY:
            yield Finding(
                at,
                f"{what} gives a value of the quantile's own unit, and {query.key} counts events",
                "write it as sli: {latency: {histogram: ..., threshold: ...}}, which counts the "
                "slow events, or as sli: {threshold: {query: ..., op: ..., value: ...}}",
            )
        elif query.dimension is Dimension.RATIO:
            yield Finding(
                at,
                f"{what} gives a ratio, and {query.key} counts events",
                "write it as sli: {threshold: {query: ..., op: ..., value: ...}}, or count the "
                "errors themselves",
            )
