"""The parts of an alertmanager.yml that decide who is notified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from slo_compiler.routing.intervals import TimeInterval
from slo_compiler.routing.matchers import ConfigError, Matcher, parse_matchers

_INDEXED = 8  # children from which on an index pays
_TRUE = ("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE")
_ROUTE_FIELDS = {
    *("receiver", "group_by", "group_wait", "group_interval", "repeat_interval"),
    *("match", "match_re", "matchers", "continue", "routes"),
    *("active_time_intervals", "mute_time_intervals"),
}
_INHIBIT_FIELDS = {
    *("name", "equal", "source_match", "source_match_re", "source_matchers"),
    *("target_match", "target_match_re", "target_matchers"),
}


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the routing tree, with what it inherits; intervals are not inherited."""

    receiver: str
    path: tuple[int, ...]  # its position below the root, level by level
    matchers: tuple[Matcher, ...] = ()
    continue_: bool = False
    active_time_intervals: tuple[str, ...] = ()
    mute_time_intervals: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    index: ChildIndex | None = field(default=None, repr=False, compare=False)

    def candidates(self, labels: Mapping[str, str]) -> tuple[Route, ...]:
        """Give the children that may match, in order, without asking hundreds that cannot."""
        if self.index is None:
            return self.routes
        return self.index.by_value.get(labels.get(self.index.label, ""), self.index.others)


@dataclass(frozen=True, slots=True)
class ChildIndex:
    """Children by the value that they want of the label that most of them ask for."""

    label: str
    by_value: Mapping[str, tuple[Route, ...]]
    others: tuple[Route, ...]  # for any other value

    @classmethod
    def of(cls, routes: tuple[Route, ...]) -> ChildIndex | None:
        """Index the children of a route, if it has enough of them."""
        asked = Counter(m.name for route in routes for m in route.matchers if m.operator == "=")
        if len(routes) < _INDEXED or not asked:
            return None
        ((label, _),) = asked.most_common(1)
        wanted = [_wanted(route, label) for route in routes]
        by_value = {
            value: tuple(r for r, w in zip(routes, wanted, strict=True) if w is None or w == value)
            for value in wanted
            if value is not None
        }
        return cls(
            label, by_value, tuple(r for r, w in zip(routes, wanted, strict=True) if w is None)
        )


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While a source fires, targets with the same `equal` labels do not notify."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """An Alertmanager configuration, as far as it decides who is notified."""

    route: Route
    inhibit_rules: tuple[InhibitRule, ...]
    time_intervals: Mapping[str, tuple[TimeInterval, ...]]

    @classmethod
    def load(cls, text: str) -> Config:
        """Read an alertmanager.yml.

        Raises:
            ConfigError: if it is not one, or holds what the model does not know.
        """
        try:
            top = _mapping(yaml.load(text, Loader=_Text), "the configuration")  # noqa: S506
        except yaml.YAMLError as error:
            raise ConfigError(str(error)) from error
        config = cls(
            _route(_mapping(top.get("route"), "route"), Route("", ()), ()),
            tuple(_inhibit_rule(rule) for rule in _items(top.get("inhibit_rules"))),
            dict(_intervals(top)),
        )
        root = config.route
        if not root.receiver:
            raise ConfigError("the root route has no receiver")
        if root.matchers or root.continue_ or root.active_time_intervals + root.mute_time_intervals:
            raise ConfigError("the root route has matchers, continue or time intervals")
        _check_intervals(config.route, config.time_intervals)
        return config


class _Text(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads scalars as the text that stands there: Alertmanager's 12:00 and 1:5 are no numbers."""


_Text.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0].endswith((":null", ":merge"))]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _route(fields: Mapping[str, object], parent: Route, path: tuple[int, ...]) -> Route:
    unknown = {*fields} - _ROUTE_FIELDS
    if unknown:
        raise ConfigError(f"unknown field of a route: {min(unknown)}")
    node = Route(
        receiver=str(fields.get("receiver") or parent.receiver),
        path=path,
        matchers=_matchers(fields, ""),
        continue_=str(fields.get("continue")) in _TRUE,
        active_time_intervals=_texts(fields.get("active_time_intervals")),
        mute_time_intervals=_texts(fields.get("mute_time_intervals")),
        group_by=_texts(fields.get("group_by")) or parent.group_by,
    )
    children = tuple(
        _route(_mapping(child, "a route"), node, (*path, number))
        for number, child in enumerate(_items(fields.get("routes")))
    )
    return replace(node, routes=children, index=ChildIndex.of(children))


def _wanted(route: Route, label: str) -> str | None:
    return next((m.value for m in route.matchers if (m.name, m.operator) == (label, "=")), None)


def _inhibit_rule(value: object) -> InhibitRule:
    fields = _mapping(value, "an inhibit rule")
    unknown = {*fields} - _INHIBIT_FIELDS
    if unknown:
        raise ConfigError(f"unknown field of an inhibit rule: {min(unknown)}")
    return InhibitRule(
        _matchers(fields, "source_"), _matchers(fields, "target_"), _texts(fields.get("equal"))
    )


def _matchers(fields: Mapping[str, object], side: str) -> tuple[Matcher, ...]:
    equal = _mapping(fields.get(f"{side}match") or {}, f"{side}match")
    regex = _mapping(fields.get(f"{side}match_re") or {}, f"{side}match_re")
    return (
        *(Matcher(name, "=", _text(value)) for name, value in equal.items()),
        *(Matcher(name, "=~", _text(value)) for name, value in regex.items()),
        *(m for line in _texts(fields.get(f"{side}matchers")) for m in parse_matchers(line)),
    )


def _intervals(
    top: Mapping[str, object],
) -> Iterator[tuple[str, tuple[TimeInterval, ...]]]:
    for key in ("mute_time_intervals", "time_intervals"):
        for item in _items(top.get(key)):
            fields = _mapping(item, key)
            entries = _items(fields.get("time_intervals"))
            read = tuple(TimeInterval.read(_mapping(entry, key)) for entry in entries)
            yield _text(fields.get("name")), read


def _check_intervals(route: Route, known: Mapping[str, object]) -> None:
    for name in (*route.active_time_intervals, *route.mute_time_intervals):
        if name not in known:
            raise ConfigError(f'undefined time interval "{name}" used in route')
    for child in route.routes:
        _check_intervals(child, known)


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{what} is not a mapping")
    return value


def _items(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConfigError(f"expected a list, found {value!r}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in _items(value))


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConfigError(f"expected text, found {value!r}")
    return value
