"""Pyrra's alerts: four burn rates, each over two windows that grow with the SLO's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.frontend.translate import From
from slo_compiler.importing.windows import fitted, moved
from slo_compiler.settings import Settings
from slo_compiler.source import Document, Loc

_MINUTE = Duration.of(minutes=1)


@dataclass(frozen=True, slots=True)
class Burn:
    """One of Pyrra's alerts; its windows and its `for` are parts of the SLO's window."""

    name: str
    key: str  # below alerting.severities
    severity: str
    rate: int
    long: int
    short: int
    wait: int


# Of 28 days: 1h, 5m and 2m; 6h, 30m and 15m; 1d, 2h and 1h; 4d, 6h and 3h.
BURNS = (
    Burn("fast", "fastBurn", "critical", 14, 28 * 24, 28 * 24 * 12, 28 * 24 * 30),
    Burn("medium", "mediumBurn", "critical", 7, 28 * 4, 28 * 24 * 2, 28 * 24 * 4),
    Burn("slow", "slowBurn", "warning", 2, 28, 28 * 12, 28 * 24),
    Burn("long-term", "longTermBurn", "warning", 1, 7, 28 * 4, 28 * 8),
)


def part_of(window: Duration, part: int) -> Duration:
    """Divide a window and round to whole minutes, half a minute up."""
    return _MINUTE * int(Fraction(window.ms, part * _MINUTE.ms) + Fraction(1, 2))


def policy_of(
    window: Duration,
    severities: Mapping[str, str],
    settings: Settings,
    document: Document,
    loc: Loc,
    report: Report,
) -> dict[str, Any]:
    """Give the policy of SLOs of a window; windows that cannot be kept are a finding.

    Args:
        window: the SLO's.
        severities: of each alert, by its key.
        settings: the project, whose intervals decide which windows there are.
        document: where the window is written.
        loc: its place there.
        report: takes the finding.
    """
    tiers, changes = [], []
    for burn in BURNS:
        wanted = [part_of(window, part) for part in (burn.long, burn.short)]
        long, short = (fitted(each, settings) for each in wanted)
        pairs = zip(wanted, (long, short), strict=True)
        changes += [moved(old, new) for old, new in pairs if old != new]
        wait = part_of(window, burn.wait)
        tier = {
            "name": burn.name,
            "severity": severities[burn.key],
            "burn_rate": burn.rate,
            "long_window": From(str(long), loc, document=document),
            "short_window": From(str(short), loc, document=document),
        }
        tiers.append(tier | ({"for": str(wait)} if wait.ms else {}))
    if changes:
        report.warning(
            document.locate(loc),
            "import-approximated",
            f"of the alerts' windows, {'; '.join(dict.fromkeys(changes))}: the rules of this "
            "project have no others. Thresholds stay",
            "in 4w, 8w and 12w they are the same",
        )
    return {"name": f"pyrra-{window}", "tiers": tiers}
