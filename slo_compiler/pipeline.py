"""The compiler's stages, from files to files, as plain functions that can be called one by one.

    read ► resolve ► plan ► emit ► check, and then write

`compile_project` is all of them but `write`, which has a module of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from slo_compiler import lint, toolcheck
from slo_compiler import plan as planning
from slo_compiler import resolve as resolving
from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.emit import BY_NAME
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Rendered
from slo_compiler.frontend.library import read_library
from slo_compiler.frontend.load import Manifest, load
from slo_compiler.plan import Plan
from slo_compiler.reading import name_of, read_bytes, read_sources
from slo_compiler.render import TenantRules, tenant_rules
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import AlertPolicy, Project, ProjectSpec, Tenant
from slo_compiler.source import Document, SourceFile, read_documents
from slo_compiler.write import lock

PROJECT_FILE = "slo-compiler.yaml"
Progress = Callable[[str], None]


def silent(_step: str) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The project: what its file says, where it stands, and the folder that paths are relative to.

    Without a file it is what the command line says, and the paths are the current folder's.
    """

    spec: ProjectSpec
    root: Path
    manifest: Manifest | None = None

    def at(self, *path: str | int, key: bool = False) -> Position:
        """Place of a part of the project file, or of its key."""
        if self.manifest is None:
            return Position(PROJECT_FILE)
        return self.manifest.document.locate(path, key=key)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that was read: validated documents, and the files that they came from."""

    manifests: tuple[Manifest, ...]  # of tenants
    library: tuple[Manifest, ...]  # policies and templates of the platform
    base: Document | None  # the Alertmanager configuration to merge into
    files: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class Emitted:
    """The files of all targets, and what there is to count in them."""

    rules: tuple[TenantRules, ...]
    artefacts: tuple[Artefact, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compiled:
    """The result of a compile that found no error."""

    settings: Settings
    tenants: tuple[ResolvedTenant, ...]
    plan: Plan
    rules: tuple[TenantRules, ...]
    artefacts: tuple[Artefact, ...]
    counts: Mapping[str, int]
    verification: toolcheck.Verification


def compile_project(
    settings: Settings,
    sources: Sequence[SourceFile],
    report: Report,
    progress: Progress = silent,
    *,
    whole: bool = False,
) -> Compiled:
    """Compile and check; nothing is written.

    Args:
        settings: the project.
        sources: the manifests.
        report: takes the findings.
        progress: gets the name of each step as it begins.
        whole: whether these are all manifests of the project, so that what none of them needs is
            needed by none.

    Raises:
        CompileError: with every finding of the run, if there is an error among them.
    """
    progress("reading")
    inputs = read(settings, sources, report)
    tenants = resolve(settings, inputs, report)
    progress(f"planning {len(tenants)} tenants")
    lint_tenants(settings, tenants, report, whole=whole)
    planned = plan(settings, tenants, report)
    progress("rendering")
    emitted = emit(settings, planned, inputs.base, report)
    progress(f"checking {len(emitted.artefacts)} files")
    verified = check(emitted.artefacts, report)
    record = record_of(settings, inputs, emitted)
    return Compiled(
        settings,
        tenants,
        planned,
        emitted.rules,
        (*emitted.artefacts, record),
        emitted.counts,
        verified,
    )


def read(settings: Settings, sources: Sequence[SourceFile], report: Report) -> Inputs:
    """Read and validate all documents; findings go to `report`."""
    files = [*sources, *([settings.manifest.source] if settings.manifest else [])]
    policies, templates = (
        _named(names, settings, report, files)
        for names in (settings.spec.policies, settings.spec.templates)
    )
    library, shared = read_library(templates, report)
    shared += load([*_builtin_policies(), *policies], (AlertPolicy,), report)
    manifests = load(sources, (Tenant, AlertPolicy), report, library)
    _refuse_policies(manifests, report)
    base = _base(settings, report, files)
    return Inputs(tuple(manifests), tuple(shared), base, tuple(files))


def resolve(settings: Settings, inputs: Inputs, report: Report) -> tuple[ResolvedTenant, ...]:
    """Look up all that the documents name; findings go to `report`."""
    resolving.check_project(settings.spec, settings.at, report)
    _check_targets(settings, report)
    return resolving.resolve([*inputs.library, *inputs.manifests], settings.spec, report)


def lint_tenants(
    settings: Settings, tenants: Sequence[ResolvedTenant], report: Report, *, whole: bool = False
) -> None:
    """Run all lints; findings go to `report`."""
    project = settings.manifest.document if settings.manifest else None
    lint.run(tenants, settings.spec, project, report, whole=whole)


def plan(settings: Settings, tenants: Sequence[ResolvedTenant], report: Report) -> Plan:
    """Plan the rules and routes.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    heartbeat = settings.at("spec", "alertmanager", "heartbeat")
    return planning.build(tenants, settings.spec, heartbeat, report)


def emit(settings: Settings, planned: Plan, base: Document | None, report: Report) -> Emitted:
    """Render the files of the project's targets.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    rules = tuple(map(tenant_rules, planned.tenants))
    rendered = Rendered(planned, rules, base)
    found: list[Emission] = [
        BY_NAME[target].emit(rendered, report) for target in settings.spec.targets
    ]
    report.raise_if_failed()
    counts = {key: value for emission in found for key, value in emission.counts.items()}
    artefacts = tuple(artefact for emission in found for artefact in emission.artefacts)
    return Emitted(rules, artefacts, {**planned.counts, **counts})


def check(artefacts: Sequence[Artefact], report: Report) -> toolcheck.Verification:
    """Check files with the tools of their engines.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    with tempfile.TemporaryDirectory(prefix="slo-compiler-") as stage:
        for artefact in artefacts:
            path = Path(stage) / artefact.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(artefact.text, encoding="utf-8")
        verified = toolcheck.verify(Path(stage), artefacts, report)
    report.raise_if_failed()
    return verified


def record_of(settings: Settings, inputs: Inputs, emitted: Emitted) -> Artefact:
    """Make the audit record: digests of all inputs and outputs, versions and counts."""
    facts = {
        "versions": {
            "prometheus": settings.spec.prometheus.version,
            "alertmanager": settings.spec.alertmanager.version,
        },
        "counts": emitted.counts,
    }
    return lock({file.name: file.digest for file in inputs.files}, emitted.artefacts, facts)


def read_project(path: Path | None, report: Report) -> Settings:
    """Read the project file; without one, everything is the default.

    Raises:
        CompileError: the file cannot be read or holds errors.
    """
    if path is None:
        # Without a project file the caller names the sources, so its defaults do not matter.
        return Settings(ProjectSpec(), Path.cwd())
    content = read_bytes(path, report)
    report.raise_if_failed()
    return parse_project(SourceFile(str(path), path.name, content), path.parent, report)


def parse_project(file: SourceFile, root: Path, report: Report) -> Settings:
    """Validate a project file's content; `root` is the folder that its paths are relative to.

    Raises:
        CompileError: it holds errors.
    """
    manifests = load([file], (Project,), report)
    report.raise_if_failed()
    manifest = manifests[0]
    if len(manifests) > 1:
        at = manifests[1].document.locate(("kind",))
        report.error(at, "duplicate-project", "a project has one document")
        report.raise_if_failed()
    assert isinstance(manifest.model, Project)  # noqa: S101  (narrows the type)
    return Settings(manifest.model.spec, root, manifest)


def with_overrides(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """Replace parts of the project's specification by what the command line says."""
    return replace(settings, spec=settings.spec.model_copy(update=dict(changes)))


def _check_targets(settings: Settings, report: Report) -> None:
    for index, target in enumerate(settings.spec.targets):
        at = settings.at("spec", "targets", index)
        if target not in BY_NAME:
            help_ = nearest(target, BY_NAME)
            report.error(at, "undefined-target", f'no target "{target}"', help_)
        elif target in settings.spec.targets[:index]:
            report.error(at, "duplicate-target", f'"{target}" is named twice', "remove one")


def _builtin_policies() -> list[SourceFile]:
    """Read the policies that come with the compiler."""
    folder = Path(__file__).parent / "policies"
    return [
        SourceFile(f"<builtin>/{path.name}", path.name, path.read_bytes())
        for path in sorted(folder.glob("*.yaml"))
    ]


def _named(
    names: Iterable[str], settings: Settings, report: Report, files: list[SourceFile]
) -> list[SourceFile]:
    """Read what the project names for all its tenants, and note it as an input."""
    paths = [str(settings.root / name) for name in names]
    found = read_sources(paths, settings.root, report)
    files += found
    return found


def _refuse_policies(manifests: Sequence[Manifest], report: Report) -> None:
    """Policies for all tenants are the platform's to write; among the sources they are refused."""
    for manifest in manifests:
        if isinstance(manifest.model, AlertPolicy):
            report.error(
                manifest.document.locate(("kind",)),
                "kind",
                "an AlertPolicy does not belong among the tenants' manifests",
                "name its file in the project's policies, or use spec.policies of the tenant",
            )


def _base(settings: Settings, report: Report, files: list[SourceFile]) -> Document | None:
    if settings.spec.alertmanager.base is None:
        return None
    path = settings.root / settings.spec.alertmanager.base
    at = settings.at("spec", "alertmanager", "base")
    file = SourceFile(str(path), name_of(path, settings.root), read_bytes(path, report, at))
    report.raise_if_failed()
    documents = read_documents(file.path, file.content, report)
    if len(documents) > 1:
        report.error(
            documents[1].locate(),
            "base-config",
            "the base configuration has a second document, which Alertmanager does not read",
            "merge it into the first",
        )
    report.raise_if_failed()
    files.append(file)
    # Composed again by YAML 1.1, which is what Alertmanager's own parser mostly follows.
    node = yaml.compose(file.content, Loader=yaml.SafeLoader)
    return replace(documents[0], node=node or documents[0].node)
