"""A matcher compares with a text that looks like a regular expression.

`status="5.."` selects series whose status is the three characters 5, dot and dot. There are none,
so the errors are zero for ever, and no alert fires.

Fails:

    ratio:
      errors: http_requests_total{code="5.."}
      total: http_requests_total

Passes:

    ratio:
      errors: http_requests_total{code=~"5.."}
      total: http_requests_total
"""

import re
from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import queries
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.templating import promql_string

ID = "regex-as-literal"
SEVERITY = Severity.WARNING

# Not the brackets of [::1]:9090, nor the dots of ../x, nor a single dot.
_LOOKS_LIKE = re.compile(
    r"\d\.\.(?!\.)|\.[*+](?!\w)|\w\|\w|\[[\w^]-?[^\]:]*\]|\\[dwsb]|\(\?|^\^\w|\w\$$"
)


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the matchers with = and != that were probably meant as =~ and !~."""
    for query in queries(tenant):
        for part in query.parts:
            for matcher in part.matchers:
                if matcher.is_regex or not _LOOKS_LIKE.search(matcher.value):
                    continue
                better = {"=": "=~", "!=": "!~"}[matcher.op]
                yield Finding(
                    query.at(matcher.place),
                    f"{matcher} compares with this very text, which looks like a regular "
                    "expression",
                    f"write {matcher.name}{better}{promql_string(matcher.value)}",
                )
