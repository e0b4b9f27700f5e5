"""The compiler's stages, from files to files, as plain functions that can be called one by one.

    read ► resolve ► plan ► render ► emit ► check, and then write

`compile_project` does all but `write`, which has a module of its own. It goes file by file, in
parallel and with a cache: `unit` compiles one file, `link` joins what comes out. `plan_project`
goes as far as the plan, for those who look at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from slo_compiler import history, lint, templating, toolcheck
from slo_compiler import plan as planning
from slo_compiler import resolve as resolving
from slo_compiler.cache import Cache, CompiledTemplates, code_digest, key_of
from slo_compiler.cost import limits
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import ProjectContext
from slo_compiler.frontend.load import load
from slo_compiler.importing.files import with_imported
from slo_compiler.link import Emitted, Kept, check_units, emit
from slo_compiler.plan import Plan
from slo_compiler.plan.reach import reachable
from slo_compiler.project import (
    Shared,
    parse_project,
    read_project,
    read_shared,
    with_overrides,
)
from slo_compiler.render import TenantRules, tenant_rules
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import Tenant
from slo_compiler.settings import PROJECT_FILE, Settings
from slo_compiler.source import SourceFile
from slo_compiler.unit import (
    Interface,
    Surroundings,
    Unit,
    compile_unit,
)
from slo_compiler.workers import spread, without_collector
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
    "read_shared",
    "with_overrides",
]


class Progress(Protocol):
    """Gets the name of each step as it begins, and within a step how much of it is done."""

    def __call__(self, step: str, done: int | None = None, of: int = 0) -> None:
        """Report a step, or how much of it is done."""


def silent(step: str, done: int | None = None, of: int = 0) -> None:
    """Report no progress."""


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
    checked: bool = True,
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
        checked: whether promtool and amtool check the files, where they are found.

    Raises:
        CompileError: with every finding of the run, if there is an error among them.
    """
    progress("reading")
    shared = read_shared(settings, report)
    sources = with_imported(settings, sources)
    targets = settings.spec.targets
    compiled_templates = CompiledTemplates(cache) if cache else None
    with templating.keep_compiled(compiled_templates), without_collector():
        units = compile_units(shared, sources, progress, cache=cache, jobs=jobs)
    check_units(units, report, whole=whole)
    report.raise_if_failed()
    if whole:
        names = [tenant.name for unit in units for tenant in unit.interfaces]
        limits.check_names(settings.spec, settings.at, names, report)
        report.raise_if_failed()
    progress("joining")
    heartbeat = settings.at("spec", "alertmanager", "heartbeat")
    context = ProjectContext(settings.spec, heartbeat, shared.base, settings.at, whole)
    with templating.keep_compiled(compiled_templates):
        emitted = emit(units, targets, context, report, kept_files(cache, shared, context))
    verified = toolcheck.Verification({}, ())
    if checked:
        progress(f"checking {len(emitted.artefacts)} files")
        verified = check(emitted.artefacts, report, settings.root, cache)
    report.raise_if_failed()
    interfaces = tuple(interface for unit in units for interface in unit.interfaces)
    foreign = [each for file in sources for each in file.imported]
    record = record_of(settings, [*sources, *foreign, *shared.files], interfaces, emitted)
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
    sources = with_imported(shared.environment.settings, sources)
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


def kept_files(cache: Cache | None, shared: Shared, context: ProjectContext) -> Kept | None:
    """Name all that the files of all tenants depend on, beside what comes from the tenants."""
    if cache is None:
        return None
    parts: list[str | bytes] = ["shared", code_digest(), shared.library_digest, repr(context.whole)]
    for file in shared.files:
        parts += [file.path, file.name, file.content]
    return Kept(cache, parts)


def _key(shared: Shared, file: SourceFile, surroundings: Surroundings | None) -> str:
    """Digest all that a unit depends on."""
    parts: list[str | bytes] = [code_digest(), shared.library_digest]
    files = surroundings.files if surroundings else ()
    parts += ["surrounded" if surroundings else "alone"]
    for each in (file, *files):
        parts += [each.path, each.name, each.content, str(len(each.problems))]
        for written, named in each.imports or ():
            parts += [written, str(len(named))]
            for foreign in named:
                parts += [foreign.path, foreign.name, foreign.content]
    return key_of(parts)


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
    loaded = load(with_imported(settings, sources), (Tenant,), report, library)
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
    sources = with_imported(settings, sources)
    manifests = load(sources, (Tenant,), report, environment.library)
    found = resolving.resolve(
        [*environment.shared, *manifests], settings.spec, report, environment.uncertain
    )
    tenants = reachable(found.tenants, report)
    resolving.check_dependencies(tenants, found.declared, report, incomplete=report.failed)
    return tenants


def check(
    artefacts: Sequence[Artefact],
    report: Report,
    project: Path | None = None,
    cache: Cache | None = None,
) -> toolcheck.Verification:
    """Check files with the tools of their engines, also found beside the project file.

    What promtool agreed with before, as the cache has it, is not checked again.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    verified = toolcheck.verify(artefacts, report, project, cache)
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
