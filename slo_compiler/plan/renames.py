"""Whose history a renamed SLO continues: the old identity's series are summed with its own."""

from __future__ import annotations

from dataclasses import dataclass

from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan.tenant import Identity, identity, tier_windows
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant


@dataclass(frozen=True, slots=True)
class Rename:
    """An SLO as it was called and as it is."""

    old: Identity
    new: Identity


def rename_of(tenant: ResolvedTenant, slo: ResolvedSLO) -> Rename | None:
    """Return what an SLO was called, if it was renamed."""
    if slo.spec.formerly is None:
        return None
    service, name = slo.spec.formerly.identity(slo.spec.service)
    return Rename(Identity(tenant.name, service, name), identity(tenant, slo))


def renames_of(tenant: ResolvedTenant, span: Duration | Period) -> list[Rename]:
    """Return what those SLOs of a tenant were called that look back over a period or a window."""
    found = (
        rename_of(tenant, slo)
        for slo in tenant.slos
        if slo.spec.formerly is not None
        and (
            span in (slo.period, *tier_windows([slo]))
            # A window that is as long as a period is its ratio, too.
            or (span == slo.period.nominal and not slo.period.calendar)
        )
    )
    return [rename for rename in found if rename is not None]
