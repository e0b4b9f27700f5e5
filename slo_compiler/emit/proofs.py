"""Proofs: unit tests for promtool, and the receivers that each alert must reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, ProjectContext, TenantContext
from slo_compiler.emit.routes_text import routes_file, routes_text
from slo_compiler.emit.unit_test import unit_test_yaml
from slo_compiler.proofs.generate import IsolatedTenant, shared_unit_tests, tenant_proofs
from slo_compiler.proofs.model import ExpectedHours, UnitTestFile
from slo_compiler.proofs.size import fits


@dataclass(frozen=True, slots=True)
class SharedProofs:
    """What a tenant adds to the proofs of all tenants together."""

    routes: str  # the entries of its alerts
    waits: bool  # whether an alert is inhibited by those of other SLOs
    hours: tuple[ExpectedHours, ...]
    isolation: IsolatedTenant | None


def tenant(context: TenantContext, report: Report) -> Emission:
    """Render a tenant's unit tests, unless they are too large."""
    proofs = tenant_proofs(context.planned, context.known)
    if not fits(context.planned, context.project.limits.proof_bytes, report, proofs.unit_tests):
        return Emission()
    return Emission(
        tuple(map(_unit_tests, proofs.unit_tests)),
        {"unit_tests": sum(len(file.tests) for file in proofs.unit_tests)},
        SharedProofs(
            routes_text(proofs.routes),
            any(route.waits for route in proofs.routes),
            proofs.hours,
            proofs.isolation,
        ),
    )


def project(facts: Sequence[SharedProofs], context: ProjectContext, _report: Report) -> Emission:
    """Render the unit tests of all tenants together, and the expected routes."""
    files = shared_unit_tests(each.isolation for each in facts)
    hours = sorted((hours for each in facts for hours in each.hours), key=lambda h: h.name)
    text = routes_file(
        (each.routes for each in facts),
        hours,
        context.spec.prometheus.external_labels,
        waits=any(each.waits for each in facts),
    )
    return Emission(
        (*map(_unit_tests, files), Artefact(naming.ROUTES_FILE, text)),
        {"unit_tests": sum(len(file.tests) for file in files)},
    )


def _unit_tests(file: UnitTestFile) -> Artefact:
    return Artefact(file.path, unit_test_yaml(file))


EMITTER = Emitter("proofs", tenant, project)
