"""The compiler's stages, from files to files, as plain functions that can be called one by one.

    read ► resolve ► plan ► render ► emit ► check, and then write

`compile_project` does all but `write`, which has a module of its own. It goes file by file, in
parallel and with a cache: `unit` compiles one file, `link` joins what comes out. `plan_project`
goes as far as the plan, for those who look at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import yaml

from slo_compiler import history, lint, toolcheck
from slo_compiler import plan as planning
from slo_compiler import resolve as resolving
from slo_compiler.cache import Cache, code_digest, key_of
from slo_compiler.diagnostics import Report, nearest
from slo_compiler.emit import BY_NAME
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import ProjectContext
from slo_compiler.frontend.library import read_library
from slo_compiler.frontend.load import load
from slo_compiler.frontend.lost import consequences
from slo_compiler.link import Emitted, check_units, emit
from slo_compiler.plan import Plan
from slo_compiler.plan.reach import reachable
from slo_compiler.reading import name_of, read_bytes, read_sources
from slo_compiler.render import TenantRules, tenant_rules
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import AlertPolicy, Project, ProjectSpec, Tenant
from slo_compiler.source import Document, SourceFile, read_documents
from slo_compiler.unit import (
    PROJECT_FILE,
    Environment,
    Interface,
    Settings,
    Surroundings,
    Unit,
    compile_unit,
)
from slo_compiler.workers import spread
from slo_compiler.write import lock

__all__ = [
    "PROJECT_FILE",
    "Compiled",
    "Planned",
    "Settings",
    "compile_project",
    "parse_project",
    "plan_project",
    "read_project",
    "with_overrides",
]


class Progress(Protocol):
    """Gets the name of each step as it begins, and within a step how much of it is done."""

    def __call__(self, step: str, done: int | None = None, of: int = 0) -> None:
        """Report a step, or how much of it is done."""


def silent(step: str, done: int | None = None, of: int = 0) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all units share, and the files that it was read from."""

    environment: Environment
    base: Document | None  # the Alertmanager configuration to merge into
    files: tuple[SourceFile, ...]
    library_digest: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """The result of a compile that found no error."""

    settings: Settings
    artefacts: tuple[Artefact, ...]
    counts: Mapping[str, int]
    interfaces: tuple[Interface, ...]
    verification: toolcheck.Verification


@dataclass(frozen=True, slots=True)
class Planned:
    """Tenants, their plan, and their rules as text, for those who look at them."""

    tenants: tuple[ResolvedTenant, ...]
    plan: Plan
    rules: tuple[TenantRules, ...]


def compile_project(
    settings: Settings,
    sources: Sequence[SourceFile],
    report: Report,
    progress: Progress = silent,
    *,
    whole: bool = False,
    cache: Cache | None = None,
    jobs: int = 0,
) -> Compiled:
    """Compile and check; nothing is written.

    Args:
        settings: the project.
        sources: the manifests.
        report: takes the findings.
        progress: gets the name of each step as it begins.
        whole: whether these are all manifests of the project, so that what none of them needs is
            needed by none.
        cache: keeps the results of files.
        jobs: how many processes; 0 for one for each processor.

    Raises:
        CompileError: with every finding of the run, if there is an error among them.
    """
    progress("reading")
    shared = read_shared(settings, report)
    targets = settings.spec.targets
    units = compile_units(shared, sources, progress, cache=cache, jobs=jobs)
    check_units(units, report, whole=whole)
    report.raise_if_failed()
    progress("joining")
    heartbeat = settings.at("spec", "alertmanager", "heartbeat")
    context = ProjectContext(settings.spec, heartbeat, shared.base, settings.at, whole)
    emitted = emit(units, targets, context, report)
    progress(f"checking {len(emitted.artefacts)} files")
    verified = check(emitted.artefacts, report, settings.root)
    interfaces = tuple(interface for unit in units for interface in unit.interfaces)
    record = record_of(settings, [*sources, *shared.files], interfaces, emitted)
    return Compiled(settings, (*emitted.artefacts, record), emitted.counts, interfaces, verified)


def compile_units(
    shared: Shared,
    sources: Sequence[SourceFile],
    progress: Progress = silent,
    *,
    cache: Cache | None = None,
    jobs: int = 0,
) -> list[Unit]:
    """Compile each file; those whose SLOs depend on others' once these have been read."""
    again = partial(_compile_all, shared, progress, cache, jobs)
    first = again([(file, None) for file in sources])
    places = {
        tenant.name: file
        for file, unit in zip(reversed(sources), reversed(first), strict=True)
        for tenant in unit.interfaces
    }
    waiting = [(file, unit) for file, unit in zip(sources, first, strict=True) if unit.waits]
    if not waiting:
        return first
    by_tenant = {tenant.name: unit for unit in first for tenant in unit.interfaces}
    declared = frozenset(
        key for unit in first for tenant in unit.interfaces for key, _ in tenant.slos
    )
    incomplete = any(unit.failed for unit in first)
    complete = again(
        [
            (
                file,
                Surroundings(
                    tuple(other for other in _needed(unit, places, by_tenant) if other is not file),
                    declared,
                    incomplete,
                ),
            )
            for file, unit in waiting
        ]
    )
    later = {file.path: unit for (file, _), unit in zip(waiting, complete, strict=True)}
    return [later.get(file.path, unit) for file, unit in zip(sources, first, strict=True)]


def _needed(
    unit: Unit, places: Mapping[str, SourceFile], units: Mapping[str, Unit]
) -> Iterable[SourceFile]:
    """Give the files of the tenants that a unit's SLOs depend on, at whatever distance."""
    seen: set[str] = set()
    names = sorted(unit.needs)
    files: dict[str, SourceFile] = {}
    while names:
        name = names.pop()
        if name in seen or name not in places:
            continue
        seen.add(name)
        files[places[name].path] = places[name]
        names += sorted(units[name].needs)
    return [files[path] for path in sorted(files)]


def _compile_all(
    shared: Shared,
    progress: Progress,
    cache: Cache | None,
    jobs: int,
    work: Sequence[tuple[SourceFile, Surroundings | None]],
) -> list[Unit]:
    """Compile files, those that the cache has a result for excepted."""
    keys = [_key(shared, *each) if cache else "" for each in work]
    found: list[Unit | None] = [cache.get(key) if cache else None for key in keys]
    missing = [index for index, unit in enumerate(found) if unit is None]
    size = sum(len(work[index][0].content) for index in missing)

    def compiled(index: int) -> Unit | None:
        """Compile a file; None if the result is in the cache, from where its parts are read."""
        unit = compile_unit(shared.environment, *work[index])
        surroundings = work[index][1]
        lasts = not unit.failed and not (surroundings and surroundings.incomplete)
        return None if cache and lasts and cache.put(keys[index], unit) else unit

    if missing:
        progress(f"compiling {len(missing)} files")
    for done, (index, unit) in enumerate(
        zip(missing, spread(compiled, missing, size, jobs), strict=True), start=1
    ):
        kept = cache.get(keys[index]) if cache and unit is None else None
        # Without its entry, which somebody may have removed meanwhile, it is compiled once more.
        found[index] = unit or kept or compile_unit(shared.environment, *work[index])
        progress("compiled", done, len(missing))
    return [unit for unit in found if unit is not None]


def _key(shared: Shared, file: SourceFile, surroundings: Surroundings | None) -> str:
    """Digest all that a unit depends on."""
    parts: list[str | bytes] = [code_digest(), shared.library_digest]
    files = surroundings.files if surroundings else ()
    parts += ["surrounded" if surroundings else "alone"]
    for each in (file, *files):
        parts += [each.path, each.name, each.content]
    return key_of(parts)


def read_shared(settings: Settings, report: Report) -> Shared:
    """Read what holds for all tenants, and check the project; findings go to `report`."""
    files = [settings.manifest.source] if settings.manifest else []
    policies, templates = (
        _named(names, settings, report, files)
        for names in (settings.spec.policies, settings.spec.templates)
    )
    library, shared = read_library(templates, report)
    uncertain = settings.uncertain
    if "undefined-template" in uncertain:
        library = replace(library, complete=False)
    policies_report = Report()
    shared += load([*_builtin_policies(), *policies], (AlertPolicy,), policies_report)
    report.extend(policies_report.diagnostics)
    if policies_report.failed:
        uncertain |= consequences([("spec", "policies")])
    base = _base(settings, report, files)
    resolving.check_project(settings.spec, settings.at, report.without(settings.uncertain))
    _check_targets(settings, report)
    resolving.resolve(
        shared, settings.spec, report, uncertain
    )  # what is wrong with policies themselves
    parts: list[str | bytes] = [repr(settings.spec)]
    for file in [*([settings.manifest.source] if settings.manifest else []), *policies, *templates]:
        parts += [file.path, file.name, file.content]
    environment = Environment(settings, library, tuple(shared), uncertain)
    return Shared(environment, base, tuple(files), key_of(parts))


def plan_project(
    settings: Settings, sources: Sequence[SourceFile], report: Report, *, whole: bool = False
) -> Planned:
    """Read, resolve, lint and plan all tenants at once, and render their rules.

    Raises:
        CompileError: with every finding of the run, if there is an error among them.
    """
    tenants = resolve_project(settings, sources, report)
    project = settings.manifest.document if settings.manifest else None
    switched = lint.run(lint.Context(settings.spec, project, tenants, tenants), report)
    heartbeat = settings.at("spec", "alertmanager", "heartbeat")
    plan = planning.build(tenants, settings.spec, heartbeat, report)
    lint.report_unused([switched], report, whole=whole)
    return Planned(tenants, plan, tuple(map(tenant_rules, plan.tenants)))


def manifests_of(
    settings: Settings, sources: Sequence[SourceFile], report: Report
) -> dict[str, str]:
    """Give the file and digest of each tenant's manifest, as its alerts name it."""
    library = read_shared(settings, report).environment.library
    loaded = load(sources, (Tenant,), report, library)
    return {
        each.model.metadata.name: each.source.version
        for each in loaded
        if isinstance(each.model, Tenant)
    }


def resolve_project(
    settings: Settings, sources: Sequence[SourceFile], report: Report
) -> tuple[ResolvedTenant, ...]:
    """Read and resolve all tenants at once; findings go to `report`."""
    shared = read_shared(settings, report)
    environment = shared.environment
    manifests = load(sources, (Tenant,), report, environment.library)
    found = resolving.resolve(
        [*environment.shared, *manifests], settings.spec, report, environment.uncertain
    )
    tenants = reachable(found.tenants, report)
    resolving.check_dependencies(tenants, found.declared, report, incomplete=report.failed)
    return tenants


def check(
    artefacts: Sequence[Artefact], report: Report, project: Path | None = None
) -> toolcheck.Verification:
    """Check files with the tools of their engines, also found beside the project file.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    verified = toolcheck.verify(artefacts, report, project)
    report.raise_if_failed()
    return verified


def record_of(
    settings: Settings,
    inputs: Sequence[SourceFile],
    interfaces: Sequence[Interface],
    emitted: Emitted,
) -> Artefact:
    """Make the audit record: digests of all inputs and outputs, SLOs, versions and counts."""
    facts = {
        "versions": {
            "prometheus": settings.spec.prometheus.version,
            "alertmanager": settings.spec.alertmanager.version,
        },
        "counts": emitted.counts,
        "slos": history.record(interfaces),
    }
    return lock({file.name: file.digest for file in inputs}, emitted.artefacts, facts)


def read_project(path: Path | None, report: Report, *, lenient: bool = False) -> Settings:
    """Read the project file; without one, everything is the default.

    Args:
        path: the file.
        report: takes the findings.
        lenient: whether to go on without what is wrong, so that the manifests are checked, too.

    Raises:
        CompileError: the file cannot be read, or holds errors.
    """
    if path is None:
        # Without a project file the caller names the sources, so its defaults do not matter.
        return Settings(ProjectSpec(), Path.cwd())
    content = read_bytes(path, report)
    report.raise_if_failed()
    file = SourceFile(str(path), path.name, content)
    return parse_project(file, path.parent, report, lenient=lenient)


def parse_project(
    file: SourceFile, root: Path, report: Report, *, lenient: bool = False
) -> Settings:
    """Validate a project file's content; `root` is the folder that its paths are relative to.

    Raises:
        CompileError: it holds errors.
    """
    manifests = load([file], (Project,), report)
    if not (lenient and manifests) or manifests[0].lacks("spec", "sources"):
        report.raise_if_failed()
    manifest = manifests[0]
    if len(manifests) > 1:
        at = manifests[1].document.locate(("kind",))
        report.error(at, "duplicate-project", "a project has one document")
        if not lenient:
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
        elif (check := BY_NAME[target].check) is not None:
            check(settings.spec, settings.at, report)


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


def _base(settings: Settings, report: Report, files: list[SourceFile]) -> Document | None:
    if settings.spec.alertmanager.base is None:
        return None
    path = settings.root / settings.spec.alertmanager.base
    at = settings.at("spec", "alertmanager", "base")
    own = Report()
    file = SourceFile(str(path), name_of(path, settings.root), read_bytes(path, own, at))
    documents = [] if own.failed else read_documents(file.path, file.content, own)
    if len(documents) > 1:
        own.error(
            documents[1].locate(),
            "base-config",
            "the base configuration has a second document, which Alertmanager does not read",
            "merge it into the first",
        )
    report.extend(own.diagnostics)
    if own.failed:
        return None
    files.append(file)
    # Composed again by YAML 1.1, which is what Alertmanager's own parser mostly follows.
    node = yaml.compose(file.content, Loader=yaml.SafeLoader)
    return replace(documents[0], node=node or documents[0].node)
