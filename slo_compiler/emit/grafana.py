"""Grafana dashboards: one of all tenants, and one for each.

They read recorded series and ALERTS, never a tenant's own metrics, so that they cost little and
show what the alerts see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.emit import panels as grid
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, ProjectContext, TenantContext
from slo_compiler.emit.panels import Json, Panel, Target
from slo_compiler.plan import PlannedTenant, burn
from slo_compiler.promql import Matcher, Selector, is_plain_label
from slo_compiler.schema import Tier
from slo_compiler.templating import render, render_expression

OVERVIEW_UID = "slos"
_MAX_UID = 40  # Grafana's own limit
_RED, _ORANGE, _GREEN = "red", "orange", "green"
_BUDGET = grid.steps((None, _RED), (0, _ORANGE), (0.25, _GREEN))
_BURN = grid.steps((None, _GREEN), (1, _ORANGE), (6, _RED))
_NONE_IS_GOOD = grid.steps((None, _GREEN), (1, _RED))
_LEGEND = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
_LAST = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background"}
_DASHED = {
    "matcher": {"id": "byRegexp", "options": "^(even spending|.* fires above)$"},
    "properties": [
        {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}},
        {"id": "custom.fillOpacity", "value": 0},
    ],
}


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What the dashboard of all tenants needs to know of one."""

    name: str
    pace: frozenset[str]  # series of burn rates over each SLO's shortest long window


def tenant(context: TenantContext, _report: Report) -> Emission:
    """Write the dashboard of a tenant."""
    planned = context.planned
    by = _by(planned)
    name = [Matcher(naming.TENANT, "=", planned.name)]
    chosen = [
        *name,
        *(Matcher(label, "=", f"${label}") for label in (naming.SERVICE, naming.SLO)),
    ]
    values = [*chosen, *(Matcher(label, "=~", f"${_variable(label)}") for label in by)]
    panels = [*_stats(planned, chosen, values), *_graphs(planned, chosen, values)]
    info = str(Selector(naming.INFO, tuple(name)))
    variables = [
        grid.datasource_variable(context.project.grafana.datasource),
        grid.values_variable("service", naming.SERVICE, info),
        grid.values_variable("slo", naming.SLO, str(Selector(naming.INFO, tuple(chosen[:2])))),
        *(
            grid.values_variable(
                _variable(label), label, _series(naming.EVENTS_RATE, chosen), every=True
            )
            for label in by
        ),
    ]
    text = grid.dashboard(
        uid_of(planned.name),
        f"SLOs of {planned.name}",
        f"from {planned.resolved.source.name}",
        panels,
        variables,
        [_exclusions(chosen)],
    )
    facts = TenantFacts(planned.name, frozenset(_paces(planned)))
    return Emission((_artefact(f"slo-{planned.name}", text, panels, by),), facts=facts)


def project(facts: Sequence[TenantFacts], context: ProjectContext, _report: Report) -> Emission:
    """Write the dashboard of all tenants."""
    panels = [*_overview(facts)]
    text = grid.dashboard(
        OVERVIEW_UID,
        "SLOs",
        "for all tenants",
        panels,
        [grid.datasource_variable(context.spec.grafana.datasource)],
    )
    return Emission((_artefact("slos", text, panels, ()),))


def _stats(
    planned: PlannedTenant, chosen: Sequence[Matcher], values: Sequence[Matcher]
) -> Iterator[Panel]:
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
            options=_LAST,
        )

    plain = grid.steps((None, "blue"))
    yield stat("Objective", _series(naming.OBJECTIVE, chosen), "percentunit", plain, decimals=3)
    yield stat(
        "Budget left", _worst("min", naming.BUDGET_REMAINING, values), "percentunit", _BUDGET
    )
    periods = sorted({naming.error_ratio(slo.resolved.period) for slo in planned.slos})
    yield stat(
        "Error ratio in the period",
        _any_worst("max", periods, values),
        "percentunit",
        plain,
        decimals=3,
    )
    yield stat("Burn rate", _any_worst("max", _paces(planned), values), "none", _BURN, decimals=1)
    yield stat(
        "Spent in",
        _worst("min", naming.BUDGET_EXHAUSTION, values),
        "s",
        plain,
        noValue="not burning",
    )
    yield stat("Events", f"sum({_series(naming.EVENTS_RATE, values)})", "reqps", plain)


def _graphs(
    planned: PlannedTenant, chosen: Sequence[Matcher], values: Sequence[Matcher]
) -> Iterator[Panel]:
    left = " ".join(["left", *(f"{{{{{label}}}}}" for label in _by(planned))])
    budget = [Target(_series(naming.BUDGET_REMAINING, values), left)]
    if any(slo.resolved.period.calendar for slo in planned.slos):
        ideal = render_expression(
            "panel/budget_ideal",
            info=_series(naming.INFO, chosen),
            elapsed=_series(naming.PERIOD_ELAPSED, chosen[:1]),
        )
        budget.append(Target(ideal, "even spending"))
    yield Panel(
        "timeseries",
        "Error budget left",
        budget,
        "1 is untouched, 0 is spent. In a calendar's period it falls evenly at best.",
        unit="percentunit",
        defaults={"max": 1, "thresholds": _BUDGET, "custom": {"fillOpacity": 10}},
        options=_LEGEND,
        overrides=[_DASHED],
    )
    yield Panel(
        "timeseries",
        "Burn rate, and where tiers fire",
        [
            Target(_any_worst("max", [naming.burn_rate(window)], values), f"over {window}")
            for window in _long_windows(planned)
        ]
        + [*_thresholds(planned, chosen)],
        "1 spends the budget in exactly the period. A tier fires while its long and its short "
        "window are above its line.",
        unit="none",
        defaults={"min": 0},
        options=_LEGEND,
        overrides=[_DASHED],
    )
    yield Panel(
        "timeseries",
        "Error ratio",
        [
            Target(_any_worst("max", [naming.error_ratio(window)], values), f"over {window}")
            for window in _windows(planned)
        ],
        unit="percentunit",
        defaults={"min": 0},
        options=_LEGEND,
    )
    yield Panel(
        "timeseries",
        "Events and errors",
        [
            Target(f"sum({_series(naming.EVENTS_RATE, values)})", "events"),
            Target(f"sum({_series(naming.ERRORS_RATE, values)})", "errors"),
        ],
        unit="reqps",
        defaults={"min": 0},
        options=_LEGEND,
    )
    firing = [Matcher("alertstate", "=", "firing"), *chosen]
    yield Panel(
        "state-timeline",
        "Alerts",
        [
            Target(
                render_expression("panel/alerts", alerts=_series("ALERTS", firing), tenants=False),
                "{{severity}}: {{tier}}",
            )
        ],
        width=grid.WIDTH,
        height=6,
        defaults={
            "thresholds": _NONE_IS_GOOD,
            "color": {"mode": "thresholds"},
            "noValue": "no alert",
        },
        options={"showValue": "never", "mergeValues": True, **_LEGEND},
    )


def _overview(facts: Sequence[TenantFacts]) -> Iterator[Panel]:
    firing = [
        Matcher("alertstate", "=", "firing"),
        Matcher(naming.SLO, "!=", ""),
        Matcher(naming.TIER, "!~", "|watchdog"),
    ]
    alerts, info = _series("ALERTS", firing), naming.INFO
    events, left = naming.EVENTS_RATE, naming.BUDGET_REMAINING
    counted = (
        ("SLOs", info, grid.steps((None, "blue"))),
        (
            "With an alert",
            render_expression("panel/firing", alerts=alerts),
            _NONE_IS_GOOD,
        ),
        (
            "Without data",
            render_expression("panel/no_data", info=info, events=events),
            _NONE_IS_GOOD,
        ),
        ("Overspent", render_expression("panel/overspent", selector=left), _NONE_IS_GOOD),
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
            options=_LAST,
        )
    yield Panel(
        "status-history",
        "Least budget of each tenant",
        [Target(render_expression("panel/tenants", selector=left), "{{tenant}}")],
        unit="percentunit",
        height=10,
        defaults={"thresholds": _BUDGET, "color": {"mode": "thresholds"}},
        options={"showValue": "never", **_LEGEND},
    )
    paces = sorted({series for each in facts for series in each.pace})
    yield Panel(
        "bargauge",
        "Budgets that burn fastest",
        [
            Target(
                render_expression("panel/burners", number=10, selector=_any(paces, ())),
                "{{tenant}}/{{service}}/{{slo}}",
            )
        ],
        "Burn rates above 0, over the shortest long window of each SLO.",
        height=10,
        unit="none",
        defaults={
            "thresholds": _BURN,
            "color": {"mode": "thresholds"},
            "min": 0,
            "noValue": "nothing burns",
        },
        options={"orientation": "horizontal", "reduceOptions": {"calcs": ["lastNotNull"]}},
    )
    yield Panel(
        "table",
        "Budgets",
        [Target(_worst("min", left, ()), instant=True)],
        height=12,
        unit="percentunit",
        defaults={"thresholds": _BUDGET, "color": {"mode": "thresholds"}},
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


_COLUMNS = {"tenant": "Tenant", "service": "Service", "slo": "SLO"}


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


def _thresholds(planned: PlannedTenant, chosen: Sequence[Matcher]) -> Iterator[Target]:
    """Draw a line for each tier; of several policies and periods, those of the chosen SLO's."""
    seen: dict[tuple[str, str, str, str], None] = {}
    for slo in planned.slos:
        for tier in slo.tiers:
            policy, period = slo.resolved.policy.name, str(slo.resolved.period)
            seen[policy, period, tier.spec.name, burn.literal(tier.factor)] = None
    for policy, period, name, factor in seen:
        of = [*chosen, Matcher("policy", "=", policy), Matcher(naming.PERIOD, "=", period)]
        expr = render_expression("panel/threshold", burn_rate=factor, info=_series(naming.INFO, of))
        yield Target(expr, f"{name} fires above")


def _exclusions(chosen: Sequence[Matcher]) -> Json:
    expr = _series(naming.EXCLUSION_ACTIVE, chosen)
    return grid.annotation("Exclusions", expr, "{{exclusion}}", "blue")


def _by(planned: PlannedTenant) -> list[str]:
    """Labels by which SLOs are told apart; a name that needs quotes cannot be a variable's."""
    return sorted({label for slo in planned.slos for label in slo.by if is_plain_label(label)})


def _variable(label: str) -> str:
    return f"by_{label}"


def _recorded(planned: PlannedTenant) -> Iterator[Tier]:
    """Tiers whose windows are recorded: also of SLOs that do not alert."""
    return (tier for slo in planned.slos for tier in slo.resolved.policy.tiers)


def _long_windows(planned: PlannedTenant) -> list[Duration]:
    return sorted({tier.long_window for tier in _recorded(planned)})


def _windows(planned: PlannedTenant) -> list[Duration]:
    short = {tier.short_window for tier in _recorded(planned)}
    return sorted({*short, *_long_windows(planned)})


def _paces(planned: PlannedTenant) -> list[str]:
    """Burn rates over the shortest long window of each SLO."""
    shortest = {min(tier.long_window for tier in slo.resolved.policy.tiers) for slo in planned.slos}
    return [naming.burn_rate(window) for window in sorted(shortest)]


def _series(metric: str, matchers: Sequence[Matcher]) -> str:
    return str(Selector(metric, tuple(matchers)))


def _any(metrics: Sequence[str], matchers: Sequence[Matcher]) -> str:
    """Select one metric, or any of several."""
    if len(metrics) == 1:
        return _series(metrics[0], matchers)
    return _series("", [Matcher("__name__", "=~", "|".join(metrics)), *matchers])


def _worst(aggregation: str, metric: str, matchers: Sequence[Matcher]) -> str:
    return _any_worst(aggregation, [metric], matchers)


def _any_worst(aggregation: str, metrics: Sequence[str], matchers: Sequence[Matcher]) -> str:
    return render_expression(
        "panel/worst", aggregation=aggregation, selector=_any(metrics, matchers)
    )


def uid_of(tenant_name: str) -> str:
    """Name a dashboard: `slo-customer-b`, or with a digest if that is too long for Grafana."""
    uid = f"slo-{tenant_name}"
    if len(uid) <= _MAX_UID:
        return uid
    digest = hashlib.sha256(tenant_name.encode()).hexdigest()[:8]
    return f"{uid[: _MAX_UID - len(digest) - 1]}-{digest}"


def _artefact(name: str, text: str, panels: Sequence[Panel], by: Sequence[str]) -> Artefact:
    """Make the file; promtool checks its queries, as the rules that they would be."""
    queries = [_substituted(target.expr, by) for panel in panels for target in panel.targets]
    checked = render("emit/queries.yml.j2", name=name, queries=list(dict.fromkeys(queries)))
    return Artefact(f"{naming.GRAFANA_FOLDER}/{name}.json", text, "promtool", checked=checked)


def _substituted(expr: str, by: Sequence[str]) -> str:
    names = [naming.SERVICE, naming.SLO, *map(_variable, by)]
    for variable in sorted(names, key=len, reverse=True):
        expr = expr.replace(f"${variable}", variable)
    return expr


EMITTER = Emitter("grafana", tenant, project)
