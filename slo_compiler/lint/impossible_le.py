"""A bucket is named that a histogram cannot have, or not by this name.

`le` is text, as the client or Prometheus wrote it: "0.30" never selects "0.3". A whole number is
`1` from some clients and `1.0` from others and in Prometheus 3. And the bucket `+Inf` counts all
events, so as a threshold it is none. The SLI type `latency` knows all of this.

Fails:

    ratio:
      good: http_request_duration_seconds_bucket{le="0.30"}
      total: http_request_duration_seconds_count

Passes:

    ratio:
      good: http_request_duration_seconds_bucket{le="0.3"}
      total: http_request_duration_seconds_count
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import queries
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.sli.latency import bucket_matcher
from slo_compiler.templating import promql_string

ID = "impossible-le"
SEVERITY = Severity.WARNING

_NORMALISES = 3  # from this Prometheus on, le="1" is stored as le="1.0"
_WHOLE = re.compile(r"[1-9][0-9]{0,5}\.0")
_NUMBER = re.compile(r"[-+]?[0-9]{1,15}(\.[0-9]{1,15})?(e[-+]?[0-9]{1,2})?")


def check(tenant: ResolvedTenant, context: Context) -> Iterator[Finding]:
    """Give the values of le that are no bucket's."""
    normalised = int(context.project.prometheus.version.partition(".")[0]) >= _NORMALISES
    for query in queries(tenant):
        named = [m for part in query.parts for m in part.matchers if m.name == "le"]
        for matcher in named:
            if matcher.op != "=" or (normalised and _WHOLE.fullmatch(matcher.value)):
                continue
            if found := _wrong(matcher.value, query.key, len(named)):
                yield Finding(query.at(matcher.place), *found)


def _wrong(value: str, key: str, named: int) -> tuple[str, str] | None:
    if value == "+Inf":
        if key in ("errors", "good") and named == 1:
            return 'le="+Inf" counts all events', "name the bucket of the threshold"
        return None
    if not _NUMBER.fullmatch(value):
        return f"le={promql_string(value)} is no bucket: its bound is no number", 'such as le="0.3"'
    bound = Decimal(value)
    if bound <= 0:
        return f'nothing is faster than le="{value}"', "name a bound above 0"
    spelled = bucket_matcher(bound)
    if spelled != f'le="{value}"':
        return f'not every Prometheus calls this bucket le="{value}"', f"write {spelled}"
    return None
