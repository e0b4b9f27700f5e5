"""Routes of the alerts: receivers by amtool, and by the model what amtool cannot decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from slo_compiler import naming, routing
from slo_compiler.diagnostics import Report
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.proofs.run.cache import ProofCache
from slo_compiler.proofs.run.files import (
    HoursProof,
    RouteProof,
    RoutesFile,
    read_routing,
    read_yaml,
)
from slo_compiler.proofs.run.isolation import crossings
from slo_compiler.proofs.run.result import (
    NO_ANSWER,
    ROUTES_SECONDS,
    Failure,
    Job,
    ProofResult,
    Tool,
    call,
)
from slo_compiler.proofs.run.wanted import Wanted


def prepare(
    amtool: Tool,
    path: Path,
    expected_path: Path,
    report: Report,
    wanted: Wanted,
    cache: ProofCache,
) -> Iterator[Job]:
    """Prepare the routes of each tenant, the inhibitions, the hours and the tenants' isolation.

    The last three are about all tenants together, so they are left out where some are wanted.
    """
    model = read_routing(path, report)
    expected = read_yaml(expected_path, RoutesFile, report)
    if model is None or expected is None:
        return
    by_tenant: dict[str, list[RouteProof]] = {}
    external = tuple(expected.external_labels)
    every = [_in_a_cluster(route, external) for route in expected.routes]
    for route in every:
        by_tenant.setdefault(route.labels.get(naming.TENANT, ""), []).append(route)
    content = path.read_bytes()
    for tenant, routes in by_tenant.items():
        own = [route for route in routes if wanted.route(route.labels)]
        if own:
            yield _amtool_job(amtool, path, tenant, own, content, cache)
    if not wanted.tenants and not wanted.slo:
        yield _job("inhibition", lambda: _inhibition(model, by_tenant, external))
        yield _job("hours", lambda: _hours(model, expected.hours))
        yield _job("isolation", lambda: _isolation(model, every, expected.hours, external))


def _job(name: str, check: Callable[[], tuple[int, list[Failure], str]]) -> Job:
    def run() -> ProofResult:
        started = time.monotonic()
        checks, failures, note = check()
        seconds = time.monotonic() - started
        return ProofResult(name, "routes", (name,), checks, seconds, tuple(failures), note)

    return run


def _amtool_job(
    amtool: Tool,
    config: Path,
    tenant: str,
    routes: Sequence[RouteProof],
    content: bytes,
    cache: ProofCache,
) -> Job:
    def run() -> ProofResult:
        started = time.monotonic()
        names = tuple(_shown(route.labels) for route in routes)
        wanted = [f"{name} -> {route.receivers}" for name, route in zip(names, routes, strict=True)]
        key = cache.key(["routes", amtool.identity, content, *wanted])
        known = cache.checks(key) == len(routes)
        failures = () if known else tuple(_failed(amtool, config, routes))
        if not known and not failures:
            cache.passed(key, len(routes))
        seconds = time.monotonic() - started
        return ProofResult(tenant, "routes", names, len(routes), seconds, failures, cached=known)

    return run


def _failed(amtool: Tool, config: Path, routes: Sequence[RouteProof]) -> Iterator[Failure]:
    """Run amtool on each route; where it gives no answer once, it is not run again."""
    for route in routes:
        command: list[str | Path] = [
            amtool.path.absolute(),
            *("config", "routes", "test", f"--config.file={config.name}"),
            f"--verify.receivers={','.join(route.receivers)}",
            *(f"{name}={value}" for name, value in route.labels.items()),
        ]
        code, output = call(command, config.parent, ROUTES_SECONDS)
        if code:
            message = " ".join(output.split()) or f"amtool: exit code {code}"
            yield Failure(_shown(route.labels), message, route.manifest)
        elif (wanted := ",".join(route.receivers)) not in output:
            message = f'amtool exits with 0, but does not print "{wanted}"'
            yield Failure(_shown(route.labels), message, route.manifest)
        if code == NO_ANSWER:
            return


def _inhibition(
    model: routing.Config, by_tenant: Mapping[str, Sequence[RouteProof]], external: tuple[str, ...]
) -> tuple[int, list[Failure], str]:
    """Check of pairs of alerts which inhibits which.

    A tenant's alerts are paired with its own, the next tenant's, those of tenants with links to
    it by dependencies, and all that any tenant waits for.
    """
    checks, crossed, failures = 0, 0, []
    tenants = [*by_tenant]
    linked, waited_for = _linked(by_tenant), _waited_for(by_tenant)
    for number, tenant in enumerate(tenants):
        near = {tenant, tenants[(number + 1) % len(tenants)], *linked[tenant]}
        sources = [
            *(route for other in sorted(near) for route in by_tenant.get(other, ())),
            *(route for route in waited_for if route.labels[naming.TENANT] not in near),
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
                        message = f"{_shown(other.labels)} {word} {_shown(target.labels)}"
                        cause = _inhibit_rule(model, one, two) if inhibits else ""
                        crossed += inhibits and _tenant(target) != _tenant(other)
                        failures.append(Failure("inhibition", message, target.manifest, cause))
    return checks, failures, f"inhibition: {checks} pairs of alerts checked, {crossed} crossings"


def _inhibit_rule(model: routing.Config, target: Pairs, source: Pairs) -> str:
    """Name the rule of the configuration by which one alert inhibits another."""
    for number, rule in enumerate(model.inhibit_rules):
        alone = replace(model, inhibit_rules=(rule,), index=None)
        if routing.inhibited_by(alone, target, [target, source]) is not None:
            return f"inhibit_rules[{number}] of alertmanager.yml: {rule}"
    return ""


def _tenant(route: RouteProof) -> str:
    return route.labels[naming.TENANT]


def _in_a_cluster(route: RouteProof, external: Sequence[str]) -> RouteProof:
    """Give an alert the labels that Prometheus itself adds."""
    return route.model_copy(update={"labels": {**route.labels, **dict.fromkeys(external, "here")}})


def _linked(by_tenant: Mapping[str, Sequence[RouteProof]]) -> dict[str, set[str]]:
    """Give for each tenant those that its SLOs depend on, and those whose SLOs depend on its."""
    linked: dict[str, set[str]] = {tenant: set() for tenant in by_tenant}
    for tenant, routes in by_tenant.items():
        for other in {name.partition("/")[0] for name in _others(routes)}:
            linked[tenant].add(other)
            linked.setdefault(other, set()).add(tenant)
    return linked


def _waited_for(by_tenant: Mapping[str, Sequence[RouteProof]]) -> list[RouteProof]:
    """Give the alerts for which those of other SLOs wait."""
    names = {name for routes in by_tenant.values() for name in _others(routes)}
    return [r for routes in by_tenant.values() for r in routes if _name(r.labels) in names]


def _others(routes: Sequence[RouteProof]) -> Iterator[str]:
    """Name the tiers of other SLOs for which these alerts wait: tenant/service/slo/tier."""
    return (name for r in routes for name in r.inhibited_by if "/" in name)


def _name(labels: Mapping[str, str]) -> str:
    """Name a burn alert without a level of escalation as other SLOs do."""
    if naming.LONG_WINDOW not in labels or labels.get(naming.ESCALATION):
        return ""
    return "/".join((*(labels[name] for name in naming.IDENTITY), labels[naming.TIER]))


def _variants(source: RouteProof, strange: Sequence[str]) -> Iterator[RouteProof]:
    """Return an alert, and for each of these labels one that has another value of it."""
    yield source
    for name in strange:
        yield source.model_copy(update={"labels": {**source.labels, name: "decoy"}})


def _is_inhibited(target: RouteProof, source: RouteProof, external: tuple[str, ...]) -> bool:
    """Whether the manifests want it: by a tier of the same SLO and level, or one of another SLO."""
    wanted, one, two = target.inhibited_by, target.labels, source.labels
    same = (*naming.IDENTITY, naming.ESCALATION)
    if any(one[name] != two[name] for name in external):
        return False
    return _name(two) in wanted or (
        naming.LONG_WINDOW in two
        and two[naming.TIER] in wanted
        and all(one.get(n, "") == two.get(n, "") for n in same)
    )


def _hours(model: routing.Config, hours: Sequence[HoursProof]) -> tuple[int, list[Failure], str]:
    checks, failures = 0, []
    for interval in hours:
        muted = tuple(filter(None, [interval.holidays]))
        match = routing.RouteMatch("", (), (interval.name,), muted)
        for times, wanted in ((interval.active_at, True), (interval.silent_at, False)):
            for at in times:
                checks += 1
                if routing.is_active(model, match, datetime.fromisoformat(at)) != wanted:
                    word = "silent" if wanted else "active"
                    failures.append(Failure("hours", f"{interval.name} is {word} at {at}"))
    return checks, failures, f"{len(hours)} time intervals"


def _isolation(
    model: routing.Config,
    routes: Sequence[RouteProof],
    hours: Sequence[HoursProof],
    external: tuple[str, ...],
) -> tuple[int, list[Failure], str]:
    holidays = {interval.name: interval.holidays for interval in hours}
    expected = [
        ExpectedRoute(
            _pairs(route),
            receivers=tuple(route.receivers),
            hours=tuple(route.hours or [""] * len(route.receivers)),
            inhibited_by=tuple(route.inhibited_by),
            origin=route.manifest,
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


def _pairs(route: RouteProof) -> Pairs:
    return tuple(route.labels.items())


def _shown(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in labels.items())
