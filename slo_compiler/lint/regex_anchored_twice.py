"""A regular expression is anchored by hand.

Prometheus matches the whole value: `5..` is `^5..$` already. Whoever reads the anchors may believe
that expressions without them match a part.

Fails:

    ratio:
      errors: http_requests_total{code=~"^5..$"}
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

ID = "regex-anchored-twice"
SEVERITY = Severity.WARNING

_OTHERS = ("^$", "^()$", "^.*$")  # reported by regex-no-effect


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the regular expressions that begin with ^ or end with $."""
    for query in queries(tenant):
        for part in query.parts:
            for matcher in part.matchers:
                if "~" not in matcher.op or matcher.value in _OTHERS:
                    continue
                bare = re.sub(r"^\^+|(?<!\\)(?:\\\\)*\$+$", "", matcher.value)
                if bare != matcher.value:
                    yield Finding(
                        query.at(matcher.place),
                        "a matcher's expression is anchored at both ends already",
                        f"write {matcher.name}{matcher.op}{promql_string(bare)}",
                    )
