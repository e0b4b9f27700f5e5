"""A regular expression selects what no expression is needed for.

`=~".*"` selects everything, as if it were not there; one without a special character is the same
as `=`. Mostly something is missing in it.

Fails:

    ratio:
      errors: http_requests_total{code=~"5.."}
      total: http_requests_total{code=~".*"}

Passes:

    ratio:
      errors: http_requests_total{code=~"5.."}
      total: http_requests_total{code=~".+"}
"""

import re
from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import queries
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.templating import promql_string

ID = "regex-no-effect"
SEVERITY = Severity.WARNING

_EVERYTHING = (".*", "(.*)", "^.*$", ".*.*", "(?s:.*)")
_NOTHING = ("", "^$", "()", "^()$")
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the matchers that select the same without a regular expression, or nothing at all."""
    for query in queries(tenant):
        for part in query.parts:
            for matcher in part.matchers:
                if "~" not in matcher.op:
                    continue
                text = f"{matcher}"
                plain = matcher.op.replace("~", "").replace("!", "!=")
                if matcher.value in _EVERYTHING:
                    what = "everything" if matcher.op == "=~" else "nothing"
                    finding = f"{text} selects {what}", "remove it, or write what is meant"
                elif matcher.value in _NOTHING:
                    better = f'write {matcher.name}{plain}""'
                    finding = f"{text} tests whether the label is empty", better
                elif not _SPECIAL.search(matcher.value):
                    better = f"write {matcher.name}{plain}{promql_string(matcher.value)}"
                    finding = f"{text} has no special character", better
                else:
                    continue
                yield Finding(query.at(matcher.place), *finding)
