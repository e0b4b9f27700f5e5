"""A tenant's matchers in the project file replace the label that isolates tenants.

A tenant whose `matchers` lack the isolation label reads every series that has them: with
`{cluster: prod}` also those of all other tenants in that cluster. Matchers of which one has the
tenant's own name as its value isolate by another label, and are not reported.

Fails:

    tenants: {customer-b: {matchers: {cluster: prod}}}

Passes:

    tenants: {customer-b: {extra_matchers: {cluster: prod}}}
"""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import Isolation

ID = "isolation-dropped"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, context: Context) -> Iterator[Finding]:
    """Find it at the tenant's matchers in the project file."""
    isolation = context.project.isolation
    grant = context.project.tenants.get(tenant.name)
    if grant is None or grant.matchers is None or not isinstance(isolation, Isolation):
        return
    if isolation.label in grant.matchers or tenant.name in grant.matchers.values():
        return
    project = context.document
    shown = ", ".join(f"{name}: {value}" for name, value in grant.matchers.items())
    yield Finding(
        project.locate(("spec", "tenants", tenant.name, "matchers"), key=True)
        if project
        else tenant.position,
        f'these matchers replace {isolation.label}="{tenant.name}": the tenant may read series '
        "of others that have them",
        f"to add them instead, write: extra_matchers: {{{shown}}}",
    )
