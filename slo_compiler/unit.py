"""One source file, compiled by itself: the unit of work, of parallel runs, and of the cache.

What comes out depends on the file, the library (policies, templates), the project file, and the
files of the tenants that its SLOs depend on; on nothing else. All that crosses between units is
plain frozen data, and is joined by `link`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from slo_compiler import lint, resolve
from slo_compiler.bounded import LimitExceeded, bounded
from slo_compiler.cost import limits
from slo_compiler.diagnostics import Diagnostic, Position, Report
from slo_compiler.emit import BY_NAME
from slo_compiler.emit.emitter import Emission, TenantContext
from slo_compiler.emit.facts import freeze
from slo_compiler.frontend.load import Manifest, load
from slo_compiler.frontend.template import Library
from slo_compiler.lint import Switched
from slo_compiler.plan import PlannedTenant, plan_tenant, rule_counts
from slo_compiler.plan.compat import ForeignKey, foreign_key
from slo_compiler.plan.reach import reachable
from slo_compiler.render import tenant_rules
from slo_compiler.resolve.dependencies import Key, dependency
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import AlertPolicy, ProjectSpec, Tenant
from slo_compiler.settings import Settings
from slo_compiler.source import SourceFile


@dataclass(frozen=True, slots=True)
class Environment:
    """What is the same for all units."""

    settings: Settings
    library: Library  # templates
    shared: tuple[Manifest, ...]  # documents of the library: policies and templates
    # IDs of findings that may only follow from those of the project and its policies.
    uncertain: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a unit needs to know of others, if its SLOs depend on theirs."""

    files: tuple[SourceFile, ...] = ()  # that declare the tenants that its SLOs depend on
    declared: Collection[Key] = ()  # all SLOs of all files
    incomplete: bool = False  # whether a tenant may be missing because its file has errors


@dataclass(frozen=True, slots=True)
class Interface:
    """What others may know of a tenant: its name, its SLOs, and whom they depend on."""

    name: str
    position: Position
    slos: tuple[tuple[Key, Position], ...]
    needs: frozenset[str]  # other tenants
    continuing: frozenset[Key]  # SLOs with `formerly`
    formers: frozenset[Key]  # what they were called
    foreign: tuple[tuple[ForeignKey, Position], ...] = ()  # names for readers of other tools


@dataclass(frozen=True, slots=True)
class CompiledTenant:
    """What one tenant contributes to the output."""

    name: str
    emissions: tuple[Emission, ...]  # in the order of the project's targets, without facts
    facts: tuple[bytes, ...]  # of each emission, frozen
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Unit:
    """One source file, compiled; without `tenants` if there is an error, or if it waits."""

    interfaces: tuple[Interface, ...]
    diagnostics: tuple[Diagnostic, ...]
    failed: bool
    waits: bool = False  # for the surroundings that its SLOs depend on
    tenants: tuple[CompiledTenant, ...] = ()
    switched: Switched = field(default_factory=Switched)

    @property
    def needs(self) -> frozenset[str]:
        """Tenants of other files that its SLOs depend on."""
        return frozenset[str]().union(*(tenant.needs for tenant in self.interfaces))


def compile_unit(
    environment: Environment, file: SourceFile, surroundings: Surroundings | None = None
) -> Unit:
    """Compile one file.

    Without `surroundings`, a file whose SLOs depend on tenants of other files is only read: its
    interface shows which.
    """
    spec = environment.settings.spec
    try:
        with bounded(spec.limits.cpu_seconds, spec.limits.memory_megabytes):
            return _compile(environment, file, surroundings)
    except LimitExceeded as exceeded:
        report = Report()
        limits.refuse_usage(file, exceeded.limit, spec, report)
        return Unit((), tuple(report.diagnostics), failed=True)


def _compile(environment: Environment, file: SourceFile, surroundings: Surroundings | None) -> Unit:
    report, spec = Report(), environment.settings.spec
    if not limits.check_file(file, spec, report):
        return Unit((), tuple(report.diagnostics), failed=True)
    manifests = load([file], (Tenant, AlertPolicy), report, environment.library)
    _refuse_policies(manifests, report)
    around = surroundings or Surroundings()
    others = load(around.files, (Tenant,), Report(), environment.library)
    found = resolve.resolve([*environment.shared, *manifests], spec, report, environment.uncertain)
    tenants = reachable(found.tenants, report)
    interfaces = tuple(
        _interface(tenant, found.declared)
        for tenant in tenants
        if "duplicate-tenant" not in tenant.uncertain  # its name is not known
    )
    limits.check_resolved(tenants, spec, report)
    if any(found.id == "tenant-limit" for found in report.diagnostics):
        return Unit(interfaces, tuple(report.diagnostics), failed=True)
    foreign = {name for each in interfaces for name in each.needs} - {t.name for t in tenants}
    if foreign and surroundings is None:
        return Unit(interfaces, tuple(report.diagnostics), report.failed, waits=True)
    silent = Report()  # what is wrong with others is reported with them
    context = resolve.resolve([*environment.shared, *others], spec, silent).tenants
    context = reachable(context, silent)
    known = sorted((*tenants, *context), key=lambda tenant: tenant.name)
    declared = {*around.declared, *found.declared}
    resolve.check_dependencies(
        known, declared, report, incomplete=report.failed or around.incomplete
    )
    project = environment.settings.manifest
    switched = lint.run(
        lint.Context(spec, project.document if project else None, tenants, known), report
    )
    planned = [
        plan_tenant(t, spec.prometheus, report.without(t.uncertain)) for t in tenants if t.slos
    ]
    for tenant in planned:
        limits.check_planned(tenant, spec, report)
    compiled: list[CompiledTenant] = []
    if not report.failed and not around.incomplete and not environment.uncertain:
        compiled = [_emitted(tenant, spec, known, report) for tenant in planned]
    return Unit(
        interfaces,
        tuple(report.diagnostics),
        report.failed,
        tenants=() if report.failed else tuple(compiled),
        switched=switched,
    )


def _emitted(
    planned: PlannedTenant, spec: ProjectSpec, known: Sequence[ResolvedTenant], report: Report
) -> CompiledTenant:
    rules = tenant_rules(planned)
    limits.check_usage(planned, rules, spec, report)
    context = TenantContext(planned, rules, spec, known)
    targets = [BY_NAME[target] for target in spec.targets if target in BY_NAME]
    emissions = [
        emitter.tenant(context, report) if emitter.tenant else Emission() for emitter in targets
    ]
    return CompiledTenant(
        planned.name,
        tuple(replace(emission, facts=None) for emission in emissions),
        tuple(freeze(emission.facts) for emission in emissions),
        rule_counts(planned),
    )


def _interface(tenant: ResolvedTenant, declared: Mapping[Key, Position]) -> Interface:
    needed = (dependency(tenant, text)[0] for slo in tenant.slos for text in slo.spec.depends_on)
    renamed = [slo.spec for slo in tenant.slos if slo.spec.formerly]
    return Interface(
        tenant.name,
        tenant.position,
        tuple((key, at) for key, at in declared.items() if key[0] == tenant.name),
        frozenset(needed) - {tenant.name},
        frozenset((tenant.name, slo.service, slo.name) for slo in renamed),
        frozenset(
            (tenant.name, *slo.formerly.identity(slo.service)) for slo in renamed if slo.formerly
        ),
        tuple((key, slo.at("name")) for slo in tenant.slos if (key := foreign_key(slo))),
    )


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
