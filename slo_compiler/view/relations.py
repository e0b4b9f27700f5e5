"""What else bears on an SLO: dependencies, an earlier name, parts, exclusions, isolation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from slo_compiler.plan import burn
from slo_compiler.plan.exclusions import tail
from slo_compiler.plan.rules import PlannedTenant
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.recurrence import Span, upcoming, zone
from slo_compiler.resolve.dependencies import dependency
from slo_compiler.resolve.exclusions import ResolvedExclusion
from slo_compiler.schema import Exclusion, Isolation, ProjectSpec, TenantExclusion
from slo_compiler.source import Document
from slo_compiler.view.values import place

OCCURRENCES = 3  # of an exclusion, that are listed


@dataclass(frozen=True, slots=True)
class DependencyFacts:
    """While this SLO pages, the pages of the explained one wait."""

    slo: str  # tenant/service/slo
    at: str


@dataclass(frozen=True, slots=True)
class FormerFacts:
    """What the SLO was called before; its period looks back to that name until a day."""

    slo: str  # tenant/service/slo
    renamed: str  # empty if the manifest gives no day
    removable: str  # the day from which on `formerly` changes nothing
    at: str


@dataclass(frozen=True, slots=True)
class PartFacts:
    """An SLO that a composite is made of."""

    slo: str  # service/slo, of the same tenant
    weight: str
    excluded_alone: bool  # whether an exclusion is for this part and not for the composite
    at: str


@dataclass(frozen=True, slots=True)
class OccurrenceFacts:
    """Once that an exclusion is active: local times, with their offset from UTC."""

    start: str
    end: str
    active: bool


@dataclass(frozen=True, slots=True)
class ExclusionFacts:
    """When nothing is counted."""

    name: str
    when: str
    location: str
    after: str  # how much longer it is active than it is declared
    upcoming: tuple[OccurrenceFacts, ...]
    declared_by: str  # tenant or project
    at: str


@dataclass(frozen=True, slots=True)
class IsolationFacts:
    """What every selector of the SLO's queries gets."""

    matchers: tuple[str, ...]
    dropped: str  # the isolation's own matcher, if the tenant's matchers replace it
    at: str  # where the project file changes the tenant's matchers


@dataclass(frozen=True, slots=True)
class Relations:
    """All that bears on an SLO, apart from its own values."""

    depends_on: tuple[DependencyFacts, ...]
    formerly: FormerFacts | None
    parts: tuple[PartFacts, ...]
    exclusions: tuple[ExclusionFacts, ...]
    isolation: IsolationFacts | None  # none of a composite, which has no queries


def relations_of(
    tenant: PlannedTenant,
    slo: PlannedSLO,
    project: ProjectSpec,
    document: Document | None,
    now: datetime,
) -> Relations:
    """Return what bears on an SLO; `document` is the project file."""
    return Relations(
        depends_on=tuple(_dependencies(tenant, slo)),
        formerly=_former(slo),
        parts=tuple(_parts(slo)),
        exclusions=tuple(
            _exclusion(tenant, slo, exclusion, document, now) for exclusion in slo.exclusions
        ),
        isolation=None if slo.queries is None else _isolation(tenant, project, document),
    )


def _dependencies(tenant: PlannedTenant, slo: PlannedSLO) -> Iterator[DependencyFacts]:
    seen = set()
    for index, text in enumerate(slo.resolved.spec.depends_on):
        name = "/".join(dependency(tenant.resolved, text))
        if name not in seen:
            yield DependencyFacts(name, place(slo.resolved.at("depends_on", index)))
        seen.add(name)


def _former(slo: PlannedSLO) -> FormerFacts | None:
    former, spec = slo.former, slo.resolved.spec.formerly
    if former is None or spec is None:
        return None
    old = former.old
    renamed = spec.renamed
    after = timedelta(milliseconds=slo.resolved.period.longest.ms) + timedelta(days=1)
    return FormerFacts(
        slo=f"{old.tenant}/{old.service}/{old.slo}",
        renamed=str(renamed or ""),
        removable=str(renamed + after) if renamed else "",
        at=place(slo.resolved.at("formerly")),
    )


def _parts(slo: PlannedSLO) -> Iterator[PartFacts]:
    body = slo.resolved.spec.sli.body
    for index, part in enumerate(slo.components):
        yield PartFacts(
            slo=f"{part.identity.service}/{part.identity.slo}",
            weight=burn.literal(part.weight),
            excluded_alone=bool(part.excluded_beside),
            at=place(slo.resolved.at("sli", body.KIND, "slos", index, "slo")),
        )


def _exclusion(
    tenant: PlannedTenant,
    slo: PlannedSLO,
    exclusion: ResolvedExclusion,
    document: Document | None,
    now: datetime,
) -> ExclusionFacts:
    spec, at = exclusion.spec, place(exclusion.position)
    own = isinstance(spec, TenantExclusion)
    if not own:
        at = _project_place(document, "exclusions", spec.name)
    seconds = int(now.timestamp())
    spans = upcoming(exclusion.patterns, seconds, OCCURRENCES)
    return ExclusionFacts(
        name=spec.name,
        when=_words(spec),
        location=spec.location,
        after=str(tail(slo.resolved, tenant.timing)),
        upcoming=tuple(_occurrence(span, spec.location, seconds) for span in spans),
        declared_by="tenant" if own else "project",
        at=at,
    )


def _words(spec: Exclusion) -> str:
    """Describe when an exclusion is active, as its manifest does: in local time."""
    if spec.to is not None:
        return f"once, from {_moment(spec.from_)} to {_moment(spec.to)}"
    days = ", ".join(spec.weekdays)
    return f"{days} {', '.join(spec.times)}, from {spec.from_} until {spec.until}"


def _moment(moment: date) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _occurrence(span: Span, location: str, now: int) -> OccurrenceFacts:
    start, end = (_local(at, location) for at in span)
    return OccurrenceFacts(start, end, active=span[0] <= now)


def _local(at: int, location: str) -> str:
    local = datetime.fromtimestamp(at, UTC).astimezone(zone(location))
    return local.isoformat(sep=" ", timespec="minutes")


def _isolation(
    tenant: PlannedTenant, project: ProjectSpec, document: Document | None
) -> IsolationFacts:
    matchers, own = tenant.resolved.matchers, project.isolation
    grant = project.tenants.get(tenant.name)
    label = own.label if isinstance(own, Isolation) else ""
    at = ""
    if document and isinstance(own, str):
        at = place(document.locate(("spec", "isolation")))
    elif document and grant is not None:
        at = place(document.locate(("spec", "tenants", tenant.name)))
    return IsolationFacts(
        matchers=tuple(f'{name}="{value}"' for name, value in matchers.items()),
        dropped=f'{label}="{tenant.name}"' if label and label not in matchers else "",
        at=at,
    )


def _project_place(document: Document | None, key: str, name: str) -> str:
    """Return the place of the entry with a name in a list of the project file."""
    if document is None:
        return ""
    entries = document.data["spec"][key]
    index = next(index for index, entry in enumerate(entries) if entry["name"] == name)
    return place(document.locate(("spec", key, index, "name")))
