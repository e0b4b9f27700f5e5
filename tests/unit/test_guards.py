"""Which guard holds for an alert: the nearest, for errors and for events by itself."""

from __future__ import annotations

import re

import pytest
from cases import compiled

from slo_compiler import naming
from slo_compiler.render import Rule


def _alerts() -> dict[tuple[str, str], Rule]:
    (tenant,) = compiled("low-traffic").rules
    burning = (rule for rule in tenant.alerts if rule.name == naming.ALERT_BURN)
    return {(dict(r.labels)["slo"], dict(r.labels)["tier"]): r for r in burning}


@pytest.mark.parametrize(
    ("slo", "tier", "bounds", "told"),
    [
        ("invoices", "page", {"errors": "4.5"}, "at least 5 errors in 6h"),
        (
            "invoices",
            "ticket",
            {"errors": "2.5", "events": "49.5"},
            "at least 3 errors and 50 events in 3d",
        ),
        (
            "reports",
            "page",
            {"errors": "1.5", "events": "19.5"},
            "at least 2 errors and 20 events in 6h",
        ),
        ("exports", "page", {"errors": "9.5"}, "at least 10 errors in 6h"),
        (
            "exports",
            "ticket",
            {"errors": "1.5", "events": "49.5"},
            "at least 2 errors and 50 events in 3d",
        ),
    ],
)
def test_the_nearest_guard_wins_and_is_told(
    slo: str, tier: str, bounds: dict[str, str], told: str
) -> None:
    """The SLO's word on the tier, then its word on all tiers, then the policy's."""
    rule = _alerts()[slo, tier]
    found = re.findall(r"sum_over_time\(slo:(events|errors):.* > ([0-9.]+)", rule.expr)
    assert dict(found) == bounds
    assert dict(rule.annotations)["guard"] == told
