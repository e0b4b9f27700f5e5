"""The errors of a ratio are all events but the errors.

`errors: x{code!~"5.."}` counts what did not fail: the SLO burns its budget at full speed while all
is well, and the better the service, the more. These are the good events.

Fails:

    ratio:
      errors: http_requests_total{code!~"5.."}
      total: http_requests_total

Passes:

    ratio:
      good: http_requests_total{code!~"5.."}
      total: http_requests_total
"""

import re
from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import sides
from slo_compiler.promql import Matcher
from slo_compiler.resolve.model import ResolvedTenant

ID = "negated-errors"
SEVERITY = Severity.WARNING

_STATUS = re.compile(r"(.*_)?(code|status)(_.*)?|code|status")
_ERRORS = re.compile(r"[(^]*\[?[45].*|(?i:errors?|fail(ed|ure)?)")


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the matchers that leave out the failures' status from errors."""
    for query, part, *_ in sides(tenant):
        status = [m for m in part.matchers if _is_status(m.name)]
        if query.key != "errors" or not all(map(_leaves_out_errors, status)):
            continue  # of 4xx but 429, and of what is neither 2xx nor 404, errors are left
        for matcher in status:
            yield Finding(
                query.at(matcher.place),
                f"{matcher} leaves the failures out of errors",
                "call it good: instead of errors:, or select the failures",
            )


def _leaves_out_errors(matcher: Matcher) -> bool:
    return matcher.op in ("!=", "!~") and _ERRORS.fullmatch(matcher.value) is not None


def _is_status(label: str) -> bool:
    return _STATUS.fullmatch(label) is not None
