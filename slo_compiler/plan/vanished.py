"""Which SLOs report a value of `by` that was there and is not, and how far they look back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import periods_of
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant

LOOK_BACK = Duration.of(days=1)  # unless the manifest sets another


@dataclass(frozen=True, slots=True)
class VanishedAlert:
    """A value of the labels in `by` had events within a span, and has none now."""

    by: tuple[str, ...]
    within: Duration
    for_: Duration
    tile: Duration  # whose series it looks for: those of a tile are recorded less often than rates
    slos: tuple[ResolvedSLO, ...]


def look_back(slo: ResolvedSLO) -> Duration | None:
    """Return how long an SLO's values are looked for; None if it wants no alert.

    Unless it is set, a day, or twice the time without data that its policy allows.
    """
    declared, period = slo.alerting.vanished, slo.period.nominal
    if not slo.by or not slo.live or declared == "none":
        return None
    if declared is not None:
        return declared
    wait = slo.policy.spec.no_data_for
    within = min(max(LOOK_BACK, wait * 2), period)
    return within if within > wait else None


def vanished_alerts(tenant: ResolvedTenant, wait: Duration) -> Iterator[VanishedAlert]:
    """Give an alert for each pair of labels and look-back that SLOs of the tenant have."""
    alike: dict[tuple[tuple[str, ...], Duration], list[ResolvedSLO]] = {}
    for slo in tenant.slos:
        within = look_back(slo)
        if within is not None:
            alike.setdefault((tuple(sorted(slo.by)), within), []).append(slo)
    tile = min(map(burn.period_tile, periods_of(tenant)))  # recorded for all SLOs of the tenant
    for (by, within), slos in alike.items():
        yield VanishedAlert(by, within, wait, tile, tuple(slos))


def check_vanished(tenant: ResolvedTenant, report: Report) -> None:
    """Refuse look-backs with which the alert cannot fire, or that outlive the budget."""
    for slo in tenant.slos:
        within, wait, period = slo.alerting.vanished, slo.policy.spec.no_data_for, slo.period
        if within is None or within == "none":
            continue
        declared = slo.spec.alerting.vanished is not None
        at = slo.at("alerting", "vanished") if declared else slo.at("name")
        if not slo.by:
            if declared:
                report.error(
                    at,
                    "vanished-look-back",
                    "the SLO has no labels whose values can vanish",
                    "remove vanished, or add by to the SLI; SLONoData reports missing data",
                )
        elif within <= wait:
            longer = min(max(LOOK_BACK, wait * 2), period.nominal)
            report.error(
                at,
                "vanished-look-back",
                f"a value that is looked for within {within} is forgotten before the alert fires, "
                f"after {wait} (no_data_for of {slo.policy.name})",
                f"lengthen it: vanished: {longer}" if longer > wait else "write vanished: none",
            )
        elif within > period.nominal:
            report.error(
                at,
                "vanished-look-back",
                f"a look-back of {within} is longer than the period, {period.words}",
                f"write vanished: {min(LOOK_BACK, period.nominal)}, or at most the period",
            )
