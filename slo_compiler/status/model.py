"""The state of an SLO, and how dangerous it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from slo_compiler.schema.severity import SeverityLevel

Key = tuple[str, str, str]  # tenant, service, SLO


class SLODanger(IntEnum):
    """The state of an SLO, the worst first."""

    PAGE = 0  # an alert of the most urgent severity fires, or of one that the project lacks
    NO_DATA = 1
    ALERT = 2  # another alert fires
    OVERSPENT = 3
    BURNING = 4  # faster than the budget lasts, in every window
    FINE = 5


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert that fires."""

    name: str
    severity: str  # the label
    tier: str
    since: str  # RFC 3339; empty where the server does not give it
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SLOStatus:
    """What is recorded of one SLO. Of an SLO with `by`, the worst value, but for error ratios."""

    tenant: str
    service: str
    slo: str
    objective: str  # percent
    period: str
    stage: str  # live, shadow or recorded
    events: float | None  # per second; None without data
    error_ratio: float | None  # now; None without events
    period_error_ratio: float | None
    burn_rates: Mapping[str, float]  # by window, the shortest first
    budget_remaining: float | None  # 1 is untouched, below 0 is overspent
    exhaustion: float | None  # seconds until it is spent; None where it is not burning
    alerts: Sequence[FiringAlert] = ()

    @property
    def name(self) -> str:
        """Tenant, service and SLO."""
        return f"{self.tenant}/{self.service}/{self.slo}"

    @property
    def burning(self) -> bool:
        """Whether the budget burns faster than it lasts, over every window."""
        return bool(self.burn_rates) and min(self.burn_rates.values()) > 1

    def danger(self, levels: Sequence[SeverityLevel]) -> SLODanger:
        """Rank the SLO by its alerts, its data and its budget."""
        known = [level.label for level in levels]
        if any(a.severity == known[0] or a.severity not in known for a in self.alerts):
            return SLODanger.PAGE
        if self.events is None:
            return SLODanger.NO_DATA
        if self.alerts:
            return SLODanger.ALERT
        if self.budget_remaining is not None and self.budget_remaining < 0:
            return SLODanger.OVERSPENT
        return SLODanger.BURNING if self.burning else SLODanger.FINE


@dataclass(frozen=True, slots=True)
class RunningRules:
    """Of which manifests a tenant's rules are: `tenants/a.yaml sha256:0123456789ab`."""

    tenant: str
    manifests: frozenset[str]  # several while servers or replicas disagree


@dataclass(frozen=True, slots=True)
class Status:
    """What a Prometheus knows."""

    slos: Sequence[SLOStatus]
    tenant_alerts: Mapping[str, Sequence[FiringAlert]]  # of a tenant's rules as a whole
    running: Mapping[str, RunningRules] | None  # None where the server does not list alerts
    queries: int
