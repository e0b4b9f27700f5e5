"""Which proofs a plan needs: unit tests for promtool, and the routes that the manifests want."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.routes import plan_routes
from slo_compiler.proofs.generate.hours import expected_hours
from slo_compiler.proofs.generate.isolation import (
    IsolatedTenant,
    isolated_tenant,
    plan_isolation,
)
from slo_compiler.proofs.generate.routes import expected_routes
from slo_compiler.proofs.generate.tenant import plan_proofs
from slo_compiler.proofs.generate.under_test import tests_of
from slo_compiler.proofs.model import ExpectedHours, ExpectedRoute, UnitTestFile
from slo_compiler.resolve.model import ResolvedTenant

__all__ = [
    "IsolatedTenant",
    "TenantProofs",
    "modest_unit_tests",
    "shared_unit_tests",
    "tenant_proofs",
]


@dataclass(frozen=True, slots=True)
class TenantProofs:
    """The proofs of one tenant, and what it adds to those of all tenants together."""

    unit_tests: tuple[UnitTestFile, ...]
    routes: tuple[ExpectedRoute, ...]
    hours: tuple[ExpectedHours, ...]
    isolation: IsolatedTenant | None


def tenant_proofs(planned: PlannedTenant, known: Sequence[ResolvedTenant]) -> TenantProofs:
    """Generate the proofs of a tenant.

    Args:
        planned: the tenant.
        known: the tenant, and those that its SLOs depend on.
    """
    subjects = tests_of(planned)
    return TenantProofs(
        tuple(plan_proofs(planned, subjects)),
        tuple(expected_routes(planned, known)),
        tuple(expected_hours(plan_routes(planned.resolved, known).hours)),
        isolated_tenant(planned, subjects),
    )


def modest_unit_tests(
    planned: PlannedTenant,
) -> tuple[tuple[UnitTestFile, ...], IsolatedTenant | None]:
    """Generate the unit tests whose numbers any engine stores, and the part in those of all."""
    subjects = tests_of(planned)
    return tuple(plan_proofs(planned, subjects, vast=False)), isolated_tenant(planned, subjects)


def shared_unit_tests(tenants: Iterable[IsolatedTenant | None]) -> tuple[UnitTestFile, ...]:
    """Generate the proofs of all tenants together: that they are isolated from each other."""
    return tuple(plan_isolation([tenant for tenant in tenants if tenant is not None]))
