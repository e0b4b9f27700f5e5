"""Which rules a tenant gets, with which windows, thresholds, labels and evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.manifest.model import Tier
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Group, Pairs, Rule, TenantRules
from slo_compiler.plan.sli import base_rates
from slo_compiler.templating import promql_string, render, render_expression

MAX_GROUP = 20  # Mimir's default limit of rules in a group
_MILLISECOND = Duration(1)


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one SLO from all others."""

    tenant: str
    service: str
    slo: str

    @property
    def labels(self) -> Pairs:
        """The identity as labels."""
        return (
            (naming.TENANT, self.tenant),
            (naming.SERVICE, self.service),
            (naming.SLO, self.slo),
        )


def identity(tenant: ResolvedTenant, slo: ResolvedSLO) -> Identity:
    """Name an SLO."""
    return Identity(tenant.name, slo.spec.service, slo.spec.name)


def tenant_timing(tenant: ResolvedTenant, scrape: Duration, evaluation: Duration) -> burn.Timing:
    """Choose the spans of a tenant's rules from its shortest window."""
    shortest = min(tier.short_window for slo in tenant.slos for tier in slo.policy.tiers)
    return burn.timing(scrape, evaluation, shortest)


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


def plan_tenant(tenant: ResolvedTenant, timing: burn.Timing, report: Report) -> TenantRules:
    """Plan all groups of a tenant. Findings about its queries go to `report`."""
    groups = [
        *_chunks(tenant, "info", timing.evaluation, (_constants(tenant, s) for s in tenant.slos)),
        *_chunks(
            tenant,
            "base",
            timing.evaluation,
            (_base(tenant, s, timing, report) for s in tenant.slos),
        ),
        *_chunks(tenant, "windows", timing.evaluation, [[r] for r in _windows(tenant, timing)]),
        *_chunks(tenant, "budget", timing.slow, [[r] for r in _budget(tenant, timing)]),
        *_chunks(
            tenant,
            "alerts",
            timing.evaluation,
            ([*_alerts(tenant, s, timing)] for s in tenant.slos),
        ),
        *_chunks(tenant, "health", timing.evaluation, [[r] for r in _health(tenant, timing)]),
    ]
    return TenantRules(tenant.name, tenant.source.name, tuple(groups))


def _chunks(
    tenant: ResolvedTenant, part: str, interval: Duration, units: Iterable[list[Rule]]
) -> Iterator[Group]:
    """Split rules into groups within the limit; a unit that depends on its order stays whole."""
    chunks: list[list[Rule]] = [[]]
    for unit in units:
        if chunks[-1] and len(chunks[-1]) + len(unit) > MAX_GROUP:
            chunks.append([])
        chunks[-1] += unit
    for number, rules in enumerate(chunks, start=1):
        if rules:
            yield Group(naming.group(tenant.name, part, number), interval, tuple(rules))


# --- per SLO: constants, base pair


def _constants(tenant: ResolvedTenant, slo: ResolvedSLO) -> list[Rule]:
    id_, at = identity(tenant, slo), slo.at("name")
    info = {
        "period": str(slo.period),
        "policy": slo.policy.name,
        "objective": str(slo.objective),
        "owner": tenant.owner,
        "stage": "live",
        **_user_labels(tenant, slo),
    }

    def constant(name: str, value: Fraction, labels: Pairs = ()) -> Rule:
        expr = render_expression("window/constant", value=burn.literal(value))
        return Rule(name, expr, at, labels=(*id_.labels, *labels))

    return [
        constant(naming.OBJECTIVE, burn.objective_ratio(slo.objective)),
        constant(naming.ERROR_BUDGET, burn.error_budget(slo.objective)),
        constant(naming.INFO, Fraction(1), tuple(sorted(info.items()))),
    ]


def _user_labels(tenant: ResolvedTenant, slo: ResolvedSLO) -> Mapping[str, str]:
    return dict(sorted({**tenant.labels, **slo.spec.labels}.items()))


def _base(
    tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing, report: Report
) -> list[Rule]:
    id_ = identity(tenant, slo)
    clash = sorted({*slo.by} & {*_user_labels(tenant, slo)})
    for label in clash:
        report.error(
            slo.at("sli"),
            "label-clash",
            f'"{label}" is both a label of the SLI (by) and a label of the SLO',
            "rename the SLO's label",
        )
    rates = base_rates(tenant, slo, timing.base_range, report)
    if rates is None:
        return []
    events = render_expression("sli/events", by=slo.by, rate=rates.events)
    errors = render_expression(
        f"sli/{rates.template}", by=slo.by, rate=rates.errors, id=id_, base=timing.base
    )
    return [
        Rule(naming.EVENTS_RATE, events, rates.events_origin, labels=id_.labels),
        Rule(naming.ERRORS_RATE, errors, rates.errors_origin, labels=id_.labels),
    ]


# --- per tenant: windows and budgets


@dataclass(frozen=True, slots=True)
class _Part:
    expr: str
    only: str = ""  # matchers of slo_info for the SLOs that the part is for


def _joined(parts: list[_Part]) -> str:
    return render_expression("window/parts", parts=parts)


def _periods(tenant: ResolvedTenant) -> list[Duration]:
    return sorted({slo.period for slo in tenant.slos})


def _only(tenant: ResolvedTenant, period: Duration, policies: Iterable[str] = ()) -> str:
    """Build slo_info's matchers for the SLOs of a period, or of a period and some policies."""
    matchers = [f"tenant={promql_string(tenant.name)}", f"period={promql_string(period)}"]
    names = sorted(set(policies))
    if names:
        matchers.append(f"policy=~{promql_string('|'.join(names))}")
    return ",".join(matchers)


def tier_windows(slos: Iterable[ResolvedSLO]) -> set[Duration]:
    """Give all windows of the SLOs' tiers."""
    return {
        window
        for slo in slos
        for tier in slo.policy.tiers
        for window in (tier.long_window, tier.short_window)
    }


def _long_windows(tenant: ResolvedTenant) -> list[Duration]:
    return sorted({tier.long_window for slo in tenant.slos for tier in slo.policy.tiers})


def _windows(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[Rule]:
    """Ratios and burn rates of the windows that read the base series, and time to exhaustion."""
    windows = sorted(w for w in tier_windows(tenant.slos) if w <= burn.TILED_ABOVE)
    for window in windows:
        # A sum of rates over a span reaches back by that span plus the base.
        expr = render_expression("window/ratio", tenant=tenant.name, range=window - timing.base)
        yield Rule(naming.error_ratio(window), expr, tenant.position)
    for window in _long_windows(tenant):
        if window in windows:
            yield _burn_rate(tenant, window)
    # Here and not among the budgets: a page tells the pace of now, not that of minutes ago.
    exhaustion = _joined([*_exhaustion(tenant)])
    yield Rule(naming.BUDGET_EXHAUSTION, exhaustion, tenant.position)


def _burn_rate(tenant: ResolvedTenant, window: Duration) -> Rule:
    expr = render_expression("window/burn_rate", tenant=tenant.name, window=window)
    return Rule(naming.burn_rate(window), expr, tenant.position)


def _budget(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[Rule]:
    """Tiles, and everything that is a sum of them."""
    name, periods, at = tenant.name, _periods(tenant), tenant.position
    long = {w for w in tier_windows(tenant.slos) if w > burn.TILED_ABOVE}
    tiled = sorted({*long, *periods})
    for tile in sorted({burn.tile(span) for span in tiled}):
        for counted in ("events", "errors"):
            expr = render_expression(
                "window/tile",
                tenant=name,
                counted=counted,
                range=tile - _MILLISECOND,
                step=timing.base_step,
                step_seconds=burn.literal(Fraction(timing.base_step.ms, 1000)),
            )
            yield Rule(naming.increase(counted, tile), expr, at)
    for period in periods:
        for counted in ("events", "errors"):
            expr = render_expression(
                "window/period", tenant=name, counted=counted, period=period, tile=burn.tile(period)
            )
            only = _only(tenant, period) if len(periods) > 1 else ""
            yield Rule(naming.increase(counted, period), _joined([_Part(expr, only)]), at)
    for window in tiled:
        yield Rule(naming.error_ratio(window), _tiled_ratio(tenant, window), at)
    for window in _long_windows(tenant):
        if window > burn.TILED_ABOVE:
            yield _burn_rate(tenant, window)
    yield Rule(naming.BUDGET_REMAINING, _joined([*_remaining(tenant)]), at)


def _tiled_ratio(tenant: ResolvedTenant, window: Duration) -> str:
    """Divide the sums of a window that reads tiles; a period's sums are there already."""
    others = (slo for slo in tenant.slos if slo.period != window)
    if window in _periods(tenant) and window not in tier_windows(others):
        return render_expression("window/period_ratio", tenant=tenant.name, period=window)
    return render_expression(
        "window/tiled_ratio", tenant=tenant.name, window=window, tile=burn.tile(window)
    )


def _remaining(tenant: ResolvedTenant) -> Iterator[_Part]:
    periods = _periods(tenant)
    for period in periods:
        expr = render_expression("window/budget_remaining", tenant=tenant.name, period=period)
        yield _Part(expr, _only(tenant, period) if len(periods) > 1 else "")


def _exhaustion(tenant: ResolvedTenant) -> Iterator[_Part]:
    paces: dict[tuple[Duration, Duration], set[str]] = {}
    for slo in tenant.slos:
        paces.setdefault((slo.period, slo.policy.pace_window), set()).add(slo.policy.name)
    for (period, window), policies in sorted(paces.items()):
        expr = render_expression(
            "window/budget_exhaustion",
            tenant=tenant.name,
            window=window,
            period_seconds=burn.literal(Fraction(period.ms, 1000)),
        )
        yield _Part(expr, _only(tenant, period, policies) if len(paces) > 1 else "")


# --- alerts


def _alerts(tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing) -> Iterator[Rule]:
    id_ = identity(tenant, slo)
    for tier in slo.policy.tiers:
        factor = burn.burn_factor(tier.budget_share, slo.period, tier.long_window)
        threshold = burn.threshold(factor, slo.objective)
        expr = render_expression(
            "alert/burn",
            id=id_,
            long_window=tier.long_window,
            short_window=tier.short_window,
            threshold=burn.literal(threshold),
            guards=[*_guards(id_, slo, tier, timing)],
        )
        labels = (
            *id_.labels,
            (naming.SEVERITY, tier.severity),
            (naming.TIER, tier.name),
            (naming.LONG_WINDOW, str(tier.long_window)),
            (naming.SHORT_WINDOW, str(tier.short_window)),
            *_user_labels(tenant, slo).items(),
        )
        annotations = _evidence(tenant, slo, id_, tier, factor)
        at = slo.at("name")
        yield Rule(naming.ALERT_BURN, expr, at, labels, annotations, tier.for_, alert=True)
        # Escalation over time is a second alert with a longer `for`, on a route of its own.
        for level, wait in enumerate(escalation_waits(tenant, tier.severity), start=2):
            later = (*labels[:5], (naming.ESCALATION, str(level)), *labels[5:])
            for_ = (tier.for_ or Duration(0)) + wait
            yield Rule(naming.ALERT_BURN, expr, at, later, annotations, for_, alert=True)


def escalation_waits(tenant: ResolvedTenant, severity: str) -> list[Duration]:
    """Give the distinct `firing_for` of a severity, shortest first: levels 2, 3, ..."""
    steps = (step.spec for step in tenant.steps)
    return sorted({s.firing_for for s in steps if s.severity == severity and s.firing_for})


def _guards(id_: Identity, slo: ResolvedSLO, tier: Tier, timing: burn.Timing) -> Iterator[str]:
    for counted, least in (
        ("errors", slo.spec.alerting.min_errors),
        ("events", slo.spec.alerting.min_events),
    ):
        if least is not None:
            tiled = tier.long_window > burn.TILED_ABOVE
            yield render_expression(
                "alert/guard",
                id=id_,
                counted=counted,
                window=tier.long_window,
                tile=burn.tile(tier.long_window) if tiled else None,
                range=tier.long_window - _MILLISECOND,
                step=timing.base_step,
                step_seconds=burn.literal(Fraction(timing.base_step.ms, 1000)),
                bound=burn.literal(Fraction(least) - Fraction(1, 2)),
            )


def _evidence(
    tenant: ResolvedTenant, slo: ResolvedSLO, id_: Identity, tier: Tier, factor: Fraction
) -> Pairs:
    """Say why the alert fires, in the alert: this travels with every notification."""
    threshold = burn.threshold(factor, slo.objective)

    def ask(series: str, format_: str) -> str:
        return render("annotation/ask.j2", series=series, id=id_, by=slo.by, format=format_).strip()

    summary = render("annotation/burn_summary.j2", id=id_, by=slo.by, tier=tier.name).strip()
    pairs = {
        "summary": summary,
        "description": slo.spec.description,
        "burn_rate": ask(naming.burn_rate(tier.long_window), 'printf "%.2f"'),
        "error_ratio": "{{ $value | humanizePercentage }}",
        "threshold": (
            f"{burn.literal(threshold)} over {tier.long_window} and {tier.short_window} "
            f"(burn rate {burn.literal(factor)})"
        ),
        "budget_remaining": ask(naming.BUDGET_REMAINING, "humanizePercentage"),
        "time_to_exhaustion": ask(naming.BUDGET_EXHAUSTION, "humanizeDuration"),
        "objective": f"{slo.objective}% over {slo.period}",
        **_links(tenant, slo),
    }
    return tuple((key, value) for key, value in pairs.items() if value)


def _links(tenant: ResolvedTenant, slo: ResolvedSLO) -> dict[str, str]:
    return {
        "runbook_url": slo.spec.alerting.runbook or "",
        "dashboard_url": slo.spec.alerting.dashboard or "",
        "manifest": f"{tenant.source.name} sha256:{tenant.source.digest[:12]}",
    }


def budget_steps(tenant: ResolvedTenant) -> list[Decimal]:
    """Give the percentages of budget left at which somebody wants to know, highest first."""
    return sorted({s.spec.budget_below for s in tenant.steps if s.spec.budget_below}, reverse=True)


def _health(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[Rule]:
    """Alerts that hold no SLO's name: low budgets, missing data, and the rules themselves."""
    top, name = tenant.severities[0], tenant.name
    rules = ((naming.TENANT, name), (naming.SERVICE, naming.RULES_SERVICE))
    one = "{{ $labels.tenant }}/{{ $labels.service }}/{{ $labels.slo }}"

    def alert(
        alertname: str,
        expr: str,
        tier: str,
        summary: str,
        wait: Duration | None = None,
        severity: str = top,
        labels: Pairs = (),
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Rule:
        own = ((naming.SEVERITY, severity), (naming.TIER, tier))
        annotations = {
            "summary": summary,
            **more,
            "manifest": f"{tenant.source.name} sha256:{tenant.source.digest[:12]}",
        }
        return Rule(
            alertname,
            expr,
            tenant.position,
            (*labels, *own),
            tuple(annotations.items()),
            wait,
            alert=True,
        )

    for percent in budget_steps(tenant):
        shown = burn.literal(Fraction(percent))
        yield alert(
            naming.ALERT_BUDGET_LOW,
            render_expression(
                "alert/budget_low", tenant=name, bound=burn.literal(Fraction(percent) / 100)
            ),
            naming.budget_tier(shown),
            f"{one}: less than {shown}% of the error budget is left",
            severity=tenant.severities[-1],
            labels=((naming.BUDGET_BELOW, f"{shown}%"),),
            more={"budget_remaining": "{{ $value | humanizePercentage }}"},
        )
    wait = min(slo.policy.spec.no_data_for for slo in tenant.slos)
    yield alert(
        naming.ALERT_NO_DATA,
        render_expression("alert/no_data", tenant=name),
        "no-data",
        f"{one}: no events are measured any more; a target or a metric's name is gone",
        wait,
    )
    yield alert(
        naming.ALERT_INTEGRITY,
        render_expression("alert/integrity", tenant=name),
        "integrity",
        f"{one}: errors and events contradict each other; the SLI's queries do not fit",
        wait,
    )
    shortest = min(tier_windows(tenant.slos))
    # A tile is complete one tile after the first event, and seen at the next step.
    settled = max(burn.tile(slo.period) for slo in tenant.slos) * 2 + timing.slow * 2
    for series, tier, patience in (
        (naming.error_ratio(shortest), "rules-windows", wait),
        (naming.BUDGET_REMAINING, "rules-budget", max(wait, settled)),
    ):
        yield alert(
            naming.ALERT_STALE,
            render_expression("alert/rules_stale", tenant=name, series=series),
            tier,
            f"{one}: there are events, but {series} has no value; its rule fails or is late",
            patience,
        )
    parts = "info|base|windows|budget|alerts|health"
    yield alert(
        naming.ALERT_RULES_FAILING,
        render_expression("alert/rule_group_failing", groups=f".*;slo-{name}-({parts})-[0-9]+"),
        "rules-failing",
        f"{name}: rule groups of this tenant fail or miss evaluations",
        wait,
        labels=(*rules, (naming.SLO, naming.RULES_SLO)),
    )
    yield alert(
        naming.ALERT_WATCHDOG,
        render_expression("alert/watchdog"),
        "watchdog",
        f"{name}: the rules are evaluated; this alert always fires",
        severity=naming.SEVERITY_HEARTBEAT,
        labels=(*rules, (naming.SLO, naming.WATCHDOG_SLO)),
    )
