"""A metric or label has a name that the declared Prometheus does not have.

Names in quotes, with dots, spaces or letters beyond ASCII, are of Prometheus 3. An older one
refuses a label of such a name, and has no series of such a metric.

Fails:

    prometheus: {version: "2.53", retention: 45d}
    ratio:
      errors: '{"http.requests", code=~"5.."}'
      total: '{"http.requests"}'

Passes:

    prometheus: {version: "3.5", retention: 45d}
    ratio:
      errors: '{"http.requests", code=~"5.."}'
      total: '{"http.requests"}'
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import queries
from slo_compiler.promql import is_plain_label, is_plain_metric
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.templating import promql_string

ID = "quoted-name"
SEVERITY = Severity.ERROR

_SINCE = 3  # the first major version with such names


def check(tenant: ResolvedTenant, context: Context) -> Iterator[Finding]:
    """Give the names that need quotes."""
    version = context.project.prometheus.version
    if int(version.partition(".")[0]) >= _SINCE:
        return
    help_ = 'name what it is recorded as there, or declare prometheus: {version: "3.5"}'
    for query in queries(tenant):
        for part in query.parts:
            if part.metric and not is_plain_metric(part.metric):
                message = f"Prometheus {version} has no metric {promql_string(part.metric)}"
                yield Finding(query.at(part.place), message, help_)
            for matcher in part.matchers:
                if not is_plain_label(matcher.name):
                    message = f"Prometheus {version} has no label {promql_string(matcher.name)}"
                    yield Finding(query.at(matcher.place), message, help_)
