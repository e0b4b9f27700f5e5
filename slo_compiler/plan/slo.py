"""One SLO, planned: its identity, its queries, its tiers with their thresholds and guards."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.compat import ForeignNames, foreign_names
from slo_compiler.plan.composite import PlannedComponent, components_of
from slo_compiler.plan.guards import Guard, guards_of
from slo_compiler.plan.reach import burn_factor
from slo_compiler.plan.renames import Rename, rename_of
from slo_compiler.plan.sli import BaseQueries, base_queries
from slo_compiler.plan.slices import check_slices
from slo_compiler.plan.tenant import Identity, escalation_waits, identity, user_labels
from slo_compiler.resolve.exclusions import ResolvedExclusion
from slo_compiler.resolve.metadata import UserMetadata, metadata_of, metadata_parts
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier
from slo_compiler.schema.severity import SeverityLevel

# What an SLO may set of its alerting without an effect on what a tier of its policy becomes.
_NOT_OF_TIERS = frozenset({"policy", "runbook", "dashboard", "when_unreachable", "vanished"})


@dataclass(frozen=True, slots=True, eq=False)
class PlannedTier:
    """A tier of an SLO's policy, with all that follows from the SLO; SLOs that are alike share it.

    It is compared by identity, so that what is rendered of it is found quickly.
    """

    spec: Tier
    severity: SeverityLevel
    factor: Fraction  # burn rate at which it fires
    threshold: Fraction  # error ratio at which it fires
    guards: tuple[Guard, ...]
    tiled: bool  # whether its long window is summed of tiles
    waits: tuple[Duration, ...]  # of the further levels of escalation, shortest first
    metadata: UserMetadata

    @property
    def alert(self) -> str:
        """Name of its alerts."""
        return self.metadata.name or naming.ALERT_BURN


@dataclass(frozen=True, slots=True, eq=False)
class PlannedSLO:
    """An SLO with all that its rules, routes, proofs and explanations are made of."""

    resolved: ResolvedSLO
    identity: Identity
    error_budget: Fraction
    tiers: tuple[PlannedTier, ...]
    queries: BaseQueries | None  # none of a composite
    components: tuple[PlannedComponent, ...]  # of a composite
    former: Rename | None
    exclusions: tuple[ResolvedExclusion, ...]
    labels: dict[str, str]  # that users put on it, sorted
    foreign: ForeignNames | None  # by which another tool's readers find it

    @property
    def by(self) -> tuple[str, ...]:
        """Labels that distinguish the series of this SLO."""
        return self.resolved.by


class Tiers:
    """Plans the tiers of a tenant's SLOs: once for those that are alike."""

    def __init__(self, tenant: ResolvedTenant, timing: burn.Timing) -> None:
        self._tenant, self._timing = tenant, timing
        self._known: dict[tuple[object, ...], tuple[PlannedTier, ...]] = {}

    def of(self, slo: ResolvedSLO) -> tuple[PlannedTier, ...]:
        """Plan the tiers of an SLO."""
        if not slo.spec.alerting.model_fields_set <= _NOT_OF_TIERS:
            return self._planned(slo)
        # All else that tiers are made of comes from the tenant and the project.
        key = (id(slo.policy), slo.recorded_only, slo.objective, slo.period)
        if key not in self._known:
            self._known[key] = self._planned(slo)
        return self._known[key]

    def _planned(self, slo: ResolvedSLO) -> tuple[PlannedTier, ...]:
        return tuple(_tier(self._tenant, slo, tier, self._timing) for tier in slo.tiers)


def plan_slo(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing, tiers: Tiers, report: Report
) -> PlannedSLO:
    """Plan an SLO; what is wrong with its queries, components and slices goes to `report`."""
    labels = dict(user_labels(tenant, slo))
    _check_labels(slo, labels, report)
    if slo.slices is not None:
        check_slices(slo, slo.slices, timing, report)
    queries = base_queries(tenant, slo, timing.base_range, report)
    return PlannedSLO(
        resolved=slo,
        identity=identity(tenant, slo),
        error_budget=burn.error_budget(slo.objective),
        tiers=tiers.of(slo),
        queries=queries,
        components=components_of(tenant, slo, report),
        former=rename_of(tenant, slo),
        exclusions=tenant.exclusions_of(slo),
        labels=labels,
        foreign=foreign_names(slo, queries, report),
    )


def _tier(tenant: ResolvedTenant, slo: ResolvedSLO, tier: Tier, timing: burn.Timing) -> PlannedTier:
    factor = burn_factor(slo, tier)
    return PlannedTier(
        spec=tier,
        severity=tenant.level(tier.severity),
        factor=factor,
        threshold=burn.threshold(factor, slo.objective),
        guards=tuple(guards_of(slo, tier)),
        tiled=timing.is_tiled(tier.long_window),
        waits=tuple(escalation_waits(tenant, tier.severity)),
        metadata=metadata_of(slo, tier.severity, tier.name),
    )


def _check_labels(slo: ResolvedSLO, labels: dict[str, str], report: Report) -> None:
    """Refuse labels of users that the SLI keeps; each value of them would be lost."""
    of_alerts = {
        label
        for _, alerting in slo.inherited.metadata
        for _, part in metadata_parts(alerting)
        for label in part.labels
    }
    for label in sorted({*slo.by} & ({*labels} | of_alerts)):
        what = "the SLO" if label in labels else "its alerts"
        report.error(
            slo.at("sli", slo.spec.sli.body.KIND, "by"),
            "label-clash",
            f'"{label}" is both a label of the SLI (by) and a label of {what}',
            "rename the SLO's label" if label in labels else "rename the label of the alerts",
        )
