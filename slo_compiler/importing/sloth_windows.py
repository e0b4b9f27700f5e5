"""The alert windows of a Sloth run: its two built-in catalogs, or one of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slo_compiler.diagnostics import Report
from slo_compiler.frontend.translate import From
from slo_compiler.importing.part import Section
from slo_compiler.schema.base import shown
from slo_compiler.source import Document

PERIODS = ("30d", "28d")  # of which Sloth has windows of its own
# Tier, severity, percent of the budget, long window, short window: those of the SRE Workbook.
_BUILTIN = (
    ("page-fast", "page", "2%", "1h", "5m"),
    ("page-slow", "page", "5%", "6h", "30m"),
    ("ticket-fast", "ticket", "10%", "1d", "2h"),
    ("ticket-slow", "ticket", "10%", "3d", "6h"),
)
_SPEEDS = {"quick": "fast", "slow": "slow"}


@dataclass(frozen=True, slots=True)
class Windows:
    """The period of a run, and the tiers that watch its SLOs."""

    period: str
    tiers: tuple[dict[str, Any], ...]

    def all(self) -> dict[str, Any]:
        """Give the policy of SLOs whose alerts are both on."""
        return {"name": "sloth", "tiers": [*self.tiers]}

    def only(self, severity: str) -> dict[str, Any]:
        """Give the policy of SLOs one of whose alerts is switched off."""
        tiers = [tier for tier in self.tiers if tier["severity"] == severity]
        return {"name": f"sloth-{severity}", "tiers": tiers}


def _tier(name: str, severity: str, share: Any, long: Any, short: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "name": name,
        "severity": severity,
        "budget_share": share,
        "long_window": long,
        "short_window": short,
    }


def read_windows(documents: Sequence[Document], period: str | None, report: Report) -> Windows:
    """Find the windows of the period: of a catalog among the documents, else Sloth's own."""
    found: list[Windows] = []
    for document in documents:
        if isinstance(document.data, dict) and document.data.get("kind") == "AlertWindows":
            own = Report()
            windows = _catalog(Section.of(document, (), document.data, own))
            report.extend(own.diagnostics)
            if own.failed:
                continue
            if found or (period and windows.period != period):
                report.warning(
                    document.locate(("spec",)),
                    "import-left-out",
                    f"this catalog is not used: the period is {(period or found[0].period)}",
                    "import the files of one period at a time, with --period",
                )
                continue
            found.append(windows)
    if found:
        return found[0]
    if period and period not in PERIODS and documents:
        report.error(
            documents[0].locate(),
            "import-refused",
            f"Sloth has no windows of its own for a period of {period}",
            "import the catalog (kind: AlertWindows) together with these files",
        )
    return Windows(period or PERIODS[0], tuple(_tier(*each) for each in _BUILTIN))


def _catalog(top: Section) -> Windows:
    top.read |= {"apiVersion", "kind", "metadata"}
    spec = top.part("spec")
    period = spec.text("sloPeriod")
    if period is None:
        spec.refuse("sloPeriod", "a catalog has a sloPeriod")
    tiers: list[dict[str, Any]] = []
    for severity in ("page", "ticket"):
        alerts = spec.part(severity)
        for speed, name in _SPEEDS.items():
            window = alerts.part(speed)
            share = window.get("errorBudgetPercent")
            if isinstance(share, bool) or share is None:
                window.refuse("errorBudgetPercent", f"expected a percentage, found {shown(share)}")
            taken = [
                From(value, (*window.loc, key), document=top.document)
                for key, value in (
                    ("errorBudgetPercent", f"{share}%"),
                    ("longWindow", window.text("longWindow") or ""),
                    ("shortWindow", window.text("shortWindow") or ""),
                )
            ]
            tiers.append(_tier(f"{severity}-{name}", severity, *taken))
            window.finish()
        alerts.finish()
    spec.finish()
    top.finish()
    return Windows(period or PERIODS[0], tuple(tiers))
