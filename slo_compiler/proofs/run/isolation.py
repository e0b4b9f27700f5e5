"""Does any alert of a tenant reach a receiver that is not its own?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slo_compiler import naming
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.routing.config import Config
from slo_compiler.routing.decide import routes_for


@dataclass(frozen=True, slots=True)
class Crossing:
    """An alert of a tenant that reaches another tenant, or the root's receiver."""

    tenant: str
    alert: Pairs
    receiver: str
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IsolationResult:
    """What was checked, and what was found: `195 alerts x 7 tenants checked, 0 crossings`."""

    alerts: int
    tenants: int
    crossings: tuple[Crossing, ...]

    def __str__(self) -> str:
        return (
            f"{self.alerts} alerts x {self.tenants} tenants checked, "
            f"{len(self.crossings)} crossings"
        )


def crossings(config: Config, expected_routes: Sequence[ExpectedRoute]) -> IsolationResult:
    """Check each tenant's alerts against the receivers of all tenants and the root's.

    Receivers that no tenant owns, such as the heartbeat's, are open to all but for the root's.
    """
    found = [
        Crossing(tenant, expected.labels, match.receiver, match.path)
        for expected, tenant in zip(expected_routes, map(_tenant, expected_routes), strict=True)
        for match in routes_for(config, expected.labels)
        if match.receiver == config.route.receiver or _is_anothers(match.receiver, tenant)
    ]
    tenants = {_tenant(expected) for expected in expected_routes}
    return IsolationResult(len(expected_routes), len(tenants), tuple(found))


def _tenant(expected: ExpectedRoute) -> str:
    return dict(expected.labels)[naming.TENANT]


def _is_anothers(receiver: str, tenant: str) -> bool:
    owned = naming.receiver("")  # what the names of all tenants' receivers begin with
    return receiver.startswith(owned) and not receiver.startswith(naming.receiver(tenant, ""))
