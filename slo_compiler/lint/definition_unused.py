"""A policy or hours of a tenant's own are used by nothing.

Often an SLO was meant to name the policy, and is watched by the default one instead.

Fails:

    policies:
      - name: gentle
        tiers:
          - {name: slow, severity: page, budget_share: 5%, long_window: 6h, short_window: 30m}

Passes:

    policies:
      - name: gentle
        tiers:
          - {name: slow, severity: page, budget_share: 5%, long_window: 6h, short_window: 30m}
    escalation: [{severity: page, notify: [chat]}]
    alerting: {policy: gentle, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "definition-unused"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the tenant's policies that no SLO has, and its hours that no step has."""
    spec, document = tenant.document.data["spec"], tenant.document
    if len(tenant.slos) < len(spec.get("slos", ())):
        return  # one names a policy that there is not, which is an error: this may be meant
    policies = {slo.policy.name for slo in tenant.slos}
    for index, policy in enumerate(spec.get("policies", ())):
        if policy["name"] not in policies:
            yield Finding(
                document.locate(("spec", "policies", index, "name")),
                f'no SLO has the policy "{policy["name"]}"',
                "name it in alerting.policy or spec.defaults, or remove it",
            )
    if any(step.spec.hours and step.hours is not None and not step.hours for step in tenant.steps):
        return  # as above
    hours = {step.spec.hours for step in tenant.steps}
    for name in spec.get("hours", ()):
        if name not in hours:
            yield Finding(
                document.locate(("spec", "hours", name), key=True),
                f'no step has the hours "{name}"',
                "name them in a step of spec.escalation, or remove them",
            )
