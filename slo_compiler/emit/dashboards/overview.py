"""The dashboard of all tenants."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slo_compiler import naming
from slo_compiler.emit.dashboards import panels as grid
from slo_compiler.emit.dashboards.panels import Json, Panel, Target
from slo_compiler.emit.dashboards.style import (
    BUDGET,
    BURN,
    LAST,
    LEGEND,
    NONE_IS_GOOD,
    PLAIN,
    any_of,
    series,
    worst,
)
from slo_compiler.promql import Matcher
from slo_compiler.templating import render_expression

OVERVIEW_UID = "slos"
_MAX_UID = 40  # Grafana's own limit
_COLUMNS = {"tenant": "Tenant", "service": "Service", "slo": "SLO"}


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What the dashboard of all tenants needs to know of one."""

    name: str
    pace: frozenset[str]  # series of burn rates over each SLO's shortest long window


def overview_panels(facts: Sequence[TenantFacts]) -> Iterator[Panel]:
    """Give the panels: counts, budgets, what burns, and alerts."""
    firing = [
        Matcher("alertstate", "=", "firing"),
        Matcher(naming.SLO, "!=", ""),
        Matcher(naming.TIER, "!~", "|watchdog"),
    ]
    alerts, info = series("ALERTS", firing), naming.INFO
    events, left = naming.EVENTS_RATE, naming.BUDGET_REMAINING
    counted = (
        ("SLOs", info, PLAIN),
        (
            "With an alert",
            render_expression("panel/firing", alerts=alerts),
            NONE_IS_GOOD,
        ),
        (
            "Without data",
            render_expression("panel/no_data", info=info, events=events),
            NONE_IS_GOOD,
        ),
        ("Overspent", render_expression("panel/overspent", selector=left), NONE_IS_GOOD),
    )
    for title, condition, thresholds in counted:
        yield Panel(
            "stat",
            title,
            [Target(render_expression("panel/count", condition=condition))],
            width=6,
            height=4,
            unit="none",
            defaults={"thresholds": thresholds, "color": {"mode": "thresholds"}},
            options=LAST,
        )
    yield Panel(
        "status-history",
        "Least budget of each tenant",
        [Target(render_expression("panel/tenants", selector=left), "{{tenant}}")],
        unit="percentunit",
        height=10,
        defaults={"thresholds": BUDGET, "color": {"mode": "thresholds"}},
        options={"showValue": "never", **LEGEND},
    )
    paces = sorted({series for each in facts for series in each.pace})
    yield Panel(
        "bargauge",
        "Budgets that burn fastest",
        [
            Target(
                render_expression("panel/burners", number=10, selector=any_of(paces, ())),
                "{{tenant}}/{{service}}/{{slo}}",
            )
        ],
        "Burn rates above 0, over the shortest long window of each SLO.",
        height=10,
        unit="none",
        defaults={
            "thresholds": BURN,
            "color": {"mode": "thresholds"},
            "min": 0,
            "noValue": "nothing burns",
        },
        options={"orientation": "horizontal", "reduceOptions": {"calcs": ["lastNotNull"]}},
    )
    yield Panel(
        "table",
        "Budgets",
        [Target(worst("min", left, ()), instant=True)],
        height=12,
        unit="percentunit",
        defaults={"thresholds": BUDGET, "color": {"mode": "thresholds"}},
        options={"sortBy": [{"displayName": "Left", "desc": False}]},
        overrides=[_gauge("Left"), *_links(facts)],
        transformations=[grid.renamed({**_COLUMNS, "Value": "Left"}, ["Time"])],
    )
    yield Panel(
        "table",
        "Alerts",
        [Target(render_expression("panel/alerts", alerts=alerts, tenants=True), instant=True)],
        height=12,
        defaults={"noValue": "no alert"},
        overrides=[*_links(facts)],
        transformations=[
            grid.renamed({**_COLUMNS, "severity": "Severity", "tier": "Tier"}, ["Time", "Value"])
        ],
    )


def uid_of(tenant_name: str) -> str:
    """Name a dashboard: `slo-customer-b`, or with a digest if that is too long for Grafana."""
    uid = f"slo-{tenant_name}"
    if len(uid) <= _MAX_UID:
        return uid
    digest = hashlib.sha256(tenant_name.encode()).hexdigest()[:8]
    return f"{uid[: _MAX_UID - len(digest) - 1]}-{digest}"


def _gauge(column: str) -> Json:
    cell = {"type": "gauge", "mode": "basic"}
    properties = [
        {"id": "custom.cellOptions", "value": cell},
        {"id": "min", "value": 0},
        {"id": "max", "value": 1},
    ]
    return {"matcher": {"id": "byName", "options": column}, "properties": properties}


def _links(facts: Sequence[TenantFacts]) -> Iterator[Json]:
    """Lead from an SLO's name to its tenant's dashboard, where all of them can be named so."""
    if any(uid_of(each.name) != f"slo-{each.name}" for each in facts):
        return
    url = (
        "/d/slo-${__data.fields.Tenant}?var-service=${__data.fields.Service}"
        "&var-slo=${__data.fields.SLO}&${__url_time_range}"
    )
    yield {
        "matcher": {"id": "byName", "options": "SLO"},
        "properties": [{"id": "links", "value": [{"title": "Show this SLO", "url": url}]}],
    }
