"""Which SLOs of a tenant share the alerts on budgets, and which have one of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slo_compiler.resolve.metadata import UserMetadata, metadata_of
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant


@dataclass(frozen=True, slots=True)
class AlikeSLOs:
    """SLOs with the same name, labels and annotations of budget alerts.

    If most of a tenant's SLOs are alike, they share a rule that names none of them, but the
    `others`. Each of these has a rule of its own, which is about one SLO.
    """

    slos: tuple[ResolvedSLO, ...]
    others: tuple[ResolvedSLO, ...]
    metadata: UserMetadata
    shared: bool


def alike_slos(tenant: ResolvedTenant) -> Iterator[AlikeSLOs]:
    """Group the SLOs that alert somebody; where none does, all of them."""
    severity = tenant.health_severities[-1]
    groups: dict[tuple[object, ...], tuple[UserMetadata, list[ResolvedSLO]]] = {}
    slos = tenant.live or tenant.slos
    for slo in slos:
        metadata = metadata_of(slo, severity)
        groups.setdefault(metadata.key, (metadata, []))[1].append(slo)
    # Where as many have no words of their own as have some, those without share.
    most, sharing = max(groups.values(), key=lambda group: (len(group[1]), group[0].is_empty))
    shared = {id(slo) for slo in sharing} if len(sharing) * 2 >= len(slos) else set()
    others = tuple(slo for slo in slos if id(slo) not in shared)
    if shared:
        yield AlikeSLOs(tuple(sharing), others, most, shared=True)
    for slo in others:
        yield AlikeSLOs((slo,), (), metadata_of(slo, severity), shared=False)
