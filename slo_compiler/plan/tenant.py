"""What a tenant's SLOs are called, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant

MILLISECOND = Duration(1)


@dataclass(frozen=True, slots=True)
class Identity:
    """What distinguishes one SLO from all others."""

    tenant: str
    service: str
    slo: str

    @property
    def labels(self) -> Pairs:
        """The identity as labels."""
        return (
            (naming.TENANT, self.tenant),
            (naming.SERVICE, self.service),
            (naming.SLO, self.slo),
        )


def identity(tenant: ResolvedTenant, slo: ResolvedSLO) -> Identity:
    """Name an SLO."""
    return Identity(tenant.name, slo.spec.service, slo.spec.name)


def tenant_timing(tenant: ResolvedTenant, scrape: Duration, evaluation: Duration) -> burn.Timing:
    """Choose the spans of a tenant's rules from its shortest window and its scrape interval.

    A tenant has one base: the rules of its windows have no SLO's name, and reach back by the window
    less the base. Another base for a single SLO would take windows of its own, distinguished by a
    label on all series that whatever reads them would have to know.
    """
    shortest = min(tier.short_window for slo in tenant.slos for tier in slo.policy.tiers)
    return burn.timing(tenant.scrape or scrape, evaluation, shortest)


def user_labels(tenant: ResolvedTenant, slo: ResolvedSLO) -> Mapping[str, str]:
    """Give the labels that users put on an SLO; its own win over its tenant's."""
    return dict(sorted({**tenant.labels, **slo.labels}.items()))


def periods_of(tenant: ResolvedTenant) -> list[Period]:
    """Give the periods of a tenant's budgets, shortest first."""
    return sorted({slo.period for slo in tenant.slos})


def tier_windows(slos: Iterable[ResolvedSLO]) -> set[Duration]:
    """Give all windows of the SLOs' tiers, and those of their pace."""
    slos = [*slos]
    return {slo.policy.pace_window for slo in slos} | {
        window
        for slo in slos
        for tier in slo.policy.tiers
        for window in (tier.long_window, tier.short_window)
    }


def long_windows(tenant: ResolvedTenant) -> list[Duration]:
    """Give the windows that have a burn rate, shortest first: long ones, and those of the pace."""
    paces = {slo.policy.pace_window for slo in tenant.slos}
    return sorted(paces | {t.long_window for slo in tenant.slos for t in slo.policy.tiers})


def escalation_waits(tenant: ResolvedTenant, severity: str) -> list[Duration]:
    """Return the distinct `firing_for` of a severity, shortest first: levels 2, 3, ..."""
    return [level.wait for level in tenant.escalation.levels(severity) if level.wait]


def budget_steps(tenant: ResolvedTenant) -> list[Decimal]:
    """Return the percentages of budget left that have steps, highest first."""
    return [step.percent for step in tenant.escalation.budgets]


def exhaustion_steps(tenant: ResolvedTenant) -> list[Duration]:
    """Return the spans before the budget is spent that have steps, longest first."""
    return [step.within for step in tenant.escalation.exhaustions]
