"""Routes of the alerts: receivers by amtool, and by the model what amtool cannot decide."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from slo_compiler import naming, routing
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.proofs.run.isolation import crossings
from slo_compiler.proofs.run.result import Failure, Job, Result, call


def route_jobs(amtool: Path, config: Path, expected: Path) -> list[Job]:
    """Prepare the routes of each tenant, the inhibitions, the hours and the tenants' isolation."""
    data = yaml.safe_load(expected.read_text(encoding="utf-8"))
    external = tuple(data.get("external_labels", ()))
    for route in data["routes"]:
        route["labels"] |= dict.fromkeys(external, "here")
    model = routing.Config.load(config.read_text(encoding="utf-8"))
    by_tenant: dict[str, list[Any]] = {}
    for route in data["routes"]:
        by_tenant.setdefault(route["labels"][naming.TENANT], []).append(route)
    hours = data.get("hours", [])
    return [
        *(_amtool_job(amtool, config, tenant, own) for tenant, own in by_tenant.items()),
        _job("inhibition", lambda: _inhibition(model, by_tenant, external)),
        _job("hours", lambda: _hours(model, hours)),
        _job("isolation", lambda: _isolation(model, data["routes"], hours, external)),
    ]


def _job(name: str, check: Any) -> Job:  # noqa: ANN401
    def run() -> Result:
        started = time.monotonic()
        checks, failures, note = check()
        seconds = time.monotonic() - started
        return Result(name, "routes", (name,), checks, seconds, tuple(failures), note)

    return run


def _amtool_job(amtool: Path, config: Path, tenant: str, routes: Sequence[Any]) -> Job:
    def run() -> Result:
        started = time.monotonic()
        failures = [f for route in routes for f in _amtool(amtool, config, route)]
        names = tuple(_shown(route["labels"]) for route in routes)
        seconds = time.monotonic() - started
        return Result(tenant, "routes", names, len(routes), seconds, tuple(failures))

    return run


def _amtool(amtool: Path, config: Path, route: Mapping[str, Any]) -> Iterator[Failure]:
    command: list[str | Path] = [
        amtool.absolute(),
        *("config", "routes", "test", f"--config.file={config.name}"),
        f"--verify.receivers={','.join(route['receivers'])}",
        *(f"{name}={value}" for name, value in route["labels"].items()),
    ]
    code, output = call(command, config.parent)
    if code:
        yield Failure(_shown(route["labels"]), " ".join(output.split()), route["manifest"])


def _inhibition(
    model: routing.Config, by_tenant: Mapping[str, Sequence[Any]], external: tuple[str, ...]
) -> tuple[int, list[Failure], str]:
    """Ask of pairs of alerts who quiets whom.

    A tenant's alerts are asked for its own, the next tenant's, those of tenants that are linked to
    it by dependencies, and all that anybody waits for.
    """
    checks, crossed, failures = 0, 0, []
    tenants = [*by_tenant]
    linked, waited_for = _linked(by_tenant), _waited_for(by_tenant)
    for number, tenant in enumerate(tenants):
        near = {tenant, tenants[(number + 1) % len(tenants)], *linked[tenant]}
        sources = [
            *(route for other in sorted(near) for route in by_tenant.get(other, ())),
            *(route for route in waited_for if route["labels"][naming.TENANT] not in near),
        ]
        for target in by_tenant[tenant]:
            for source in sources:
                strange = (*naming.IDENTITY, naming.ESCALATION, *external)
                if not _is_inhibited(target, source, external):
                    strange = ()
                for other in _variants(source, strange):
                    checks += 1
                    one, two = _pairs(target), _pairs(other)
                    inhibits = routing.inhibited_by(model, one, [one, two]) is not None
                    if inhibits != _is_inhibited(target, other, external):
                        word = "inhibits" if inhibits else "does not inhibit"
                        message = f"{_shown(other['labels'])} {word} {_shown(target['labels'])}"
                        cause = _inhibit_rule(model, one, two) if inhibits else ""
                        crossed += inhibits and _tenant(target) != _tenant(other)
                        failures.append(Failure("inhibition", message, target["manifest"], cause))
    return checks, failures, f"inhibition: {checks} pairs of alerts checked, {crossed} crossings"


def _inhibit_rule(model: routing.Config, target: Pairs, source: Pairs) -> str:
    """Name the rule of the configuration by which one alert inhibits another."""
    for number, rule in enumerate(model.inhibit_rules):
        alone = replace(model, inhibit_rules=(rule,), index=None)
        if routing.inhibited_by(alone, target, [target, source]) is not None:
            return f"inhibit_rules[{number}] of alertmanager.yml: {rule}"
    return ""


def _tenant(route: Mapping[str, Any]) -> str:
    tenant: str = route["labels"][naming.TENANT]
    return tenant


def _linked(by_tenant: Mapping[str, Sequence[Any]]) -> dict[str, set[str]]:
    """Give for each tenant those that its SLOs depend on, and those whose SLOs depend on its."""
    linked: dict[str, set[str]] = {tenant: set() for tenant in by_tenant}
    for tenant, routes in by_tenant.items():
        for other in {name.partition("/")[0] for name in _others(routes)}:
            linked[tenant].add(other)
            linked.setdefault(other, set()).add(tenant)
    return linked


def _waited_for(by_tenant: Mapping[str, Sequence[Any]]) -> list[Any]:
    """Give the alerts for which those of other SLOs wait."""
    names = {name for routes in by_tenant.values() for name in _others(routes)}
    return [r for routes in by_tenant.values() for r in routes if _name(r["labels"]) in names]


def _others(routes: Sequence[Any]) -> Iterator[str]:
    """Name the tiers of other SLOs for which these alerts wait: tenant/service/slo/tier."""
    return (name for r in routes for name in r.get("inhibited_by", ()) if "/" in name)


def _name(labels: Mapping[str, str]) -> str:
    """Name a burn alert without a level of escalation as other SLOs do."""
    if labels["alertname"] != naming.ALERT_BURN or labels.get(naming.ESCALATION):
        return ""
    return "/".join((*(labels[name] for name in naming.IDENTITY), labels[naming.TIER]))


def _variants(source: Mapping[str, Any], strange: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Return an alert, and for each of these labels one that has another value of it."""
    yield source
    for name in strange:
        yield {**source, "labels": {**source["labels"], name: "decoy"}}


def _is_inhibited(
    target: Mapping[str, Any], source: Mapping[str, Any], external: tuple[str, ...]
) -> bool:
    """Whether the manifests want it: by a tier of the same SLO and level, or one of another SLO."""
    wanted, one, two = target.get("inhibited_by", ()), target["labels"], source["labels"]
    same = ("alertname", *naming.IDENTITY, naming.ESCALATION)
    if any(one[name] != two[name] for name in external):
        return False
    return _name(two) in wanted or (
        two[naming.TIER] in wanted and all(one.get(n, "") == two.get(n, "") for n in same)
    )


def _hours(model: routing.Config, hours: Sequence[Any]) -> tuple[int, list[Failure], str]:
    checks, failures = 0, []
    for interval in hours:
        muted = tuple(filter(None, [interval.get("holidays")]))
        match = routing.RouteMatch("", (), (interval["name"],), muted)
        for key, wanted in (("active_at", True), ("silent_at", False)):
            for at in interval[key]:
                checks += 1
                if routing.is_active(model, match, datetime.fromisoformat(at)) != wanted:
                    word = "silent" if wanted else "active"
                    failures.append(Failure("hours", f"{interval['name']} is {word} at {at}"))
    return checks, failures, f"{len(hours)} time intervals"


def _isolation(
    model: routing.Config, routes: Sequence[Any], hours: Sequence[Any], external: tuple[str, ...]
) -> tuple[int, list[Failure], str]:
    holidays = {interval["name"]: interval.get("holidays", "") for interval in hours}
    expected = [
        ExpectedRoute(
            _pairs(route),
            receivers=tuple(route["receivers"]),
            hours=tuple(route.get("hours", [""] * len(route["receivers"]))),
            inhibited_by=tuple(route.get("inhibited_by", ())),
            origin=route["manifest"],
        )
        for route in routes
    ]
    found = crossings(model, expected)
    failures = [
        Failure("isolation", f"{_shown(dict(c.alert))} reaches {c.receiver}")
        for c in found.crossings
    ]
    for route in expected:
        matches = routing.routes_for(model, route.labels)
        reached = [
            (m.receiver, ",".join(m.active_time_intervals), ",".join(m.mute_time_intervals))
            for m in matches
        ]
        wanted = [
            (receiver, name, holidays.get(name, ""))
            for receiver, name in zip(route.receivers, route.hours, strict=True)
        ]
        if reached != wanted:
            message = f"{_shown(dict(route.labels))} reaches {reached}, not {wanted}"
            failures.append(Failure("isolation", message, route.origin))
        heartbeat = naming.RECEIVER_HEARTBEAT in route.receivers
        needed = {naming.TENANT, *external} if heartbeat else {*naming.IDENTITY, *external}
        for match in matches:
            if "..." not in match.group_by and (lost := sorted(needed - {*match.group_by})):
                message = f"{_shown(dict(route.labels))} is grouped without {', '.join(lost)}"
                failures.append(Failure("isolation", message, route.origin))
    waiting = sum(_waits_for_another(route) for route in expected)
    note = f"; {waiting} alerts wait for another tenant's, as depends_on says" if waiting else ""
    return len(expected), failures, f"routes: {found}{note}"


def _waits_for_another(route: ExpectedRoute) -> bool:
    own = dict(route.labels)[naming.TENANT]
    return any("/" in n and n.partition("/")[0] != own for n in route.inhibited_by)


def _pairs(route: Mapping[str, Any]) -> Pairs:
    return tuple((name, str(value)) for name, value in route["labels"].items())


def _shown(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in labels.items())
