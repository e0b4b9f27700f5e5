"""An SLO has a series for each value of a label that has very many.

Each value is an SLO of its own: ten recorded series and more, kept for the whole period, and
alerts. A label that names a user, a request or a full URL has no bound; that of a pod changes
with each release, and each pod begins with a new budget.

Fails:

    ratio:
      errors: http_requests_total{code=~"5.."}
      total: http_requests_total
      by: [path]

Passes:

    ratio:
      errors: http_requests_total{code=~"5.."}
      total: http_requests_total
      by: [route]
"""

import re
from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "high-cardinality-by"
SEVERITY = Severity.WARNING

_UNBOUNDED = re.compile(
    r"(user|customer|account|client|device|request|trace|span|correlation|session|order"
    r"|transaction|container|message)_?(id|uuid)|u?uid|guid|user(_?(name|agent))?|e?mail"
    r"|session|trace|((client|source|src|remote|peer)_?)?(ip|addr|address)"
    r"|((raw|request)_?)?(ur[il]|path)|query|referer|(error_?)?message|pod(_?name)?|timestamp",
    re.IGNORECASE,
)


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the labels of `by` that are known to have many values."""
    for slo in tenant.slos:
        for label, source in zip(slo.by, slo.sources, strict=True):
            if _UNBOUNDED.fullmatch(source):
                yield Finding(
                    slo.at_by(label),
                    f'each value of "{label}" becomes an SLO with series of its own',
                    "use a label with few values, such as the route or the method",
                )
