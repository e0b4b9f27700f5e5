"""A month of recorded series, so that budgets have values from the first minute on.

Every service was healthy all month, except for one incident: ten days ago, for six hours, each
burned its budget 30 times as fast as allowed, which is a quarter of a budget for 30 days. The
same clock gives the same history.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from demo.exporter import HEALTHY, SERVICES
from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn

INCIDENT_AGO = Duration.of(days=10)
INCIDENT = Duration.of(hours=6)
INCIDENT_BURN_RATE = 30

RECORDED = Duration.of(minutes=90)
"""How long the base series reach back: the longest of the demo policy's windows and a little."""

BASE_STEP = Duration.of(seconds=1)
"""How far apart their samples are: as in the demo, because windows add up samples."""

GAP = Duration.of(seconds=15)
"""How long before now the base series end: by then they must have gone stale, as the rules would
else take their last sample for the present one until the first scrapes are in."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The base pair of an SLO, or of one of its series: its labels, and what they have counted."""

    labels: dict[str, str]
    events_per_second: int
    period: Duration
    error_budget: Fraction

    @property
    def tile(self) -> Duration:
        """Length of the tiles that the SLO's budget is added up from."""
        return burn.tile(self.period)

    def error_ratio(self, ago: Duration) -> Fraction:
        """Tell the share of the tile that ended so long ago."""
        if INCIDENT_AGO - INCIDENT <= ago < INCIDENT_AGO:
            return INCIDENT_BURN_RATE * self.error_budget
        return HEALTHY


def recorded(rules: Iterable[Path]) -> tuple[Recorded, ...]:
    """Read from compiled rules which base series there will be."""
    found: list[Recorded] = []
    for path in sorted(rules):
        groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in (rule for group in groups for rule in group["rules"]):
            if rule.get("record") == naming.INFO:
                found += _series_of(rule["labels"])
    return tuple(found)


def _series_of(info: Mapping[str, Any]) -> Iterator[Recorded]:
    identity = {name: info[name] for name in naming.IDENTITY}
    budget = 1 - Fraction(info["objective"]) / 100
    period = Duration.parse(info["period"])
    own = [service for service in SERVICES if service.tenant == identity[naming.TENANT]]
    named = [s for s in own if identity[naming.SERVICE] in s.own_labels.values()] or own
    for service in named:
        # An SLO over several services tells them apart, by the labels that they have of their own.
        by = service.own_labels if len(named) > 1 else {}
        yield Recorded({**identity, **by}, service.events_per_second, period, budget)


def write(series: Iterable[Recorded], now: float, promtool: Path, data: Path) -> None:
    """Write the history until `now`, in Unix seconds, as blocks of a Prometheus' data folder.

    That Prometheus needs a retention of more than a month, and a lookback of GAP.

    Raises:
        CalledProcessError: promtool refused it.
    """
    text = data.with_name("history.om")
    with text.open("w", encoding="utf-8") as file:
        for samples in _families(tuple(series), int(now)):
            file.writelines(samples)
        file.write("# EOF\n")
    # Blocks of a month, because promtool reads the text again for each.
    subprocess.run(
        [
            *(str(promtool), "tsdb", "create-blocks-from", "openmetrics"),
            *("--max-block-duration=720h", "--quiet", str(text), str(data)),
        ],
        check=True,
        capture_output=True,
    )
    text.unlink()


def _families(series: tuple[Recorded, ...], now: int) -> Iterator[Iterator[str]]:
    """Give the lines of each metric: first of the tiles, then of the base pair."""
    for tile in sorted({each.tile for each in series}):
        tiled = [each for each in series if each.tile == tile]
        for counted in ("events", "errors"):
            yield _tiles(naming.increase(counted, tile), counted, tiled, now)
    yield _base(naming.EVENTS_RATE, "events", series, now)
    yield _base(naming.ERRORS_RATE, "errors", series, now)


def _tiles(name: str, counted: str, series: Iterable[Recorded], now: int) -> Iterator[str]:
    for each in series:
        step = each.tile.ms // 1000
        events = each.events_per_second * step
        head = _head(name, each.labels)
        # At multiples of the tile since 1970, where subqueries look.
        last = now // step * step
        for time in range(last - each.period.ms // 1000, last + 1, step):
            share = each.error_ratio(Duration((now - time) * 1000)) if counted == "errors" else 1
            yield f"{head} {float(share * events)!r} {time}\n"


def _base(name: str, counted: str, series: Iterable[Recorded], now: int) -> Iterator[str]:
    for each in series:
        share = HEALTHY if counted == "errors" else 1
        line = f"{_head(name, each.labels)} {float(share * each.events_per_second)!r}"
        for time in range(now - RECORDED.ms // 1000, now - GAP.ms // 1000, BASE_STEP.ms // 1000):
            yield f"{line} {time}\n"


def _head(name: str, labels: Mapping[str, str]) -> str:
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"
