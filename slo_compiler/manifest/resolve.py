"""Models to resolved tenants: defaults applied, names looked up, the platform's rules kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.duration import Duration
from slo_compiler.manifest.dependencies import check_dependencies
from slo_compiler.manifest.escalation import (
    ResolvedChannel,
    ResolvedStep,
    check_escalation,
    check_policy,
    check_severities,
    resolve_steps,
)
from slo_compiler.manifest.exclusions import ResolvedExclusion, resolve_exclusions
from slo_compiler.manifest.inherit import Inherited, Level, inherit
from slo_compiler.manifest.labels import check_labels, isolating
from slo_compiler.manifest.load import Manifest, SourceFile
from slo_compiler.manifest.model import (
    SLO,
    Alerting,
    AlertPolicy,
    Budgeting,
    PolicySpec,
    ProjectSpec,
    SLOTemplate,
    Tenant,
    Tier,
    Timeslices,
)
from slo_compiler.manifest.renames import check_renames
from slo_compiler.manifest.severity import BY_DEFAULT, Severity, severities_of
from slo_compiler.period import Period
from slo_compiler.source import Document, Loc

OLDEST_PROMETHEUS, OLDEST_ALERTMANAGER = "2.42", "0.25"


@dataclass(frozen=True, slots=True)
class Policy:
    """An alert policy, and where it stands."""

    name: str
    spec: PolicySpec
    document: Document
    loc: Loc

    @property
    def tiers(self) -> Sequence[Tier]:
        """Alerts of the policy, most urgent first."""
        return self.spec.tiers

    @property
    def builtin(self) -> bool:
        """Whether it came with the compiler, so that its user cannot edit it."""
        return self.document.path.startswith("<builtin>")

    @property
    def pace_window(self) -> Duration:
        """The window whose burn rate tells the time to exhaustion: the shortest long one."""
        return min(tier.long_window for tier in self.tiers)

    def at(self, *path: str | int) -> Position:
        """Place of a part of the policy."""
        return self.document.locate((*self.loc, *path))


@dataclass(frozen=True, slots=True)
class ResolvedSLO:
    """One SLO with its defaults applied."""

    spec: SLO
    objective: Decimal  # percent
    period: Period
    policy: Policy
    document: Document
    loc: Loc
    inherited: Inherited
    template: SourceFile | None = None

    @property
    def alerting(self) -> Alerting:
        """What the SLO or its defaults say of its alerts."""
        return self.inherited.alerting

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of the alerts and of slo_info, those of the tenant among them."""
        return {name: said.value for name, said in self.inherited.labels.items()}

    def at(self, *path: str | int) -> Position:
        """Place of a part of the SLO; its name stands where the tenant declares it."""
        if path == ("name",):
            return self.document.declared(self.loc)
        return self.document.locate((*self.loc, *path))

    @property
    def by(self) -> tuple[str, ...]:
        """Labels that tell the series of this SLO apart."""
        return tuple(self.spec.sli.body.by)

    @property
    def slices(self) -> Timeslices | None:
        """How its time is sliced, if its budget is one of slices and not of events."""
        budgeting = self.spec.budgeting
        return budgeting.timeslices if isinstance(budgeting, Budgeting) else None

    @property
    def shadow(self) -> bool:
        """Whether its alerts are only recorded, and nobody is told."""
        return self.spec.stage == "shadow"


@dataclass(frozen=True, slots=True)
class ResolvedTenant:
    """One tenant, ready to plan."""

    name: str
    owner: str
    labels: Mapping[str, str]
    matchers: Mapping[str, str]
    isolating: frozenset[str]  # labels of all tenants' matchers: no query may write one
    slos: tuple[ResolvedSLO, ...]
    steps: tuple[ResolvedStep, ...]
    document: Document
    source: SourceFile
    exclusions: tuple[ResolvedExclusion, ...] = ()
    levels: Sequence[Severity] = BY_DEFAULT  # the project's severities, most urgent first

    @property
    def position(self) -> Position:
        """Where the tenant is named."""
        return self.document.locate(("metadata", "name"))

    @property
    def severities(self) -> tuple[str, ...]:
        """Severities that are routed, the most urgent first.

        One that only shadow SLOs have counts where a step waits for their promotion.
        """
        waiting = _severities(self.slos) & {step.spec.severity for step in self.steps}
        return self._most_urgent_first(_severities(self.live) | waiting)

    @property
    def all_severities(self) -> tuple[str, ...]:
        """Severities of all SLOs' policies, the most urgent first."""
        return self._most_urgent_first(_severities(self.slos))

    @property
    def health_severities(self) -> tuple[str, ...]:
        """Severities of the alerts on the rules and the data, the most urgent first.

        Shadow SLOs do not make them more urgent; they matter only where nothing is live.
        """
        live = self._most_urgent_first(_severities(self.live))
        return live or self.severities or (self.levels[-1].name,)

    @property
    def live(self) -> tuple[ResolvedSLO, ...]:
        """The SLOs whose alerts somebody hears."""
        return tuple(slo for slo in self.slos if not slo.shadow)

    def exclusions_of(self, slo: ResolvedSLO) -> tuple[ResolvedExclusion, ...]:
        """Give the exclusions that hold for an SLO."""
        identity = slo.spec.service, slo.spec.name
        return tuple(each for each in self.exclusions if each.holds_for(*identity))

    def level(self, severity: str) -> Severity:
        """What the project says of a severity; of one that it lacks, which is an error, nothing."""
        known = (level for level in self.levels if level.name == severity)
        return next(known, Severity(severity, severity, {}))

    def _most_urgent_first(self, found: set[str | None]) -> tuple[str, ...]:
        return tuple(level.name for level in self.levels if level.name in found)


def _severities(slos: Sequence[ResolvedSLO]) -> set[str | None]:
    return {tier.severity for slo in slos for tier in slo.policy.tiers}


@dataclass(slots=True)
class _Resolver:
    project: ProjectSpec
    report: Report
    policies: dict[str, Policy] = field(default_factory=dict)
    templates: dict[str, SourceFile] = field(default_factory=dict)
    tenants: dict[str, Position] = field(default_factory=dict)
    identities: dict[tuple[str, str, str], Position] = field(default_factory=dict)


def resolve(
    manifests: Sequence[Manifest], project: ProjectSpec, report: Report
) -> tuple[ResolvedTenant, ...]:
    """Resolve all tenants, sorted by name; findings go to `report`."""
    resolver = _Resolver(project, report)
    for manifest in manifests:
        if isinstance(manifest.model, AlertPolicy):
            _add_policy(resolver, manifest)
        elif isinstance(manifest.model, SLOTemplate):
            resolver.templates.setdefault(manifest.model.metadata.name, manifest.source)
    resolved = [
        _resolve_tenant(resolver, manifest, manifest.model)
        for manifest in manifests
        if isinstance(manifest.model, Tenant)
    ]
    tenants = tuple(sorted(resolved, key=lambda tenant: tenant.name))
    check_dependencies(tenants, resolver.identities, report)
    return tenants


def _add_policy(resolver: _Resolver, manifest: Manifest) -> None:
    assert isinstance(manifest.model, AlertPolicy)  # noqa: S101  (narrows the type)
    name, loc = manifest.model.metadata.name, ("metadata", "name")
    if name in resolver.policies:
        resolver.report.error(
            manifest.document.locate(loc),
            "duplicate-policy",
            f'the policy "{name}" stands twice; first at {resolver.policies[name].at()}',
        )
        return
    policy = Policy(name, manifest.model.spec, manifest.document, ("spec",))
    check_policy(policy, resolver.project, resolver.report)
    resolver.policies[name] = policy


def _resolve_tenant(resolver: _Resolver, manifest: Manifest, tenant: Tenant) -> ResolvedTenant:
    report, project, document = resolver.report, resolver.project, manifest.document
    name, spec = tenant.metadata.name, tenant.spec
    _check_tenant(resolver, manifest, name)
    policies = {**resolver.policies}
    for index, own in enumerate(spec.policies):
        loc = ("spec", "policies", index)
        if own.name in policies:
            report.error(
                document.locate((*loc, "name")),
                "duplicate-policy",
                f'there is a policy "{own.name}" already, at {policies[own.name].at()}',
                "give it a name of its own",
            )
        policies[own.name] = Policy(own.name, own, document, loc)
        check_policy(policies[own.name], project, report)
    slos = [*_resolve_slos(resolver, tenant, document, policies)]
    resolved = ResolvedTenant(
        name=name,
        owner=tenant.metadata.owner,
        labels=tenant.metadata.labels,
        matchers=_matchers(project, name),
        isolating=isolating(project),
        slos=tuple(slos),
        steps=resolve_steps(
            project, tenant, document, _channels(resolver, tenant, document), report
        ),
        document=document,
        source=manifest.source,
        exclusions=resolve_exclusions(tenant, document, project, report),
        levels=severities_of(project.severities),
    )
    check_labels(tenant, document, project, resolved.matchers, report)
    check_renames(tenant, document, report)
    if slos and check_severities(resolved, report):
        check_escalation(resolved, report)
    return resolved


def _matchers(project: ProjectSpec, tenant: str) -> Mapping[str, str]:
    if tenant in project.tenants:
        return project.tenants[tenant].matchers
    if project.isolation == "none":
        return {}
    return {project.isolation.label: tenant}


def _check_tenant(resolver: _Resolver, manifest: Manifest, name: str) -> None:
    report, ownership = resolver.report, resolver.project.ownership
    at = manifest.document.locate(("metadata", "name"))
    if name in resolver.tenants:
        report.error(
            at,
            "duplicate-tenant",
            f'the tenant "{name}" is declared twice; first at {resolver.tenants[name]}',
            "give each tenant one document",
        )
    resolver.tenants.setdefault(name, at)
    if ownership is None:
        return
    before, _, after = ownership.partition("{tenant}")
    match = re.fullmatch(
        rf"{re.escape(before)}(?P<tenant>[^/]+){re.escape(after)}", manifest.source.name
    )
    owner = match["tenant"] if match else None
    if owner != name:
        may = f'only the tenant "{owner}"' if owner else "no tenant"
        report.error(
            at,
            "not-owner",
            f'this file declares the tenant "{name}", but may declare {may}',
            f"the project's ownership is {ownership}",
        )


def _resolve_slos(
    resolver: _Resolver, tenant: Tenant, document: Document, policies: Mapping[str, Policy]
) -> Iterator[ResolvedSLO]:
    report = resolver.report
    for index, slo in enumerate(tenant.spec.slos):
        loc = ("spec", "slos", index)
        identity = (tenant.metadata.name, slo.service, slo.name)
        at = document.declared(loc)
        if identity in resolver.identities:
            report.error(
                at,
                "duplicate-slo",
                f"the SLO {'/'.join(identity)} stands twice; first at "
                f"{resolver.identities[identity]}",
                "rename one: both would record the same series",
            )
        resolver.identities.setdefault(identity, at)
        inherited = inherit(slo, tenant, resolver.project.defaults)
        objective, named = inherited.objective, inherited.said["policy"]
        policy = policies.get(named.value)
        if objective is None:
            report.error(
                at, "missing-key", "the SLO has no objective", "set it here or in spec.defaults"
            )
        if policy is None:
            where, why = document.blamed((*loc, "alerting", "policy")), ""
            if named.level is Level.TENANT:
                where = document.locate(("spec", "defaults", "policy"))
            elif named.level is Level.PROJECT:
                where, why = at, ", which the project's defaults name"
            report.error(
                where,
                "undefined-policy",
                f'no alert policy "{named.value}"{why}',
                nearest(named.value, policies),
            )
        if objective is not None and policy is not None:
            template = resolver.templates.get(slo.template or "")
            yield ResolvedSLO(
                slo, objective, inherited.period, policy, document, loc, inherited, template
            )


def _channels(
    resolver: _Resolver, tenant: Tenant, document: Document
) -> dict[str, ResolvedChannel]:
    channels: dict[str, ResolvedChannel] = {}
    for index, channel in enumerate(tenant.spec.channels):
        loc = ("spec", "channels", index)
        at = document.locate((*loc, "name"))
        if channel.name in channels:
            resolver.report.error(
                at,
                "duplicate-channel",
                f'the channel "{channel.name}" is defined twice; first on line '
                f"{channels[channel.name].position.line}",
                "rename one",
            )
        channels[channel.name] = ResolvedChannel(channel, at)
        body = channel.body
        for since_field, version in body.SINCE.items():
            given = not since_field or getattr(body, since_field) is not None
            if given and _older(resolver.project.alertmanager.version, version):
                what = f"{body.KIND}.{since_field}" if since_field else body.KIND
                resolver.report.error(
                    document.locate((*loc, body.KIND, *([since_field] if since_field else []))),
                    "needs-alertmanager",
                    f"{what} needs Alertmanager {version}; the project declares "
                    f"{resolver.project.alertmanager.version}",
                    "upgrade Alertmanager, or notify another channel",
                )
        for secret_field, path in body.secret_files():
            allowed = (resolver.project.secrets or "/").replace("{tenant}", tenant.metadata.name)
            if not path.startswith(allowed.rstrip("/") + "/"):
                resolver.report.error(
                    document.locate((*loc, body.KIND, secret_field)),
                    "foreign-secret",
                    f'the tenant "{tenant.metadata.name}" may not read {path}',
                    f"its secrets are in {allowed}",
                )
    return channels


def _older(declared: str, needed: str) -> bool:
    def key(version: str) -> list[int]:
        return [int(part) for part in version.split(".")]

    return key(declared) < key(needed)


def check_versions(project: ProjectSpec, at: Mapping[str, Position], report: Report) -> None:
    """Refuse versions older than the output is tested with, and evaluations that fit no tile."""
    every = project.prometheus.evaluation_interval
    if Duration.of(minutes=5).ms % every.ms:
        report.error(
            at["prometheus"],
            "evaluation-interval",
            f"an evaluation_interval of {every} does not divide 5m, the shortest tile",
            "use one that does, such as 15s, 30s or 1m: counts would be off",
        )
    for name, declared, oldest in (
        ("prometheus", project.prometheus.version, OLDEST_PROMETHEUS),
        ("alertmanager", project.alertmanager.version, OLDEST_ALERTMANAGER),
    ):
        if _older(declared, oldest):
            report.error(
                at[name],
                f"needs-{name}",
                f"{name.capitalize()} {declared} is not supported; {oldest} is the oldest that is",
            )
