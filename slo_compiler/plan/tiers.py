"""Which tiers of a policy cannot work for an SLO, and why."""

from __future__ import annotations

from slo_compiler.diagnostics import Report
from slo_compiler.manifest.model import Tier
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.plan import burn


def check_tiers(tenant: ResolvedTenant, timing: burn.Timing, report: Report) -> None:
    """Refuse tiers that cannot work: each is reported once, where it stands."""
    for slo in tenant.slos:
        names: set[str] = set()
        for index, tier in enumerate(slo.policy.tiers):
            at = slo.policy.at("tiers", index)
            if tier.name in names:
                report.error(at, "duplicate-tier", f'two tiers are called "{tier.name}"')
            names.add(tier.name)
            if tier.short_window >= tier.long_window:
                report.error(
                    at,
                    "tier-windows",
                    f"the short window {tier.short_window} is not shorter than the long one, "
                    f"{tier.long_window}",
                )
                continue
            if tier.short_window < timing.minimum_window():
                report.error(
                    at,
                    "window-too-short",
                    f"the window {tier.short_window} holds too few samples: at "
                    f"{timing.scrape} scrapes it takes {timing.minimum_window()}, which is 4 "
                    "scrapes and one evaluation",
                    "lengthen the window, or scrape more often",
                )
            for window in (tier.long_window, tier.short_window):
                tile = burn.tile(window)
                if window > burn.TILED_ABOVE and window.ms % tile.ms:
                    report.error(
                        at,
                        "window-tiles",
                        f"the window {window} is no multiple of its tiles, {tile}",
                    )
            _check_reach(slo, tier, report)


def _check_reach(slo: ResolvedSLO, tier: Tier, report: Report) -> None:
    factor = burn.burn_factor(tier.budget_share, slo.period, tier.long_window)
    threshold = burn.threshold(factor, slo.objective)
    at = slo.at("objective") if slo.spec.objective else slo.at("name")
    if tier.long_window > slo.period:
        report.error(
            slo.at("name"),
            "window-beyond-period",
            f"the tier {tier.name} looks at {tier.long_window}, but the period is {slo.period}",
        )
    elif threshold >= 1:
        report.error(
            at,
            "never-fires",
            f"the tier {tier.name} of {slo.policy.name} can never fire: its threshold is an error "
            f"ratio of {burn.literal(threshold)} (burn rate {burn.literal(factor)} x budget "
            f"{burn.literal(burn.error_budget(slo.objective))})",
            "choose a policy with a smaller budget_share or a longer long_window",
        )
