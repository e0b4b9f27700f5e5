"""A tenant's SLOs, prepared for their tests: the counters behind their queries are derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.guards import Guard, guards_of
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import Identity
from slo_compiler.promql import may_have_value_without_input
from slo_compiler.promql.tree import tree_of
from slo_compiler.proofs.generate.figures import figures_of
from slo_compiler.proofs.generate.raw import derive, derive_gauge, selectors_of
from slo_compiler.proofs.generate.subject import EVENTS, SLOUnderTest
from slo_compiler.resolve.metadata import renames
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.sli.base import Missing, Second
from slo_compiler.templating import promql_string


def tests_of(tenant: PlannedTenant) -> list[SLOUnderTest]:
    """Prepare a tenant's SLOs for their tests: derive their counters, if they can be."""
    made: dict[Identity, SLOUnderTest] = {}
    renamed = any(renames(slo) for slo in tenant.resolved.slos)
    for slo in sorted(tenant.slos, key=lambda slo: bool(slo.components)):
        parts = [made[part.identity] for part in slo.components]
        made[slo.identity] = _under_test(tenant.resolved, slo, parts, renamed=renamed)
    return [made[slo.identity] for slo in tenant.slos]


def _under_test(
    tenant: ResolvedTenant, planned: PlannedSLO, parts: Sequence[SLOUnderTest], *, renamed: bool
) -> SLOUnderTest:
    slo, queries = planned.resolved, planned.queries
    raw = gauge = None
    read = [selector for part in parts for selector in part.selectors]
    opaque = [selector for part in parts for selector in part.opaque]
    pair = queries.pair if queries else None
    if queries is not None and queries.pair.of_two_counters:
        raw = derive(
            queries.events,
            queries.second,
            counts_errors=queries.pair.counts is Second.ERRORS,
            fills_in=queries.pair.missing is Missing.ZERO,
            by=slo.sources,
        )
    elif queries is not None:
        gauge = derive_gauge(queries.events, slo.sources)
    guards = {tier.name: tuple(guards_of(slo, tier)) for tier in slo.policy.tiers}
    texts = {queries.events, queries.second} if queries is not None else ()
    if queries is not None:
        own = [*selectors_of(queries.events), *selectors_of(queries.second)]
        read += own
        opaque += own if raw is None else []
    return SLOUnderTest(
        slo,
        raw,
        gauge,
        queries,
        parts=tuple(part.labels for part in parts),
        selectors=tuple(dict.fromkeys(read)),
        opaque=tuple(dict.fromkeys(opaque)),
        lacks_good=pair is not None
        and pair.counts is Second.GOOD
        and pair.missing is Missing.ZERO
        and not slo.slices,
        without_input=any(may_have_value_without_input(tree_of(text).root) for text in texts)
        or (bool(parts) and all(part.without_input for part in parts)),
        labels=_labels(planned.identity),
        origin=f"{tenant.source.name}:{slo.at('name').line}",
        guards=guards,
        events=_events(guards),
        name=f"{slo.spec.service}/{slo.spec.name}",
        renamed=renamed,
        figures=figures_of(slo),
        alert=f'service="{slo.spec.service}", slo="{slo.spec.name}"',
    )


def _events(guards: Mapping[str, Sequence[Guard]]) -> int:
    """Give the events of each sample: enough for an SLO's guards on low traffic."""
    every = [guard for of_tier in guards.values() for guard in of_tier]
    errors = max([guard.least for guard in every if guard.counted == "errors"], default=1)
    return max([EVENTS * errors, *[guard.least for guard in every]])


def _labels(identity: Identity) -> str:
    return ",".join(f"{k}={promql_string(v)}" for k, v in identity.labels)
