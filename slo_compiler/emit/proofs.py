"""Proofs: unit tests for promtool, and the receivers that each alert must reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, ProjectContext, TenantContext
from slo_compiler.emit.unit_test import unit_test_yaml
from slo_compiler.proofs.generate import TenantProofs, shared_unit_tests, tenant_proofs
from slo_compiler.proofs.model import UnitTestFile
from slo_compiler.proofs.size import fits
from slo_compiler.templating import render


def tenant(context: TenantContext, report: Report) -> Emission:
    """Render a tenant's unit tests, unless they are too large."""
    proofs = tenant_proofs(context.planned, context.known)
    if not fits(context.planned, context.project.limits.proof_bytes, report, proofs.unit_tests):
        return Emission()
    return Emission(
        tuple(map(_unit_tests, proofs.unit_tests)),
        {"unit_tests": sum(len(file.tests) for file in proofs.unit_tests)},
        replace(proofs, unit_tests=()),
    )


def project(facts: Sequence[TenantProofs], context: ProjectContext, _report: Report) -> Emission:
    """Render the unit tests of all tenants together, and the expected routes."""
    files = shared_unit_tests(proofs.isolation for proofs in facts)
    hours = sorted((hours for proofs in facts for hours in proofs.hours), key=lambda h: h.name)
    routes = [route for proofs in facts for route in proofs.routes]
    text = render(
        "emit/routes.yml.j2",
        routes=routes,
        all_hours=hours,
        external_labels=context.spec.prometheus.external_labels,
    )
    return Emission(
        (*map(_unit_tests, files), Artefact(naming.ROUTES_FILE, text)),
        {"unit_tests": sum(len(file.tests) for file in files)},
    )


def _unit_tests(file: UnitTestFile) -> Artefact:
    return Artefact(file.path, unit_test_yaml(file))


EMITTER = Emitter("proofs", tenant, project)
