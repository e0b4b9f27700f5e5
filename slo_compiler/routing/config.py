"""The parts of an alertmanager.yml that decide who is notified."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import yaml

from slo_compiler.routing.intervals import TimeInterval
from slo_compiler.routing.matchers import AlertMatcher, ConfigError, parse_matchers

Matchers = tuple[AlertMatcher, ...]
_INDEXED = 8  # routes or rules from which on an index pays
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


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ByValue(Generic[T]):
    """Routes or rules by the value that they want of the label that distinguishes most of them."""

    label: str
    by_value: Mapping[str, tuple[T, ...]]
    others: tuple[T, ...]  # for any other value

    def candidates(self, labels: Mapping[str, str]) -> tuple[T, ...]:
        """Give those that may match, in order, without trying hundreds that cannot."""
        return self.by_value.get(labels.get(self.label, ""), self.others)

    @classmethod
    def of(cls, items: tuple[T, ...], matchers: Callable[[T], Matchers]) -> ByValue[T] | None:
        """Index items by their matchers, if there are enough of them."""
        values: dict[str, set[str]] = {}
        for item in items:
            for matcher in matchers(item):
                if matcher.operator == "=":
                    values.setdefault(matcher.name, set()).add(matcher.value)
        if len(items) < _INDEXED or not values:
            return None
        label = max(values, key=lambda name: len(values[name]))
        wanted = [_wanted(matchers(item), label) for item in items]
        pairs = [*zip(items, wanted, strict=True)]
        by_value = {
            value: tuple(item for item, w in pairs if w is None or w == value)
            for value in values[label]
        }
        return cls(label, by_value, tuple(item for item, w in pairs if w is None))


@dataclass(frozen=True, slots=True)
class RouteNode:
    """A node of the routing tree, with what it inherits; intervals are not inherited."""

    receiver: str
    path: tuple[int, ...]  # its position below the root, level by level
    matchers: tuple[AlertMatcher, ...] = ()
    continue_: bool = False
    active_time_intervals: tuple[str, ...] = ()
    mute_time_intervals: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    routes: tuple[RouteNode, ...] = ()
    index: ByValue[RouteNode] | None = field(default=None, repr=False, compare=False)

    def candidates(self, labels: Mapping[str, str]) -> tuple[RouteNode, ...]:
        """Give the children that may match, in order."""
        return self.routes if self.index is None else self.index.candidates(labels)


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While a source fires, targets with the same `equal` labels do not notify."""

    source: tuple[AlertMatcher, ...]
    target: tuple[AlertMatcher, ...]
    equal: tuple[str, ...] = ()

    def is_source(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert inhibits others by this rule."""
        return all(matcher.matches(labels) for matcher in self.source)

    def is_target(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert may be inhibited by this rule."""
        return all(matcher.matches(labels) for matcher in self.target)

    def group(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return what a source and its targets have in common: a label that is missing is empty."""
        return tuple(labels.get(name, "") for name in self.equal)

    def __str__(self) -> str:
        source, target = (
            ", ".join(f'{m.name}{m.operator}"{m.value}"' for m in side)
            for side in (self.source, self.target)
        )
        equal = f", equal [{', '.join(self.equal)}]" if self.equal else ""
        return f"source {source}, target {target}{equal}"


@dataclass(frozen=True, slots=True)
class Config:
    """An Alertmanager configuration, as far as it decides who is notified."""

    route: RouteNode
    inhibit_rules: tuple[InhibitRule, ...]
    time_intervals: Mapping[str, tuple[TimeInterval, ...]]
    index: ByValue[InhibitRule] | None = field(default=None, repr=False, compare=False)

    def rules_for(self, labels: Mapping[str, str]) -> tuple[InhibitRule, ...]:
        """Give the inhibit rules of which an alert may be a target, in order."""
        return self.inhibit_rules if self.index is None else self.index.candidates(labels)

    @classmethod
    def load(cls, text: str) -> Config:
        """Read an alertmanager.yml.

        Raises:
            ConfigError: if it is not one, or has parts that the model does not know.
        """
        try:
            top = _mapping(yaml.load(text, Loader=_Text), "the configuration")  # noqa: S506
        except yaml.YAMLError as error:
            raise ConfigError(str(error)) from error
        rules = tuple(_inhibit_rule(rule) for rule in _items(top.get("inhibit_rules")))
        config = cls(
            _route(_mapping(top.get("route"), "route"), RouteNode("", ()), ()),
            rules,
            dict(_intervals(top)),
            ByValue.of(rules, lambda rule: rule.target),
        )
        root = config.route
        if not root.receiver:
            raise ConfigError("the root route has no receiver")
        if root.matchers or root.continue_ or root.active_time_intervals + root.mute_time_intervals:
            raise ConfigError("the root route has matchers, continue or time intervals")
        _check_intervals(config.route, config.time_intervals)
        return config


def read_inhibit_rules(text: str) -> tuple[InhibitRule, ...]:
    """Read the list of an alertmanager.yml's inhibit rules.

    Raises:
        ConfigError: if it is not one, or has parts that the model does not know.
    """
    found = yaml.load(text, Loader=_Text)  # noqa: S506  (a SafeLoader)
    return tuple(_inhibit_rule(rule) for rule in _items(found))


class _Text(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads scalars as text, as they are written: Alertmanager's 12:00 and 1:5 are no numbers."""


_Text.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0].endswith((":null", ":merge"))]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _route(fields: Mapping[str, object], parent: RouteNode, path: tuple[int, ...]) -> RouteNode:
    unknown = {*fields} - _ROUTE_FIELDS
    if unknown:
        raise ConfigError(f"unknown field of a route: {min(unknown)}")
    node = RouteNode(
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
    return replace(node, routes=children, index=ByValue.of(children, lambda r: r.matchers))


def _wanted(matchers: Matchers, label: str) -> str | None:
    return next((m.value for m in matchers if (m.name, m.operator) == (label, "=")), None)


def _inhibit_rule(value: object) -> InhibitRule:
    fields = _mapping(value, "an inhibit rule")
    unknown = {*fields} - _INHIBIT_FIELDS
    if unknown:
        raise ConfigError(f"unknown field of an inhibit rule: {min(unknown)}")
    return InhibitRule(
        _matchers(fields, "source_"), _matchers(fields, "target_"), _texts(fields.get("equal"))
    )


def _matchers(fields: Mapping[str, object], side: str) -> tuple[AlertMatcher, ...]:
    equal = _mapping(fields.get(f"{side}match") or {}, f"{side}match")
    regex = _mapping(fields.get(f"{side}match_re") or {}, f"{side}match_re")
    return (
        *(AlertMatcher(name, "=", _text(value)) for name, value in equal.items()),
        *(AlertMatcher(name, "=~", _text(value)) for name, value in regex.items()),
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


def _check_intervals(route: RouteNode, known: Mapping[str, object]) -> None:
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
