"""Which SLOs an SLO depends on: while they page, its own pages wait."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from slo_compiler.diagnostics import Report, nearest
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant

Key = tuple[str, str, str]  # tenant, service, SLO
_FEW = 10  # SLOs that are listed where none is near


def dependencies(tenant: ResolvedTenant, slo: ResolvedSLO) -> tuple[Key, ...]:
    """Name the SLOs that an SLO depends on, each once; of two parts the tenant is its own."""
    return tuple(dict.fromkeys(dependency(tenant, text) for text in slo.spec.depends_on))


def dependency(tenant: ResolvedTenant, text: str) -> Key:
    """Read `tenant/service/slo`, or `service/slo` for one of the tenant's own."""
    *other, service, name = text.split("/")
    return (other[0] if other else tenant.name, service, name)


def check_dependencies(
    tenants: Sequence[ResolvedTenant],
    declared: Collection[Key],
    report: Report,
    *,
    incomplete: bool,
) -> None:
    """Check that each dependency is there, pages, and does not wait for the SLO in turn.

    Args:
        tenants: all tenants.
        declared: all SLOs of the sources, those that have findings of their own included.
        report: takes the findings.
        incomplete: whether a tenant may be missing because its manifest has findings.
    """
    slos = {(t.name, s.spec.service, s.spec.name): (t, s) for t in tenants for s in t.slos}
    partial = {tenant.name for tenant in tenants if "unknown-slo" in tenant.uncertain}
    graph: dict[Key, tuple[Key, ...]] = {}
    for key, (tenant, slo) in slos.items():
        good = []
        own = report.without(tenant.uncertain)
        for index, text in enumerate(slo.spec.depends_on):
            other = dependency(tenant, text)
            problem = _problem(key, other, text, slos, declared)
            if problem is None:
                good.append(other)
            elif not (
                (incomplete and problem[0] == "unknown-tenant")
                or (problem[0] == "unknown-slo" and other[0] in partial)
            ):
                own.error(slo.at("depends_on", index), *problem)
        graph[key] = tuple(good)
        if slo.spec.depends_on and slo.tiers and not _pages(tenant, slo):
            own.error(
                slo.at("depends_on"),
                "dependency",
                f'this SLO has no alerts of severity "{tenant.levels[0].name}", the only ones that '
                "wait for its dependencies",
                "remove depends_on",
            )
    for cycle in _cycles(graph):
        tenant, slo = slos[cycle[0]]
        index = next(
            i for i, t in enumerate(slo.spec.depends_on) if dependency(tenant, t) == cycle[1]
        )
        report.error(
            slo.at("depends_on", index),
            "dependency-cycle",
            "these SLOs depend on each other, so that nobody would be paged for any: "
            + " -> ".join("/".join(key) for key in cycle),
            "remove one of the dependencies",
        )


def _problem(
    key: Key,
    other: Key,
    text: str,
    slos: Mapping[Key, tuple[ResolvedTenant, ResolvedSLO]],
    declared: Collection[Key],
) -> tuple[str, str, str] | None:
    """Return what is wrong with a dependency: ID, message and next step."""
    if other == key:
        return ("dependency", "an SLO does not depend on itself", "remove it")
    if other not in declared:
        return _unknown(key, other, declared, full=text.startswith(f"{other[0]}/"))
    if other not in slos:
        return None  # it has findings of its own
    tenant, slo = slos[other]
    if not slo.live:
        why = "is in stage shadow" if slo.shadow else "has no alerts (alerting: none)"
        return (
            "dependency",
            f"{text} {why}: it pages nobody, and nobody would be paged for this SLO",
            f"depend on it once it {'is live' if slo.shadow else 'alerts'}",
        )
    if not _pages(tenant, slo):
        return (
            "dependency",
            f'{text} has no alerts of severity "{tenant.levels[0].name}" to wait for',
            f"its policy {slo.policy.name} has: "
            + ", ".join(dict.fromkeys(tier.severity for tier in slo.policy.tiers)),
        )
    return None


def _unknown(
    key: Key, other: Key, declared: Collection[Key], *, full: bool
) -> tuple[str, str, str]:
    tenants = {tenant for tenant, _, _ in declared}
    if other[0] not in tenants:
        near = nearest(other[0], tenants)
        together = "compile its manifest together with this one"
        hint = f"{near} Or {together}" if near.startswith("did you mean") else together
        return ("unknown-tenant", f'the tenant "{other[0]}" is not among the sources', hint)
    start = 0 if full else 1  # as it was written, so that it can be copied
    own = sorted("/".join(k[start:]) for k in declared if k[0] == other[0] and k != key)
    near = nearest("/".join(other[start:]), own)
    helpful = near.startswith("did you mean") or len(own) <= _FEW
    return ("unknown-slo", f"no SLO {'/'.join(other)}", near if helpful else "")


def _pages(tenant: ResolvedTenant, slo: ResolvedSLO) -> bool:
    return any(tier.severity == tenant.levels[0].name for tier in slo.policy.tiers)


def _cycles(graph: Mapping[Key, Sequence[Key]]) -> Iterator[list[Key]]:
    """Give each cycle that a walk closes, from its first SLO to the same again.

    Without recursion: manifests are hostile, and a chain may be long.
    """
    done: set[Key] = set()
    for start in graph:
        path: dict[Key, None] = {}
        walk: list[tuple[Key, bool]] = [(start, False)]
        while walk:
            key, leaving = walk.pop()
            if leaving:
                done.add(path.popitem()[0])
                continue
            if key in done:
                continue
            if key in path:
                yield [*islice(path, [*path].index(key), None), key]
                continue
            path[key] = None
            walk.append((key, True))
            walk += [(other, False) for other in reversed(graph.get(key, ()))]
