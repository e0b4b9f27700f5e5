"""Whose history a renamed SLO continues: the old identity's series are summed with its own."""

from __future__ import annotations

from dataclasses import dataclass

from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.plan.tenant import Identity, identity


@dataclass(frozen=True, slots=True)
class Rename:
    """An SLO as it was called and as it is."""

    old: Identity
    new: Identity


def rename_of(tenant: ResolvedTenant, slo: ResolvedSLO) -> Rename | None:
    """Tell what an SLO was called, if it was renamed."""
    if slo.spec.formerly is None:
        return None
    service, name = slo.spec.formerly.identity(slo.spec.service)
    return Rename(Identity(tenant.name, service, name), identity(tenant, slo))


def renames_of(tenant: ResolvedTenant) -> list[Rename]:
    """Tell what the SLOs of a tenant were called."""
    found = (rename_of(tenant, slo) for slo in tenant.slos)
    return [rename for rename in found if rename is not None]
