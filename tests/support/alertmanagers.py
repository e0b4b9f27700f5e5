"""Real Alertmanagers, queried and fed over their API."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cases import tool
from demo.servers import alertmanager, free_port, get_json, post_json

from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.tools import SUITES

every_version = pytest.mark.parametrize("suite", [suite.name for suite in SUITES])


def alert(**labels: str) -> Pairs:
    """Give the labels of an alert."""
    return tuple(labels.items())


class Real:
    """A real Alertmanager whose configuration changes while it runs."""

    def __init__(self, url: str, path: Path) -> None:
        self.url, self.path = url, path

    @property
    def version(self) -> tuple[int, ...]:
        """The version's numbers: 0.28.1 of Debian calls itself 0.28.1+ds."""
        text = get_json(f"{self.url}/api/v2/status")["versionInfo"]["version"]
        return tuple(int(number) for number in text.partition("+")[0].split("."))

    def load(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")
        request = urllib.request.Request(f"{self.url}/-/reload", method="POST")
        with urllib.request.urlopen(request, timeout=10):
            pass

    def fire(self, alerts: Sequence[Pairs], **fields: str) -> None:
        post_json(f"{self.url}/api/v2/alerts", [{"labels": dict(a), **fields} for a in alerts])

    def resolve(self, alerts: Sequence[Pairs]) -> None:
        self.fire(alerts, endsAt=datetime.now(UTC).isoformat())

    def alerts(self) -> dict[Pairs, Any]:
        found = get_json(f"{self.url}/api/v2/alerts")
        return {tuple(sorted(item["labels"].items())): item for item in found}

    def groups(self) -> list[Any]:
        groups: list[Any] = get_json(f"{self.url}/api/v2/alerts/groups")
        return groups

    def grouped(self) -> set[tuple[Pairs, str]]:
        return {
            (tuple(sorted(item["labels"].items())), group["receiver"]["name"])
            for group in self.groups()
            for item in group["alerts"]
        }


@contextmanager
def running(suite: str, folder: Path) -> Iterator[Real]:
    path = folder / "alertmanager.yml"
    path.write_text("{route: {receiver: r}, receivers: [{name: r}]}", encoding="utf-8")
    binary = tool(suite, "prometheus-alertmanager")
    with alertmanager(binary, path, folder / "data", port=free_port()) as server:
        yield Real(server.url, path)
