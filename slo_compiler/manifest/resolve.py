"""Models to resolved tenants: defaults applied, names looked up, the platform's rules kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.duration import Duration
from slo_compiler.manifest.load import Manifest, SourceFile
from slo_compiler.manifest.model import (
    BUSINESS_HOURS,
    SLO,
    AlertPolicy,
    Channel,
    Hours,
    PolicySpec,
    ProjectSpec,
    Step,
    Tenant,
    Tier,
)
from slo_compiler.source import Document, Loc

DEFAULT_PERIOD = Duration.of(days=30)
DEFAULT_POLICY = "sre-workbook"
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
    period: Duration
    policy: Policy
    document: Document
    loc: Loc

    def at(self, *path: str | int) -> Position:
        """Place of a part of the SLO."""
        return self.document.locate((*self.loc, *path))

    @property
    def by(self) -> tuple[str, ...]:
        """Labels that tell the series of this SLO apart."""
        return tuple(self.spec.sli.body.by)


@dataclass(frozen=True, slots=True)
class ResolvedChannel:
    """A channel, and where it stands."""

    spec: Channel
    position: Position


@dataclass(frozen=True, slots=True)
class ResolvedStep:
    """One step of an escalation, its names looked up."""

    spec: Step
    channels: tuple[ResolvedChannel, ...]
    hours: tuple[Hours, ...] | None
    position: Position


@dataclass(frozen=True, slots=True)
class ResolvedTenant:
    """One tenant, ready to plan."""

    name: str
    owner: str
    labels: Mapping[str, str]
    matchers: Mapping[str, str]
    slos: tuple[ResolvedSLO, ...]
    steps: tuple[ResolvedStep, ...]
    document: Document
    source: SourceFile

    @property
    def position(self) -> Position:
        """Where the tenant is named."""
        return self.document.locate(("metadata", "name"))

    @property
    def severities(self) -> tuple[str, ...]:
        """Severities that the tenant's alerts have, the most urgent first."""
        found = {tier.severity for slo in self.slos for tier in slo.policy.tiers}
        return tuple(s for s in ("page", "ticket") if s in found)


@dataclass(slots=True)
class _Resolver:
    project: ProjectSpec
    report: Report
    policies: dict[str, Policy] = field(default_factory=dict)
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
    resolved = [
        _resolve_tenant(resolver, manifest, manifest.model)
        for manifest in manifests
        if isinstance(manifest.model, Tenant)
    ]
    return tuple(sorted(resolved, key=lambda tenant: tenant.name))


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
    resolver.policies[name] = Policy(name, manifest.model.spec, manifest.document, ("spec",))


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
    slos = [*_resolve_slos(resolver, tenant, document, policies)]
    resolved = ResolvedTenant(
        name=name,
        owner=tenant.metadata.owner,
        labels=tenant.metadata.labels,
        matchers=_matchers(project, name),
        slos=tuple(slos),
        steps=_resolve_steps(resolver, tenant, document, _channels(resolver, tenant, document)),
        document=document,
        source=manifest.source,
    )
    if slos:
        _check_escalation(resolved, report)
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
    report, defaults = resolver.report, (tenant.spec.defaults, resolver.project.defaults)
    for index, slo in enumerate(tenant.spec.slos):
        loc = ("spec", "slos", index)
        identity = (tenant.metadata.name, slo.service, slo.name)
        at = document.locate((*loc, "name"))
        if identity in resolver.identities:
            report.error(
                at,
                "duplicate-slo",
                f"the SLO {'/'.join(identity)} stands twice; first at "
                f"{resolver.identities[identity]}",
                "rename one: both would record the same series",
            )
        resolver.identities.setdefault(identity, at)
        objective = slo.objective or next((d.objective for d in defaults if d.objective), None)
        period = slo.period or next((d.period for d in defaults if d.period), DEFAULT_PERIOD)
        named = slo.alerting.policy or next((d.policy for d in defaults if d.policy), None)
        policy = policies.get(named or DEFAULT_POLICY)
        if objective is None:
            report.error(
                at, "missing-key", "the SLO has no objective", "set it here or in spec.defaults"
            )
        if policy is None:
            where: Loc = (*loc, "alerting", "policy")
            why = ""
            if not slo.alerting.policy and tenant.spec.defaults.policy:
                where = ("spec", "defaults", "policy")
            elif not slo.alerting.policy:
                where, why = (*loc, "name"), ", which the project's defaults name"
            report.error(
                document.locate(where),
                "undefined-policy",
                f'no alert policy "{named}"{why}',
                nearest(str(named), policies),
            )
        if objective is not None and policy is not None:
            yield ResolvedSLO(slo, objective, period, policy, document, loc)


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


def _resolve_steps(
    resolver: _Resolver, tenant: Tenant, document: Document, channels: dict[str, ResolvedChannel]
) -> tuple[ResolvedStep, ...]:
    report = resolver.report
    hours_by_name = {**BUSINESS_HOURS, **resolver.project.hours, **tenant.spec.hours}
    steps = []
    for index, step in enumerate(tenant.spec.escalation):
        loc = ("spec", "escalation", index)
        for number, name in enumerate(step.notify):
            if name not in channels:
                report.error(
                    document.locate((*loc, "notify", number)),
                    "undefined-channel",
                    f'no channel "{name}"',
                    nearest(name, channels) or "define it in spec.channels",
                )
        if step.hours is not None and step.hours not in hours_by_name:
            report.error(
                document.locate((*loc, "hours")),
                "undefined-hours",
                f'no hours "{step.hours}"',
                nearest(step.hours, hours_by_name),
            )
        steps.append(
            ResolvedStep(
                spec=step,
                channels=tuple(channels[n] for n in dict.fromkeys(step.notify) if n in channels),
                hours=tuple(hours_by_name.get(step.hours, ())) if step.hours else None,
                position=document.locate((*loc, "severity" if step.severity else "budget_below")),
            )
        )
    return tuple(steps)


def _check_escalation(tenant: ResolvedTenant, report: Report) -> None:
    """Every alert has a route, every route an alert, and nobody hears of one twice."""
    for step in tenant.steps:
        _check_reached(tenant, step, report)
    for number, step in enumerate(tenant.steps):
        for earlier in tenant.steps[:number]:
            _check_overlap(earlier, step, report)
    for severity in tenant.severities:
        steps = (step.spec for step in tenant.steps)
        if not any(s.severity == severity and s.firing_for is None for s in steps):
            report.error(
                tenant.position,
                "no-route",
                f'alerts of severity "{severity}" reach nobody',
                f"add to spec.escalation: {{severity: {severity}, notify: [...]}}",
            )


def _check_reached(tenant: ResolvedTenant, step: ResolvedStep, report: Report) -> None:
    spec = step.spec
    if spec.severity and spec.severity not in tenant.severities:
        report.error(
            step.position,
            "unreachable-escalation",
            "this step is never reached: no SLO of this tenant has alerts of severity "
            f'"{spec.severity}"',
            f"its policies have: {', '.join(tenant.severities)}",
        )
    if spec.budget_below and spec.firing_for:
        report.error(
            step.position,
            "unreachable-escalation",
            "firing_for goes with a severity, not with budget_below",
            "remove firing_for",
        )


def _check_overlap(earlier: ResolvedStep, step: ResolvedStep, report: Report) -> None:
    """Two steps on the same alerts differ in their hours and do not share a channel at any."""
    one, two = earlier.spec, step.spec
    if (one.severity, one.budget_below, one.firing_for) != (
        two.severity,
        two.budget_below,
        two.firing_for,
    ):
        return
    if one.hours == two.hours:
        report.error(
            step.position,
            "duplicate-step",
            f"the step at line {earlier.position.line} is for the same alerts",
            "put all channels into one step",
        )
    elif None in (one.hours, two.hours):
        for name in sorted({*one.notify} & {*two.notify}):
            report.error(
                step.position,
                "notified-twice",
                f'the channel "{name}" would be notified twice, also by the step at line '
                f"{earlier.position.line}",
                "name it in the step without hours only",
            )
