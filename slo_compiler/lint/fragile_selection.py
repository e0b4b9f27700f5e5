"""What is counted depends on the moment, or is counted for another one.

`topk` and its kin choose other series at each evaluation, so that a sum over a window adds up what
does not belong together. With `offset` or `@` the events of another time burn the budget of now.

Fails:

    ratio:
      errors: sum(topk(5, rate(http_requests_total{code=~"5.."}[$window])))
      total: sum(rate(http_requests_total[$window]))

Passes:

    ratio:
      errors: sum(rate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window]))
"""

import re
from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import queries
from slo_compiler.resolve.model import ResolvedTenant

ID = "fragile-selection"
SEVERITY = Severity.WARNING

_WORDS = re.compile(
    r"(?<![\w:.])(?:topk|bottomk|limitk|limit_ratio|offset)(?![\w:])|@", re.IGNORECASE
)


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each word that selects by rank or by time."""
    for query in queries(tenant):
        for found in _WORDS.finditer(query.parsed.code):
            what = (
                "counts events of another time"
                if found[0] == "@" or found[0].lower() == "offset"
                else "chooses other series at each evaluation"
            )
            yield Finding(
                query.at((found.start(), len(found[0]))),
                f"{found[0]} {what}",
                "select by labels, and leave the time to the compiler",
            )
