"""The cases: the examples, each manifest of the vocabulary, and manifests/ beside this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.pipeline import Settings
from slo_compiler.plan import Plan
from slo_compiler.proofs.generate import shared_unit_tests, tenant_proofs
from slo_compiler.proofs.model import ExpectedRoute, UnitTestFile
from slo_compiler.reading import read_sources
from slo_compiler.render import TenantRules
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.source import SourceFile
from slo_compiler.tools import find_in

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "tests/support/manifests"
EXAMPLES = "examples"
VOCABULARY = ROOT / "examples" / "vocabulary"
WORDS = tuple(sorted(path.stem for path in (VOCABULARY / "tenants").glob("*.yaml")))
# Repos of their own, each with its project file.
REPOS = {EXAMPLES: ROOT / "examples", "severities": ROOT / "examples" / "severities"}
CASES = (*REPOS, *WORDS, *sorted(path.stem for path in MANIFESTS.glob("*.yaml")))


@dataclass(frozen=True)
class Whole:
    """A compile, with the plan beside it."""

    settings: Settings
    tenants: tuple[ResolvedTenant, ...]
    plan: Plan
    rules: tuple[TenantRules, ...]
    artefacts: tuple[Artefact, ...]
    counts: Mapping[str, int]


def compile_whole(settings: Settings, sources: Sequence[SourceFile], report: Report) -> Whole:
    """Compile as the command line does, and give the plan, too."""
    done = pipeline.compile_project(settings, sources, report)
    planned = pipeline.plan_project(settings, sources, Report())
    return Whole(
        settings, planned.tenants, planned.plan, planned.rules, done.artefacts, done.counts
    )


@cache
def compiled(case: str) -> Whole:
    """Compile a case as the command line does; a Project document in its file is the project."""
    report = Report()
    if case in WORDS:
        settings = pipeline.read_project(VOCABULARY / "slo-compiler.yaml", report)
        path = str(VOCABULARY / "tenants" / f"{case}.yaml")
        sources = read_sources([path], settings.root, report)
    elif case in REPOS:
        settings = pipeline.read_project(REPOS[case] / "slo-compiler.yaml", report)
        paths = [str(REPOS[case] / source) for source in settings.spec.sources]
        sources = read_sources(paths, settings.root, report)
    else:
        text = (MANIFESTS / f"{case}.yaml").read_text(encoding="utf-8")
        parts = text.split("\n---\n")
        project = "\n".join(p for p in parts if "\nkind: Project\n" in p)
        tenants = "\n---\n".join(p for p in parts if "\nkind: Project\n" not in p)
        settings = pipeline.read_project(None, report)
        if project:
            file = SourceFile(f"{case}.yaml", f"{case}.yaml", project.encode())
            settings = pipeline.parse_project(file, MANIFESTS, report)
        sources = [SourceFile(f"{case}.yaml", f"{case}.yaml", tenants.encode())]
    return compile_whole(settings, sources, report)


@dataclass(frozen=True)
class Proofs:
    """All proofs of a compile."""

    unit_tests: tuple[UnitTestFile, ...]
    routes: tuple[ExpectedRoute, ...]


def proofs_of(result: Whole) -> Proofs:
    """Generate the proofs of a compile, as data."""
    found = [tenant_proofs(planned, result.tenants) for planned in result.plan.tenants]
    return Proofs(
        (
            *(file for each in found for file in each.unit_tests),
            *shared_unit_tests(each.isolation for each in found),
        ),
        tuple(route for each in found for route in each.routes),
    )


def tool(suite: str, name: str) -> Path:
    """Find a real tool; that it is missing is a failure, never a skip."""
    found = find_in(suite, name)
    assert found is not None, f"{name} of {suite} is missing: run make tools-all"
    return found
