"""Proofs: unit tests for promtool, and the receivers that each alert must reach."""

from __future__ import annotations

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, Rendered
from slo_compiler.proofs.generate import generate
from slo_compiler.templating import render


def emit(rendered: Rendered, _report: Report) -> Emission:
    """Render the unit test files and the expected routes."""
    proofs = generate(rendered.plan, rendered.rules)
    files = [
        Artefact(file.path, render("emit/unit_test.yml.j2", file=file))
        for file in proofs.unit_tests
    ]
    files.append(Artefact(naming.ROUTES_FILE, render("emit/routes.yml.j2", proofs=proofs)))
    return Emission(
        tuple(files), {"unit_tests": sum(len(file.tests) for file in proofs.unit_tests)}
    )


EMITTER = Emitter("proofs", emit)
