"""A rate is taken of a series that is a rate already.

`rate(job:requests:rate5m[$window])` reads a recorded rate as a counter: each time that it falls it
looks like a restart, and what comes out has no meaning. The compiler takes the rate of a plain
selector, too.

Fails:

    ratio:
      errors: sum(rate(job:errors:rate5m[$window]))
      total: sum(rate(job:requests:rate5m[$window]))

Passes:

    ratio:
      errors: sum(avg_over_time(job:errors:rate5m[$window]))
      total: sum(avg_over_time(job:requests:rate5m[$window]))
"""

from collections.abc import Iterator

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.dimension import Dimension, is_recorded_rate
from slo_compiler.lint.queries import name_of, queries, written
from slo_compiler.resolve.model import ResolvedTenant

ID = "rate-of-rate"
SEVERITY = Severity.WARNING

_TAKEN = ("rate", "irate", "increase")
_RATES = (Dimension.RATE, Dimension.RATIO)


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the recorded rates and the subqueries of rates that a query takes the rate of."""
    for query in queries(tenant):
        for part in query.parts:
            around = part.parents[-1] if part.parents else None
            selected = isinstance(part.node, pp.VectorSelector)
            taken = next((n for n in map(name_of, reversed(part.parents)) if n in _TAKEN), None)
            if selected and query.plain and is_recorded_rate(part.metric):
                taken, instead = "the compiler", f"avg_over_time({written(part.node)}[$window])"
            elif taken is None:
                continue
            elif selected and is_recorded_rate(part.metric):
                taken, instead = f"{taken}()", "avg_over_time(...[$window])"
            elif part.call and isinstance(around, pp.SubqueryExpr) and part.dimension in _RATES:
                taken, instead = f"{taken}()", "avg_over_time(...[$window:])"
            else:
                continue
            what = f"{part.metric} is a rate already, by its name,"
            if part.call:
                what = f"{part.call}() gives {part.dimension.value},"
            yield Finding(
                query.at(part.place),
                f"{what} and {taken} takes it as a counter",
                f"write {instead}, or take the rate of the counter",
            )
