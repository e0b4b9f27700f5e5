"""Which tiers of a policy cannot work for an SLO, and why."""

from __future__ import annotations

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.plan import burn
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant


def check_tiers(tenant: ResolvedTenant, timing: burn.Timing, report: Report) -> None:
    """Refuse tiers that cannot work, each at its place in the policy, or else at the SLO."""
    for slo in tenant.slos:
        names: set[str] = set()
        for index, tier in enumerate(slo.policy.tiers):
            if tier.name in names:
                report.error(
                    _at(slo, index, "name"),
                    "duplicate-tier",
                    f'two tiers of {slo.policy.name} are called "{tier.name}"',
                    "rename one: alerts and proofs distinguish tiers by their names",
                )
            names.add(tier.name)
            if tier.short_window >= tier.long_window:
                report.error(
                    _at(slo, index, "short_window"),
                    "tier-windows",
                    f"the short window {tier.short_window} is not shorter than the long one, "
                    f"{tier.long_window}",
                    "the short window ends the alert; a twelfth of the long one is usual",
                )
                continue
            if tier.short_window < timing.minimum_window():
                report.error(
                    _at(slo, index, "short_window"),
                    "window-too-short",
                    f"the window {tier.short_window} of {slo.policy.name}'s {tier.name} holds too "
                    f"few samples: at {timing.scrape} scrapes it takes "
                    f"{timing.minimum_window()}, which is 4 scrapes and one evaluation",
                    "lengthen the window, or scrape more often",
                )
            for key, window in (
                ("long_window", tier.long_window),
                ("short_window", tier.short_window),
            ):
                tile = timing.window_tile(window)
                if tile is not None and window.ms % tile.ms:
                    below = tile * (window.ms // tile.ms)
                    report.error(
                        _at(slo, index, key),
                        "window-tiles",
                        f"the window {window} is no multiple of its tiles, {tile}",
                        f"write {below} or {below + tile}",
                    )
        names |= {tier.name for tier in slo.policy.spec.tiers}
        for name in slo.spec.alerting.tiers:
            if name not in names:
                report.error(
                    slo.document.locate((*slo.loc, "alerting", "tiers", name), key=True),
                    "undefined-tier",
                    f'the policy {slo.policy.name} has no tier "{name}"',
                    nearest(name, names),
                )


def _at(slo: ResolvedSLO, index: int, key: str) -> Position:
    """Place of a tier's key; the SLO's, where the policy came with the compiler."""
    if slo.policy.builtin:
        return slo.at("alerting", "policy") if slo.spec.alerting.policy else slo.at("name")
    return slo.policy.at("tiers", index, key)
