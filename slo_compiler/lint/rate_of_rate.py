"""A rate is taken of a series that is a rate already.

`rate(job:requests:rate5m[$window])` reads a recorded rate as a counter: each time that it falls it
looks like a restart, and what comes out has no meaning.

Fails:

    ratio:
      errors: sum(rate(job:errors:rate5m[$window]))
      total: sum(rate(job:requests:rate5m[$window]))

Passes:

    ratio:
      errors: sum(avg_over_time(job:errors:rate5m[$window]))
      total: sum(avg_over_time(job:requests:rate5m[$window]))
"""

import re
from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import name_of, queries
from slo_compiler.resolve.model import ResolvedTenant

ID = "rate-of-rate"
SEVERITY = Severity.WARNING

# A recorded rate by its name: level:metric:operations, of which the last is a rate.
_RATE = re.compile(r".*:(?:\w*_)?i?rate(?:_?\d+[smhdw])?")
_TAKEN = ("rate", "irate", "increase")


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the recorded rates that a query takes the rate of."""
    for query in queries(tenant):
        for part in query.parts:
            if not _RATE.fullmatch(part.metric):
                continue
            taken = next((n for n in map(name_of, reversed(part.parents)) if n in _TAKEN), None)
            if taken is not None:
                yield Finding(
                    query.at(part.place),
                    f"{part.metric} is a rate already, by its name, and {taken}() takes it as a "
                    "counter",
                    "write avg_over_time(...[$window]), or take the rate of the counter",
                )
