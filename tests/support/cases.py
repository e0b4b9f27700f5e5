"""The cases: the examples, each manifest of the vocabulary, and manifests/ beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.pipeline import Compiled
from slo_compiler.proofs.generate import generate
from slo_compiler.proofs.model import Proofs
from slo_compiler.reading import read_sources
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


@cache
def compiled(case: str) -> Compiled:
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
    return pipeline.compile_project(settings, sources, report)


def proofs_of(result: Compiled) -> Proofs:
    """Generate the proofs of a compile, as data."""
    return generate(result.plan, result.rules)


def tool(suite: str, name: str) -> Path:
    """Find a real tool; that it is missing is a failure, never a skip."""
    found = find_in(suite, name)
    assert found is not None, f"{name} of {suite} is missing: run make tools-all"
    return found
