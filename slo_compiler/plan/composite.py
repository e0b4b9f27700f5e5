"""The base pair of an SLO over other SLOs: weighted sums of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Rule
from slo_compiler.plan.tenant import identity
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema.sli.composite import Composite
from slo_compiler.templating import render_expression


def components(tenant: ResolvedTenant, slo: ResolvedSLO) -> tuple[ResolvedSLO, ...]:
    """Give the SLOs that a composite is made of, as far as they are there; none of any other."""
    body = slo.spec.sli.body
    if not isinstance(body, Composite):
        return ()
    by_name = _by_name(tenant)
    return tuple(by_name[part.slo] for part in body.slos if part.slo in by_name)


def components_first(tenant: ResolvedTenant) -> list[ResolvedSLO]:
    """Give a tenant's SLOs in an order in which a composite follows what it is made of."""
    return sorted(tenant.slos, key=lambda slo: isinstance(slo.spec.sli.body, Composite))


def excluded_alone(tenant: ResolvedTenant, slo: ResolvedSLO, part: ResolvedSLO) -> bool:
    """Whether an exclusion holds for a part of a composite, and not for the composite."""
    own = tenant.exclusions_of(slo)
    return any(exclusion not in own for exclusion in tenant.exclusions_of(part))


def composite_rules(
    tenant: ResolvedTenant,
    slo: ResolvedSLO,
    events_series: str,
    errors_series: str,
    report: Report,
) -> list[Rule]:
    """Plan the weighted sums; nothing, if a component cannot be counted."""
    body = slo.spec.sli.body
    assert isinstance(body, Composite)  # noqa: S101  (narrows the type)
    problems = [*_problems(tenant, slo, body)]
    for problem in problems:
        report.error(*problem)
    if problems:
        return []
    by_name, id_, at = _by_name(tenant), identity(tenant, slo), slo.at("sli", body.KIND)
    ids = {part.slo: identity(tenant, by_name[part.slo]) for part in body.slos}
    parts = [
        (
            ids[part.slo],
            burn.literal(Fraction(part.weight)),
            # Where these have events, the part counts as none while it alone is excluded.
            [other for name, other in ids.items() if name != part.slo]
            if excluded_alone(tenant, slo, by_name[part.slo])
            else [],
        )
        for part in body.slos
    ]
    return [
        Rule(
            recorded,
            render_expression("sli/composite", by=slo.by, series=series, parts=parts),
            at,
            labels=id_.labels,
        )
        for recorded, series in (
            (events_series, naming.EVENTS_RATE),
            (errors_series, naming.ERRORS_RATE),
        )
    ]


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
            yield (at, "duplicate-component", f'"{part.slo}" stands twice', "add its weights")
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
