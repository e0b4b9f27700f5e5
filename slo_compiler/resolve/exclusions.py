"""Which exclusions apply to which SLO."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.recurrence import Pattern
from slo_compiler.schema import Exclusion, ProjectSpec, Tenant
from slo_compiler.source import Document

MAX_PER_SLO = 16  # they are in the SLO's rule group, and Mimir takes 20 rules a group
MAX_PATTERNS_PER_SLO = 128  # so that a thousand SLOs are a file that can be read


@dataclass(frozen=True, slots=True)
class ResolvedExclusion:
    """An exclusion, its place, and for which SLOs it is, by service and name: None is all."""

    spec: Exclusion
    position: Position
    patterns: tuple[Pattern, ...]
    slos: frozenset[tuple[str, str]] | None = None

    def holds_for(self, service: str, name: str) -> bool:
        """Whether it is for an SLO."""
        return self.slos is None or (service, name) in self.slos


def resolve_exclusions(
    tenant: Tenant, document: Document, project: ProjectSpec, report: Report
) -> tuple[ResolvedExclusion, ...]:
    """Return the exclusions of a tenant: the project's, which are for all of it, and its own."""
    found = [
        ResolvedExclusion(spec, document.locate(("metadata", "name")), spec.patterns)
        for spec in project.exclusions
    ]
    names = {each.spec.name: "of the project" for each in found}
    for index, spec in enumerate(tenant.spec.exclusions):
        loc = ("spec", "exclusions", index)
        at = document.locate((*loc, "name"))
        if spec.name in names:
            report.error(
                at,
                "duplicate-exclusion",
                f'there is an exclusion "{spec.name}" {names[spec.name]} already',
                "rename one: their series would be the same",
            )
        names[spec.name] = f"on line {at.line}"
        slos = None
        if spec.slos is not None:
            slos = frozenset(_slos(tenant, spec.slos, (document, loc), report))
        found.append(ResolvedExclusion(spec, at, spec.patterns, slos))
    for index, slo in enumerate(tenant.spec.slos):
        own = [each for each in found if each.holds_for(slo.service, slo.name)]
        patterns = sum(len(each.patterns) for each in own)
        if len(own) > MAX_PER_SLO or patterns > MAX_PATTERNS_PER_SLO:
            report.error(
                document.locate(("spec", "slos", index, "name")),
                "too-many-exclusions",
                f"{len(own)} exclusions with {patterns} patterns in UTC hold for this SLO; at most "
                f"{MAX_PER_SLO} with {MAX_PATTERNS_PER_SLO} can",
                "remove those that are over: what they took out of the budget stays out",
            )
    return tuple(found)


def _slos(
    tenant: Tenant,
    names: list[str],
    place: tuple[Document, tuple[str | int, ...]],
    report: Report,
) -> Iterator[tuple[str, str]]:
    known = {f"{slo.service}/{slo.name}": (slo.service, slo.name) for slo in tenant.spec.slos}
    document, loc = place
    for number, name in enumerate(names):
        if name in known:
            yield known[name]
            continue
        report.error(
            document.locate((*loc, "slos", number)),
            "undefined-slo",
            f'no SLO "{name}"',
            nearest(name, known),
        )
