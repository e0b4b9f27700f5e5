"""An SLO does not describe what it promises.

Its alerts carry the description. Without it, whoever gets one must read the query to know what
fails.

Fails:

    description: ""

Passes:

    description: Requests answered without a server error
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "missing-description"
SEVERITY = Severity.INFO


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the SLOs that have none."""
    for slo in tenant.slos:
        if not slo.spec.description.strip():
            given = "description" in slo.spec.model_fields_set
            yield Finding(
                slo.at("description" if given else "name"),
                "this SLO has no description",
                "describe in one line which events are good",
            )
