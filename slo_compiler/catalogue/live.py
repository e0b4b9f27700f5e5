"""What a Prometheus has recorded of each SLO, in the words and numbers of the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from slo_compiler.schema.severity import SeverityLevel
from slo_compiler.status import SLOStatus, Status
from slo_compiler.status.model import SLODanger

_BAR = 60  # units of the drawing
_LOW = 0.25
_FEW = 10  # tenants of which the same is wrong, that are named
_WORDS = {
    SLODanger.NO_DATA: "no data",
    SLODanger.OVERSPENT: "overspent",
    SLODanger.BURNING: "burning",
    SLODanger.FINE: "within budget",
}


def live_of(
    status: Status,
    levels: Sequence[SeverityLevel],
    behind: Sequence[tuple[str, str]],
    now: datetime,
) -> dict[str, Any]:
    """Give the state of all SLOs, and what is wrong with whole tenants.

    Args:
        status: what a Prometheus answered.
        levels: the project's severities, most urgent first.
        behind: tenants that run other rules than those here, and what is wrong with them.
        now: when it was queried.
    """
    notes: dict[str, list[str]] = {}
    for tenant, some in status.tenant_alerts.items():
        for alert in some:
            notes.setdefault(f"{alert.name} fires ({alert.severity})", []).append(tenant)
    for tenant, what in behind:
        notes.setdefault(what, []).append(tenant)
    return {
        "as_of": f"{now:%Y-%m-%d %H:%M} UTC",
        "notes": [f"{_listed(tenants)}: {what}" for what, tenants in notes.items()],
        "slos": {slo.name: _state(slo, levels) for slo in status.slos},
    }


def _listed(tenants: Sequence[str]) -> str:
    more = len(tenants) - _FEW
    return ", ".join(tenants[:_FEW]) + (f" and {more} more" if more > 0 else "")


NOT_RECORDED: dict[str, Any] = {
    "state": "not recorded",
    "words": "not recorded",
    "left": None,
}


def _state(slo: SLOStatus, levels: Sequence[SeverityLevel]) -> dict[str, Any]:
    danger, left = slo.danger(levels), slo.budget_remaining
    tiers = dict.fromkeys(f"{alert.severity}: {alert.tier}" for alert in slo.alerts)
    return {
        "state": danger.name.lower(),
        "words": ", ".join(tiers) or _WORDS.get(danger, danger.name.lower()),
        "left": left,
        "width": round(_BAR * min(max(left or 0, 0), 1), 1),
        "level": "low" if left is not None and left < _LOW else "",
        "percent": _percent(left),
        "now": _percent(slo.error_ratio),
        "period": _percent(slo.period_error_ratio),
        "rates": dict(slo.burn_rates),
    }


def _percent(ratio: float | None) -> str:
    return "–" if ratio is None else f"{100 * ratio:.3g}%"  # noqa: RUF001  (a dash for people)
