"""Two SLOs of a tenant are the same.

They count the same events against the same objective over the same period, so each outage alerts
twice. One was probably copied, and then not changed.

Fails:

    slos:
      - name: availability
        service: checkout
        description: Requests answered without a server error
        objective: 99.9
        sli: {ratio: {errors: 'requests_total{code=~"5.."}', total: requests_total}}
        alerting: {runbook: "https://runbooks.example/checkout"}
      - name: availability
        service: payments
        description: Payments answered without a server error
        objective: 99.9
        sli: {ratio: {errors: 'requests_total{code=~"5.."}', total: requests_total}}
        alerting: {runbook: "https://runbooks.example/payments"}

Passes:

    slos:
      - name: availability
        service: checkout
        description: Requests answered without a server error
        objective: 99.9
        sli: {ratio: {errors: 'requests_total{code=~"5.."}', total: requests_total}}
        alerting: {runbook: "https://runbooks.example/checkout"}
      - name: availability
        service: payments
        description: Payments answered without a server error
        objective: 99.9
        sli: {ratio: {errors: 'payments_total{code=~"5.."}', total: payments_total}}
        alerting: {runbook: "https://runbooks.example/payments"}
"""

from collections.abc import Iterator
from typing import Any

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant

ID = "duplicate-selectors"
SEVERITY = Severity.WARNING

# What does not change which events alert whom, and what is compared with its defaults applied.
_OWN: dict[str, Any] = {
    **dict.fromkeys(("name", "service", "description", "labels", "traffic"), True),
    **dict.fromkeys(("objective", "period"), True),
    "alerting": dict.fromkeys(
        ("policy", "runbook", "dashboard", "name", "labels", "annotations", "severities"), True
    )
    | {"tiers": {"__all__": {"name", "labels", "annotations"}}},
}


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give each SLO that repeats an earlier one."""
    first: dict[tuple[object, ...], ResolvedSLO] = {}
    for slo in tenant.slos:
        rest = slo.spec.model_dump_json(exclude=_OWN)
        key = (rest, slo.objective, slo.period, slo.policy.name)
        earlier = first.setdefault(key, slo)
        same_name = (earlier.spec.service, earlier.spec.name) == (slo.spec.service, slo.spec.name)
        if not same_name:  # one name twice is an error already
            yield Finding(
                slo.at("sli"),
                f"{slo.spec.service}/{slo.spec.name} measures the same as "
                f"{earlier.spec.service}/{earlier.spec.name}, which is at line "
                f"{earlier.at('name').line}",
                "change its queries or its objective, or remove one of the two",
            )
