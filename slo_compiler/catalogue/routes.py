"""The routing tree as plain data, and the path of each alert through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from slo_compiler import naming
from slo_compiler.plan.routed import RoutedAlert
from slo_compiler.plan.routing_ir import Routing
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.resolve.hours import OpenHours
from slo_compiler.resolve.steps import EscalationLevel
from slo_compiler.routing.config import Config, RouteNode
from slo_compiler.routing.decide import routes_for
from slo_compiler.schema.hours import DAYS

Routed = Sequence[tuple[RoutedAlert, ExpectedRoute]]


class Tree:
    """Alertmanager's routing tree: its nodes, and which of them take an alert."""

    def __init__(self, config: Config, routing: Routing) -> None:
        self._config = config
        self._receivers = {each.name: each for each in routing.receivers}
        self._numbers: dict[tuple[int, ...], int] = {}
        self.nodes = [*self._read(config.route, -1)]
        self.hours = {name: _week(hours) for name, hours in routing.hours.items()}

    def _read(self, node: RouteNode, parent: int) -> Iterator[dict[str, Any]]:
        number = self._numbers[node.path] = len(self._numbers)
        tenant = next((m.value for m in node.matchers if (m.name, m.operator) == _TENANT), "")
        yield {
            "up": parent,
            "match": [f'{m.name}{m.operator}"{m.value}"' for m in node.matchers],
            "receiver": node.receiver,
            "channels": self.channels(node.receiver),
            "goes_on": node.continue_,
            "hours": [*node.active_time_intervals],
            "muted": [*node.mute_time_intervals],
            "tenant": tenant,
        }
        for child in node.routes:
            yield from self._read(child, number)

    def channels(self, receiver: str) -> list[str]:
        """Name the channels of a receiver of ours: `incident (slack)`."""
        found = self._receivers.get(receiver)
        return [f"{i.channel} ({i.kind.KIND})" for i in found.integrations] if found else []

    def path(self, alert: RoutedAlert) -> list[int]:
        """Give the routes that take an alert; those above them follow from the tree."""
        labels = tuple({**dict(alert.others), **dict(alert.labels)}.items())
        return [self._numbers[match.path] for match in routes_for(self._config, labels)]


_TENANT = (naming.TENANT, "=")


def audience_of(routed: Routed, tree: Tree, order: Sequence[str]) -> list[dict[str, Any]]:
    """Give the alerts of an SLO in the order of its tiers, with the receivers of each."""
    found = []
    for alert, expected in sorted(routed, key=lambda each: _rank(each[0], order)):
        at_hours = expected.hours or ("",) * len(expected.receivers)
        found.append(
            {
                "alert": alert.name,
                "tier": alert.tier,
                "severity": alert.severity.name if alert.severity else "",
                "wait": str(_wait(alert) or ""),
                "waits_for": [*expected.inhibited_by],
                "routes": tree.path(alert),
                "notifies": [
                    [tree.channels(receiver), hours]
                    for receiver, hours in zip(expected.receivers, at_hours, strict=True)
                ],
            }
        )
    return found


def _wait(alert: RoutedAlert) -> object:
    return alert.target.wait if isinstance(alert.target, EscalationLevel) else None


def _rank(alert: RoutedAlert, order: Sequence[str]) -> tuple[int, str, str]:
    rank = order.index(alert.tier) if alert.tier in order else len(order)
    wait = alert.target.number if isinstance(alert.target, EscalationLevel) else 0
    return rank, alert.tier, str(wait)


def _week(hours: OpenHours) -> dict[str, Any]:
    """Give hours as minutes of each day, Sunday first, and the days that are taken out."""
    spans: list[list[int]] = []
    for entry in hours.entries:
        days = [day for text in entry.weekdays for day in _days(text)] or range(len(DAYS))
        for day in days:
            spans += [[day, *map(_minute, text.split("-"))] for text in entry.times]
    return {
        "words": "; ".join(_words(entry.weekdays, entry.times) for entry in hours.entries),
        "zone": hours.location,
        "spans": sorted(spans),
        "holidays": [
            (f"{day.year}-" if day.year else "") + f"{day.month:02}-{day.day:02}"
            for day in hours.holidays
        ],
    }


def _words(days: Sequence[str], times: Sequence[str]) -> str:
    named = ", ".join(day.replace(":", " to ").title().replace(" To ", " to ") for day in days)
    return f"{named} {', '.join(times)}".strip()


def _days(text: str) -> range:
    first, _, last = text.partition(":")
    return range(DAYS.index(first), DAYS.index(last or first) + 1)


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
