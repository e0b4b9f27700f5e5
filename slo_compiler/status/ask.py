"""Reading recorded series: a handful of queries, however many SLOs there are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.live.client import Client, Sample
from slo_compiler.promql import Matcher, Selector
from slo_compiler.status.model import FiringAlert, Key, RunningRules, SLOStatus, Status
from slo_compiler.templating import render_expression

_PERIOD = re.compile(r"[0-9]+[a-z]{1,2}|week|month|quarter")
_BURN = "slo:burn_rate:ratio"
_WINDOW = "([0-9]{1,5}[a-z]{1,2}){1,4}"
_MANIFEST = re.compile(r"\S.{0,500} sha256:[0-9a-f]{12}")


def ask(client: Client, tenants: Sequence[str] = ()) -> Status:
    """Query the state of all SLOs, or of those of some tenants.

    Raises:
        ServerError: no Prometheus answers.
        RefusedError: it refuses a query.
    """
    client.connect()
    matchers = _of(tenants)
    infos = client.vector(_series(naming.INFO, matchers))
    found = {key: sample.labels for sample in infos if (key := _key(sample.labels))}
    periods = sorted({info.get(naming.PERIOD, "") for info in found.values()})
    over = {period: _period_ratios(client, period, matchers) for period in periods}
    events = _by_slo(client.vector(_total(matchers)))
    ratios = _by_slo(client.vector(_ratio(naming.ERRORS_RATE, naming.EVENTS_RATE, matchers)))
    budgets = _by_slo(client.vector(_worst("min", naming.BUDGET_REMAINING, matchers)))
    exhausted = _by_slo(client.vector(_worst("min", naming.BUDGET_EXHAUSTION, matchers)))
    burns = _burn_rates(client, matchers)
    alerts, running = _alerts(client, matchers)
    slos = [
        SLOStatus(
            *key,
            objective=info.get("objective", ""),
            period=info.get(naming.PERIOD, ""),
            stage=info.get("stage", ""),
            events=events.get(key),
            error_ratio=ratios.get(key),
            period_error_ratio=over[info.get(naming.PERIOD, "")].get(key),
            burn_rates=burns.get(key, {}),
            budget_remaining=budgets.get(key),
            exhaustion=exhausted.get(key),
            alerts=alerts.pop(key, ()),
        )
        for key, info in sorted(found.items())
    ]
    of_tenants: dict[str, list[FiringAlert]] = defaultdict(list)
    for (tenant, *_), some in sorted(alerts.items()):
        of_tenants[tenant] += some
    wanted = {*tenants}
    running = running and {t: r for t, r in running.items() if not wanted or t in wanted}
    return Status(
        slos,
        {tenant: some for tenant, some in of_tenants.items() if not wanted or tenant in wanted},
        running,
        client.asked,
    )


def _series(metric: str, matchers: Sequence[Matcher]) -> str:
    return str(Selector(metric, tuple(matchers)))


def _of(tenants: Sequence[str]) -> list[Matcher]:
    if not tenants:
        return []
    return [Matcher(naming.TENANT, "=~", "|".join(map(re.escape, tenants)))]


def _key(labels: Mapping[str, str]) -> Key | None:
    tenant, service, slo = (labels.get(label, "") for label in naming.IDENTITY)
    return (tenant, service, slo) if tenant and service and slo else None


def _by_slo(samples: Iterable[Sample]) -> dict[Key, float]:
    return {key: sample.value for sample in samples if (key := _key(sample.labels))}


def _total(matchers: Sequence[Matcher]) -> str:
    return render_expression("status/total", events=_series(naming.EVENTS_RATE, matchers))


def _ratio(errors: str, events: str, matchers: Sequence[Matcher]) -> str:
    both = {"errors": _series(errors, matchers), "events": _series(events, matchers)}
    return render_expression("status/error_ratio", **both)


def _worst(aggregation: str, metric: str, matchers: Sequence[Matcher]) -> str:
    selector = _series(metric, matchers)
    return render_expression(
        "status/worst", aggregation=aggregation, selector=selector, names=False
    )


def _period_ratios(client: Client, period: str, matchers: Sequence[Matcher]) -> dict[Key, float]:
    """Query the error ratios over a period; the server's label of it must be one of ours."""
    if not _PERIOD.fullmatch(period):
        return {}
    suffix = period if period[0].isdigit() else f"_{period}"
    errors, events = (f"slo:{counted}:increase{suffix}" for counted in ("errors", "events"))
    return _by_slo(client.vector(_ratio(errors, events, matchers)))


def _burn_rates(client: Client, matchers: Sequence[Matcher]) -> dict[Key, dict[str, float]]:
    """Query the burn rates over all windows, the shortest first."""
    names = [Matcher("__name__", "=~", _BURN + _WINDOW), *matchers]
    expr = render_expression(
        "status/worst", aggregation="max", selector=_series("", names), names=True
    )
    found: dict[Key, dict[Duration, float]] = defaultdict(dict)
    for sample in client.vector(expr):
        window = sample.labels.get("__name__", "").removeprefix(_BURN)
        if (key := _key(sample.labels)) and (span := _window(window)):
            found[key][span] = sample.value
    return {
        key: {str(window): rates[window] for window in sorted(rates, key=lambda span: span.ms)}
        for key, rates in found.items()
    }


def _window(text: str) -> Duration | None:
    try:
        return Duration.parse(text)
    except ValueError:
        return None


def _alerts(
    client: Client, matchers: Sequence[Matcher]
) -> tuple[dict[Key, list[FiringAlert]], dict[str, RunningRules] | None]:
    """Give the alerts that fire, and of which manifests the rules are that run.

    A server without rules of its own, such as VictoriaMetrics, only has the series `ALERTS`.
    """
    found: dict[Key, list[FiringAlert]] = defaultdict(list)
    answer = client.alerts()
    if answer is None:
        firing = [Matcher("alertstate", "=", "firing"), Matcher(naming.SLO, "!=", ""), *matchers]
        for sample in client.vector(_series("ALERTS", firing)):
            _collect(found, sample.labels, "")
        return found, None
    manifests: dict[str, set[str]] = defaultdict(set)
    for each in answer:
        labels, annotations = _texts(each.get("labels")), _texts(each.get("annotations"))
        if each.get("state") != "firing":
            continue
        if labels.get(naming.SLO) == naming.WATCHDOG_SLO and _is_of_rules(labels):
            manifest = annotations.get("manifest", "")
            if _MANIFEST.fullmatch(manifest):
                manifests[labels.get(naming.TENANT, "")].add(manifest)
        _collect(found, labels, str(each.get("activeAt", "")))
    return found, {t: RunningRules(t, frozenset(some)) for t, some in manifests.items()}


def _collect(found: dict[Key, list[FiringAlert]], labels: Mapping[str, str], since: str) -> None:
    """Keep an alert of ours; a watchdog always fires, and is none to look at."""
    key, severity = _key(labels), labels.get(naming.SEVERITY, "")
    tier = labels.get(naming.TIER, "")
    if key is None or not tier or (key[2] == naming.WATCHDOG_SLO and _is_of_rules(labels)):
        return
    alert = FiringAlert(labels.get("alertname", ""), severity, tier, since, labels)
    found[key].append(alert)


def _is_of_rules(labels: Mapping[str, str]) -> bool:
    return labels.get(naming.SERVICE) == naming.RULES_SERVICE


def _texts(value: Any) -> dict[str, str]:  # noqa: ANN401  (JSON)
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}
