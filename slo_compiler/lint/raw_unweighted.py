"""An error ratio that cannot be weighted by its traffic.

Each second of a `raw` SLI counts the same, an idle night like a busy noon, so that its budget is a
mean of ratios. Counters weigh themselves, and a recorded ratio was made of some.

Fails:

    sli: {raw: {error_ratio: "job:errors:ratio_rate1m"}}

Passes:

    sli: {ratio: {errors: "job_errors_total", total: "job_requests_total"}}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.sli.raw import Raw

ID = "raw-unweighted"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each SLO of a raw ratio."""
    for slo in tenant.slos:
        if isinstance(slo.spec.sli.body, Raw):
            yield Finding(
                slo.at("sli", Raw.KIND, "error_ratio"),
                "the budget is not weighted by traffic: it is not known how many events are behind "
                "this ratio",
                "give the counters that it is made of, as ratio",
            )
