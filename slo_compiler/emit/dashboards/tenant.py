"""The dashboard of one tenant: an SLO at a time, chosen by variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.emit.dashboards import panels as grid
from slo_compiler.emit.dashboards.panels import Json, Panel, Target
from slo_compiler.emit.dashboards.style import (
    BUDGET,
    BURN,
    LAST,
    LEGEND,
    NONE_IS_GOOD,
    PLAIN,
    any_worst,
    series,
    worst,
)
from slo_compiler.plan import PlannedTenant, burn
from slo_compiler.promql import Matcher, is_plain_label
from slo_compiler.schema import Tier
from slo_compiler.templating import render_expression

_DASHED = {
    "matcher": {"id": "byRegexp", "options": "^(even spending|.* fires above)$"},
    "properties": [
        {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}},
        {"id": "custom.fillOpacity", "value": 0},
    ],
}


def stats(
    planned: PlannedTenant, chosen: Sequence[Matcher], values: Sequence[Matcher]
) -> Iterator[Panel]:
    """Give the numbers of the chosen SLO."""

    def stat(title: str, expr: str, unit: str, thresholds: Json, **more: object) -> Panel:
        defaults = {"thresholds": thresholds, "color": {"mode": "thresholds"}, **more}
        return Panel(
            "stat",
            title,
            [Target(expr)],
            width=4,
            height=4,
            unit=unit,
            defaults=defaults,
            options=LAST,
        )

    yield stat("Objective", series(naming.OBJECTIVE, chosen), "percentunit", PLAIN, decimals=3)
    yield stat("Budget left", worst("min", naming.BUDGET_REMAINING, values), "percentunit", BUDGET)
    periods = sorted({naming.error_ratio(slo.resolved.period) for slo in planned.slos})
    yield stat(
        "Error ratio in the period",
        any_worst("max", periods, values),
        "percentunit",
        PLAIN,
        decimals=3,
    )
    yield stat("Burn rate", any_worst("max", paces(planned), values), "none", BURN, decimals=1)
    yield stat(
        "Spent in",
        worst("min", naming.BUDGET_EXHAUSTION, values),
        "s",
        PLAIN,
        noValue="not burning",
    )
    yield stat("Events", f"sum({series(naming.EVENTS_RATE, values)})", "reqps", PLAIN)


def graphs(
    planned: PlannedTenant, chosen: Sequence[Matcher], values: Sequence[Matcher]
) -> Iterator[Panel]:
    """Give what they were over time, and the alerts."""
    left = " ".join(["left", *(f"{{{{{label}}}}}" for label in by_labels(planned))])
    budget = [Target(series(naming.BUDGET_REMAINING, values), left)]
    if any(slo.resolved.period.calendar for slo in planned.slos):
        ideal = render_expression(
            "panel/budget_ideal",
            info=series(naming.INFO, chosen),
            elapsed=series(naming.PERIOD_ELAPSED, chosen[:1]),
        )
        budget.append(Target(ideal, "even spending"))
    yield Panel(
        "timeseries",
        "Error budget left",
        budget,
        "1 is untouched, 0 is spent. In a calendar's period it falls evenly at best.",
        unit="percentunit",
        defaults={"max": 1, "thresholds": BUDGET, "custom": {"fillOpacity": 10}},
        options=LEGEND,
        overrides=[_DASHED],
    )
    yield Panel(
        "timeseries",
        "Burn rate, and where tiers fire",
        [
            Target(any_worst("max", [naming.burn_rate(window)], values), f"over {window}")
            for window in _long_windows(planned)
        ]
        + [*_thresholds(planned, chosen)],
        "1 spends the budget in exactly the period. A tier fires while its long and its short "
        "window are above its line.",
        unit="none",
        defaults={"min": 0},
        options=LEGEND,
        overrides=[_DASHED],
    )
    yield Panel(
        "timeseries",
        "Error ratio",
        [
            Target(any_worst("max", [naming.error_ratio(window)], values), f"over {window}")
            for window in _windows(planned)
        ],
        unit="percentunit",
        defaults={"min": 0},
        options=LEGEND,
    )
    yield Panel(
        "timeseries",
        "Events and errors",
        [
            Target(f"sum({series(naming.EVENTS_RATE, values)})", "events"),
            Target(f"sum({series(naming.ERRORS_RATE, values)})", "errors"),
        ],
        unit="reqps",
        defaults={"min": 0},
        options=LEGEND,
    )
    firing = [Matcher("alertstate", "=", "firing"), *chosen]
    yield Panel(
        "state-timeline",
        "Alerts",
        [
            Target(
                render_expression("panel/alerts", alerts=series("ALERTS", firing), tenants=False),
                "{{severity}}: {{tier}}",
            )
        ],
        width=grid.WIDTH,
        height=6,
        defaults={
            "thresholds": NONE_IS_GOOD,
            "color": {"mode": "thresholds"},
            "noValue": "no alert",
        },
        options={"showValue": "never", "mergeValues": True, **LEGEND},
    )


def _thresholds(planned: PlannedTenant, chosen: Sequence[Matcher]) -> Iterator[Target]:
    """Draw a line for each tier; of several policies and periods, those of the chosen SLO's."""
    seen: dict[tuple[str, str, str, str], None] = {}
    for slo in planned.slos:
        for tier in slo.tiers:
            policy, period = slo.resolved.policy.name, str(slo.resolved.period)
            seen[policy, period, tier.spec.name, burn.literal(tier.factor)] = None
    for policy, period, name, factor in seen:
        of = [*chosen, Matcher("policy", "=", policy), Matcher(naming.PERIOD, "=", period)]
        expr = render_expression("panel/threshold", burn_rate=factor, info=series(naming.INFO, of))
        yield Target(expr, f"{name} fires above")


def exclusions(chosen: Sequence[Matcher]) -> Json:
    """Mark the times at which the chosen SLO counts nothing."""
    expr = series(naming.EXCLUSION_ACTIVE, chosen)
    return grid.annotation("Exclusions", expr, "{{exclusion}}", "blue")


def by_labels(planned: PlannedTenant) -> list[str]:
    """Labels by which SLOs are distinguished; a name that needs quotes cannot be a variable's."""
    return sorted({label for slo in planned.slos for label in slo.by if is_plain_label(label)})


def variable(label: str) -> str:
    """Name the variable of a label, which may be called as another variable is."""
    return f"by_{label}"


def paces(planned: PlannedTenant) -> list[str]:
    """Burn rates over the shortest long window of each SLO."""
    shortest = {min(tier.long_window for tier in slo.resolved.policy.tiers) for slo in planned.slos}
    return [naming.burn_rate(window) for window in sorted(shortest)]


def _recorded(planned: PlannedTenant) -> Iterator[Tier]:
    """Tiers whose windows are recorded: also of SLOs that do not alert."""
    return (tier for slo in planned.slos for tier in slo.resolved.policy.tiers)


def _long_windows(planned: PlannedTenant) -> list[Duration]:
    return sorted({tier.long_window for tier in _recorded(planned)})


def _windows(planned: PlannedTenant) -> list[Duration]:
    short = {tier.short_window for tier in _recorded(planned)}
    return sorted({*short, *_long_windows(planned)})
