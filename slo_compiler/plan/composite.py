"""What a composite SLO is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.plan.tenant import Identity, identity
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema.sli.composite import Composite


def excluded_alone(tenant: ResolvedTenant, slo: ResolvedSLO, part: ResolvedSLO) -> bool:
    """Whether an exclusion applies to a part of a composite, and not to the composite."""
    own = tenant.exclusions_of(slo)
    return any(exclusion not in own for exclusion in tenant.exclusions_of(part))


@dataclass(frozen=True, slots=True)
class PlannedComponent:
    """An SLO that a composite is made of."""

    identity: Identity
    weight: Fraction
    # While an exclusion applies to this component and not to the composite, it counts as nothing,
    # as long as one of these has events.
    excluded_beside: tuple[Identity, ...]


def components_of(
    tenant: ResolvedTenant, slo: ResolvedSLO, report: Report
) -> tuple[PlannedComponent, ...]:
    """Plan what a composite is made of; nothing, if a component cannot be counted."""
    body = slo.spec.sli.body
    if not isinstance(body, Composite):
        return ()
    problems = [*_problems(tenant, slo, body)]
    for problem in problems:
        report.error(*problem)
    if problems:
        return ()
    by_name = _by_name(tenant)
    ids = {part.slo: identity(tenant, by_name[part.slo]) for part in body.slos}
    return tuple(
        PlannedComponent(
            ids[part.slo],
            Fraction(part.weight),
            tuple(other for name, other in ids.items() if name != part.slo)
            if excluded_alone(tenant, slo, by_name[part.slo])
            else (),
        )
        for part in body.slos
    )


def _problems(
    tenant: ResolvedTenant, slo: ResolvedSLO, body: Composite
) -> Iterator[tuple[Position, str, str, str]]:
    """Give what is wrong with the components: place, ID, message and next step."""
    by_name, seen = _by_name(tenant), set[str]()
    for index, part in enumerate(body.slos):
        at = slo.at("sli", body.KIND, "slos", index, "slo")
        found = by_name.get(part.slo)
        if found is None:
            others = [name for name, other in by_name.items() if other is not slo]
            yield (
                at,
                "undefined-slo",
                f'no SLO "{part.slo}" of this tenant',
                nearest(part.slo, others) or "name it as service/name",
            )
        elif found is slo or isinstance(found.spec.sli.body, Composite):
            yield (
                at,
                "composite-of-composite",
                f'"{part.slo}" is a composite' + (", this one" if found is slo else ""),
                "name the SLOs that it is made of",
            )
        elif part.slo in seen:
            yield (at, "duplicate-component", f'"{part.slo}" is listed twice', "add its weights")
        elif missing := sorted({*slo.by} - {*found.by}):
            yield (
                slo.at("sli", body.KIND, "by"),
                "missing-label",
                f'"{part.slo}" has no label "{missing[0]}"',
                "leave it out of by, or add it there",
            )
        seen.add(part.slo)


def _by_name(tenant: ResolvedTenant) -> dict[str, ResolvedSLO]:
    return {f"{slo.spec.service}/{slo.spec.name}": slo for slo in tenant.slos}
