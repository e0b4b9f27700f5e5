"""Models to resolved tenants: defaults applied, names looked up, the platform's rules kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.frontend.load import Manifest
from slo_compiler.frontend.lost import consequences
from slo_compiler.resolve.dependencies import Key
from slo_compiler.resolve.escalation import (
    check_escalation,
    check_policy,
    check_severities,
    resolve_steps,
)
from slo_compiler.resolve.exclusions import resolve_exclusions
from slo_compiler.resolve.inherit import DEFAULT_POLICY, SourceLevel, inherit
from slo_compiler.resolve.labels import check_labels, isolating
from slo_compiler.resolve.metadata import check_metadata, check_severity_names
from slo_compiler.resolve.model import Policy, ResolvedChannel, ResolvedSLO, ResolvedTenant
from slo_compiler.resolve.names import SpelledNames
from slo_compiler.resolve.project import is_older
from slo_compiler.resolve.renames import check_renames
from slo_compiler.schema import (
    AlertPolicy,
    ProjectSpec,
    SLOTemplate,
    Tenant,
)
from slo_compiler.schema.severity import severities_of
from slo_compiler.source import Document, Loc, SourceFile

_STAND_IN_OBJECTIVE = Decimal(99)


@dataclass(slots=True)
class _Resolver:
    project: ProjectSpec
    report: Report
    policies: dict[str, Policy] = field(default_factory=dict)
    templates: dict[str, SourceFile] = field(default_factory=dict)
    tenants: dict[str, Position] = field(default_factory=dict)
    identities: dict[Key, Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Tenants, sorted by name, and all SLOs that were declared, those with findings included."""

    tenants: tuple[ResolvedTenant, ...]
    declared: Mapping[Key, Position]


def resolve(
    manifests: Sequence[Manifest],
    project: ProjectSpec,
    report: Report,
    uncertain: frozenset[str] = frozenset(),
) -> Resolved:
    """Resolve tenants; what their SLOs depend on is not looked up here: it may be in other files.

    Args:
        manifests: policies, templates and tenants; of those with findings, what is left.
        project: the platform's settings.
        report: takes the findings.
        uncertain: IDs of findings that may only follow from one of the project or its policies.
    """
    resolver = _Resolver(project, report.without(uncertain))
    for manifest in manifests:
        if isinstance(manifest.model, AlertPolicy):
            _add_policy(resolver, manifest)
        elif isinstance(manifest.model, SLOTemplate):
            resolver.templates.setdefault(manifest.model.metadata.name, manifest.source)
    resolved = [
        _resolve_tenant(resolver, manifest, manifest.model, uncertain)
        for manifest in manifests
        if isinstance(manifest.model, Tenant)
    ]
    return Resolved(
        tuple(sorted(resolved, key=lambda tenant: tenant.name)), dict(resolver.identities)
    )


def _add_policy(resolver: _Resolver, manifest: Manifest) -> None:
    assert isinstance(manifest.model, AlertPolicy)  # noqa: S101  (narrows the type)
    name, loc = manifest.model.metadata.name, ("metadata", "name")
    if name in resolver.policies:
        resolver.report.error(
            manifest.document.locate(loc),
            "duplicate-policy",
            f'the policy "{name}" is defined twice; first at {resolver.policies[name].at()}',
        )
        return
    policy = Policy(name, manifest.model.spec, manifest.document, ("spec",))
    check_policy(policy, resolver.project, resolver.report)
    resolver.policies[name] = policy


def _resolve_tenant(
    resolver: _Resolver, manifest: Manifest, tenant: Tenant, uncertain: frozenset[str]
) -> ResolvedTenant:
    project, document = resolver.project, manifest.document
    name, spec = tenant.metadata.name, tenant.spec
    uncertain |= manifest.uncertain
    if name in resolver.tenants:
        uncertain |= {"duplicate-slo", "not-owner"}  # of a copied file, one finding
    resolver = replace(resolver, report=resolver.report.without(uncertain))
    report = resolver.report
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
    slos = []
    for slo, lost in _resolve_slos(resolver, tenant, manifest, policies):
        slos.append(slo)
        uncertain |= consequences(lost)
    report = resolver.report.without(uncertain)
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
        uncertain=uncertain,
        health=project.health.severity,
        runbooks=project.health.runbooks,
        scrape=spec.defaults.scrape_interval,
    )
    check_severity_names(
        spec.defaults,
        project.severities,
        lambda *path: document.locate(("spec", "defaults", *path), key=True),
        report,
    )
    check_labels(tenant, document, project, resolved.matchers, report)
    check_renames(tenant, document, report)
    if slos and check_severities(resolved, report):
        check_escalation(resolved, report)
    return resolved


def _matchers(project: ProjectSpec, tenant: str) -> Mapping[str, str]:
    grant = project.tenants.get(tenant)
    if grant is not None and grant.matchers is not None:
        return grant.matchers
    own = {} if project.isolation == "none" else {project.isolation.label: tenant}
    return {**own, **(grant.extra_matchers or {})} if grant is not None else own


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
    resolver: _Resolver, tenant: Tenant, manifest: Manifest, policies: Mapping[str, Policy]
) -> Iterator[tuple[ResolvedSLO, tuple[Loc, ...]]]:
    """Resolve each SLO; of one that lacks something, a stand-in for that, and its path."""
    report, document = resolver.report, manifest.document
    spelled = SpelledNames()
    for index, slo in enumerate(tenant.spec.slos):
        loc: Loc = ("spec", "slos", index)
        lost: tuple[Loc, ...] = ()
        identity = (tenant.metadata.name, slo.service, slo.name)
        at = document.declared(loc)
        if identity in resolver.identities:
            report.error(
                at,
                "duplicate-slo",
                f"the SLO {'/'.join(identity)} is declared twice; first at "
                f"{resolver.identities[identity]}",
                "rename one: both would record the same series",
            )
        elif alike := spelled.taken(slo):
            report.error(
                at,
                "duplicate-slo",
                f"{alike}: names are compared without case, and with _ and . as -",
                "spell it alike, or choose another name",
            )
        resolver.identities.setdefault(identity, at)
        inherited = inherit(slo, tenant, resolver.project.defaults)
        objective, named = inherited.objective, inherited.sourced["policy"]
        policy = policies.get(named.value)
        if objective is None:
            objective = _STAND_IN_OBJECTIVE
            lost += ((*loc, "objective"),)
            if not manifest.lacks(*loc, "objective"):
                report.error(
                    at, "missing-key", "the SLO has no objective", "set it here or in spec.defaults"
                )
        if policy is None:
            where, why = document.blamed((*loc, "alerting", "policy")), ""
            if named.level is SourceLevel.TENANT:
                where = document.locate(("spec", "defaults", "policy"))
            elif named.level is SourceLevel.PROJECT:
                where, why = at, ", which the project's defaults name"
            report.error(
                where,
                "undefined-policy",
                f'no alert policy "{named.value}"{why}',
                nearest(named.value, policies),
            )
            policy = resolver.policies[DEFAULT_POLICY]
            lost += ((*loc, "alerting"),)
        template = resolver.templates.get(slo.template or "")
        resolved = ResolvedSLO(
            slo, objective, inherited.period, policy, document, loc, inherited, template
        )
        resolved = replace(resolved, unread=manifest.lacks(*loc, "sli"))
        if not resolved.unread:  # else its labels are not known
            check_metadata(resolved, report)
        check_severity_names(
            slo.alerting,
            resolver.project.severities,
            lambda *path, loc=loc: document.locate((*loc, "alerting", *path), key=True),
            report,
        )
        yield resolved, lost


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
            if given and is_older(resolver.project.alertmanager.version, version):
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
