"""Who is notified of an alert: its routes, what inhibits it, and whether the hour is right.

An alert is the pairs of its labels. A label that is missing is empty, and the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.routing.config import Config, InhibitRule, RouteNode
from slo_compiler.routing.matchers import AlertMatcher


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A route that takes an alert, and the intervals in which it notifies."""

    receiver: str
    path: tuple[int, ...]
    active_time_intervals: tuple[str, ...]
    mute_time_intervals: tuple[str, ...]
    group_by: tuple[str, ...] = ()


def routes_for(config: Config, alert: Pairs) -> tuple[RouteMatch, ...]:
    """Give the routes that take an alert, in order; there is always at least one.

    Depth first: the first child that matches takes it, and with `continue` its siblings may as
    well. A route takes an alert itself only if none of its children does.
    """
    return tuple(
        RouteMatch(
            route.receiver,
            route.path,
            route.active_time_intervals,
            route.mute_time_intervals,
            route.group_by,
        )
        for route in _taking(config.route, dict(alert))
    )


def _taking(route: RouteNode, labels: Mapping[str, str]) -> list[RouteNode]:
    if not _matches(route.matchers, labels):
        return []
    taking: list[RouteNode] = []
    for child in route.candidates(labels):
        found = _taking(child, labels)
        taking += found
        if found and not child.continue_:
            break
    return taking or [route]


def inhibited_by(config: Config, alert: Pairs, firing: Sequence[Pairs]) -> Pairs | None:
    """Give a firing alert that keeps this one from notifying, or None."""
    return next(iter(inhibitors(config, alert, firing)), None)


def inhibitors(
    config: Config, alert: Pairs, firing: Sequence[Pairs], *, one_source: bool = False
) -> tuple[Pairs, ...]:
    """Give all firing alerts that keep this one from notifying.

    An alert on both sides of a rule is not inhibited by others that are, hence not by itself. That
    a source is inhibited or muted itself makes no difference.

    Args:
        config: the configuration.
        alert: the alert in question.
        firing: all alerts that fire, in the order in which they arrived.
        one_source: as Alertmanager 0.30 to 0.34.0 does. Of the sources with the same `equal` labels
            a rule then knows only the one that arrived last. If that is on both sides it does not
            inhibit others that are, and hides a source that would.
    """
    labels = dict(alert)
    found: dict[Pairs, None] = {}
    for rule in config.rules_for(labels):
        if _matches(rule.target, labels):
            sources = [other for other in firing if _is_source(rule, dict(other), labels)]
            if one_source:
                sources = sources[-1:]
            if _matches(rule.source, labels):
                sources = [s for s in sources if not _matches(rule.target, dict(s))]
            found |= dict.fromkeys(sources)
    return tuple(found)


def _is_source(rule: InhibitRule, other: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return _matches(rule.source, other) and all(
        other.get(name, "") == labels.get(name, "") for name in rule.equal
    )


def is_active(config: Config, match: RouteMatch, at: datetime) -> bool:
    """Return whether a route notifies at an instant, which needs a time zone."""

    def within(names: tuple[str, ...]) -> bool:
        return any(part.contains(at) for name in names for part in config.time_intervals[name])

    active = match.active_time_intervals
    return (not active or within(active)) and not within(match.mute_time_intervals)


def notified(config: Config, firing: Sequence[Pairs], at: datetime) -> dict[Pairs, frozenset[str]]:
    """Return the receivers of each firing alert, if notifications went out now."""
    return {
        alert: frozenset()
        if inhibited_by(config, alert, firing)
        else frozenset(
            match.receiver for match in routes_for(config, alert) if is_active(config, match, at)
        )
        for alert in firing
    }


def _matches(matchers: tuple[AlertMatcher, ...], labels: Mapping[str, str]) -> bool:
    return all(matcher.matches(labels) for matcher in matchers)
