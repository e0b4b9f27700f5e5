"""The state of SLOs as a table, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from slo_compiler.report import table
from slo_compiler.schema.severity import SeverityLevel
from slo_compiler.status.model import SLODanger, SLOStatus, Status

_BAR = 10  # characters
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_SIDES = "<>>>>><<"
_HEAD = ("SLO", "objective", "error ratio", "in period", "burn rate", "spent in", "budget", "state")

Behind = Sequence[tuple[str, str]]  # a tenant, and what is wrong with its rules


def ordered(slos: Sequence[SLOStatus], levels: Sequence[SeverityLevel]) -> list[SLOStatus]:
    """Sort SLOs by danger: what fires first, then what has the least budget left."""

    def key(slo: SLOStatus) -> tuple[SLODanger, float, str]:
        left = slo.budget_remaining
        return slo.danger(levels), left if left is not None else float("-inf"), slo.name

    return sorted(slos, key=key)


def as_text(status: Status, levels: Sequence[SeverityLevel], behind: Behind) -> Iterator[str]:
    """Give the lines of the table, and of what concerns whole tenants below it."""
    rows = [_row(slo, levels) for slo in ordered(status.slos, levels)]
    yield from table([_HEAD, *rows], _SIDES)
    lines = [
        f"{tenant}: {alert.name} fires ({alert.severity}){_since(alert.since)}"
        for tenant, alerts in status.tenant_alerts.items()
        for alert in alerts
    ]
    lines += [f"{tenant}: {what}" for tenant, what in behind]
    if lines:
        yield ""
        yield from lines


def counts(status: Status, levels: Sequence[SeverityLevel]) -> dict[SLODanger, int]:
    """Count the SLOs of each danger."""
    found = [slo.danger(levels) for slo in status.slos]
    return {danger: found.count(danger) for danger in SLODanger}


def as_json(status: Status, levels: Sequence[SeverityLevel], behind: Behind) -> str:
    """Give everything as one JSON object."""
    slos = [
        {**asdict(slo), "state": slo.danger(levels).name.lower()}
        for slo in ordered(status.slos, levels)
    ]
    record = {
        "slos": slos,
        "tenant_alerts": {
            tenant: [asdict(alert) for alert in alerts]
            for tenant, alerts in status.tenant_alerts.items()
        },
        "behind": dict(behind),
    }
    return json.dumps(record, indent=2) + "\n"


def _row(slo: SLOStatus, levels: Sequence[SeverityLevel]) -> tuple[str, ...]:
    window, rate = next(iter(slo.burn_rates.items()), ("", None))
    return (
        slo.name,
        f"{slo.objective}% {slo.period}",
        _share(slo.error_ratio),
        _share(slo.period_error_ratio),
        "-" if rate is None else f"{rate:.1f} in {window}",
        _span(slo.exhaustion) if slo.exhaustion is not None and (rate or 0) > 1 else "-",
        _bar(slo.budget_remaining),
        _state(slo, levels),
    )


def _state(slo: SLOStatus, levels: Sequence[SeverityLevel]) -> str:
    """Name the alerts that fire, or else the state."""
    if slo.alerts:
        found: dict[str, dict[str, None]] = {}
        for alert in slo.alerts:
            found.setdefault(alert.severity, {})[alert.tier] = None
        return "; ".join(f"{severity}: {', '.join(tiers)}" for severity, tiers in found.items())
    words = {
        SLODanger.NO_DATA: "no data",
        SLODanger.OVERSPENT: "overspent",
        SLODanger.BURNING: "burning",
    }
    word = words.get(slo.danger(levels), "")
    return ", ".join(filter(None, (slo.stage if slo.stage != "live" else "", word)))


def _bar(left: float | None) -> str:
    """Draw what is left of a budget: `[#######...]  71.2%`."""
    if left is None:
        return "-"
    full = round(min(max(left, 0), 1) * _BAR)
    return f"[{'#' * full}{'.' * (_BAR - full)}] {100 * left:6.1f}%"


def _share(ratio: float | None) -> str:
    return "-" if ratio is None else f"{100 * ratio:.3g}%"


def _span(seconds: float) -> str:
    """Write a span of time with its two largest units: `12d 4h`."""
    rest = int(seconds)
    found: list[str] = []
    for size, unit in _UNITS:
        number, rest = divmod(rest, size)
        if number or found:
            found.append(f"{number}{unit}")
        if len(found) == 2:  # noqa: PLR2004
            break
    return " ".join(found) or "0s"


def _since(moment: str) -> str:
    if not moment:
        return ""
    return f" since {moment.partition('.')[0].replace('T', ' ').removesuffix('Z')} UTC"
