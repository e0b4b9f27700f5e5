"""What the rules say of each world on one version of Prometheus, beside what is true.

`PYTHONPATH=tests:examples python -m oracle.measure [SUITE...]` prints the tables of
docs/accuracy.md.
"""

from __future__ import annotations

import math
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from cases import tool
from oracle.engine import Result
from oracle.sloth import ALERT
from oracle.streams import HOUR, MINUTE, Scenario
from oracle.truth import WINDOWS, breaks, count_error, is_idle, ratio_error, row
from oracle.worlds import (
    LOOK,
    MONTH,
    MORE_PHASES,
    ON_THE_MINUTE,
    ORIGIN,
    OUTAGE,
    OUTAGE_WORLD,
    OUTAGES,
    PHASES,
    SCENARIOS,
    SPIKE,
    SPIKE_WORLD,
    World,
)

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.render import Rule
from slo_compiler.tools import SUITES

_THRESHOLD = re.compile(r"> ([0-9.]+)")
_RESETS = Duration.of(hours=6, minutes=30)  # the longest short window, and some


@dataclass(slots=True)
class Figures:
    """The worst relative error of a scenario's windows and counts, over all moments and phases."""

    worst: dict[str, float] = field(default_factory=dict)
    not_a_number: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def note(self, what: str, error: float) -> None:
        """Keep the worst."""
        self.worst[what] = max(error, self.worst.get(what, 0.0))


@dataclass(frozen=True, slots=True)
class Lateness:
    """How many seconds after theory an alert fired and was over, and how often it paused."""

    phase: str
    slo: str
    tier: str
    severity: str
    fired: float
    over: float
    pauses: int


def month(suite: str) -> dict[str, Figures]:
    """Play the month, and compare every ratio and count, by scenario."""
    figures = {scenario.name: Figures() for scenario in SCENARIOS}
    world = World(SCENARIOS, PHASES, MONTH, only={"aligned": ON_THE_MINUTE})
    with (
        tempfile.TemporaryDirectory() as folder,
        world.played(tool(suite, "prometheus"), Path(folder)) as replays,
    ):
        for phase, replay in replays.items():
            start, end, step = LOOK
            looked = replay.look(ORIGIN + start, ORIGIN + end, step)
            results = {rule.name: result for rule, result in looked.items() if not rule.alert}
            for scenario in world.of(phase):
                _compare(scenario, results, figures[scenario.name])
    return figures


def spike(suite: str, scrape: int, evaluation: int) -> tuple[float, float]:
    """Give what the rules count of the spike's events and errors, as shares of what there were."""
    world = World((SPIKE,), PHASES, SPIKE_WORLD, scrape, evaluation)
    counted: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        world.played(tool(suite, "prometheus"), Path(folder)) as replays,
    ):
        at = SPIKE_WORLD - 30 * MINUTE
        looked = replays["offset"].look(ORIGIN + at, ORIGIN + SPIKE_WORLD, HOUR)
        for rule, result in looked.items():
            if rule.name.endswith("increase30d"):
                ((_, counted[rule.name]),) = row(result, SPIKE.name)
    events, errors = SPIKE.stream.counted(at)
    names = (naming.increase(which, Duration.of(days=30)) for which in ("events", "errors"))
    of_events, of_errors = (counted[name] for name in names)
    return of_events / events, of_errors / errors


def _compare(scenario: Scenario, results: dict[str, Result], figures: Figures) -> None:
    for name, result in results.items():
        if any(math.isnan(value) for _, value in row(result, scenario.name)):
            figures.not_a_number.append(name)
    for window in WINDOWS:
        name = naming.error_ratio(Duration.parse(window))
        samples = dict(row(results[name], scenario.name))
        start, end, step = LOOK
        for at, value in samples.items():
            figures.note(window, ratio_error(scenario, window, at, value))
        seen = {at - (at - start) % step for at in samples}
        for at in range(start, end - step, step):
            if at not in seen and not is_idle(scenario, window, at) and not scenario.is_down(at):
                figures.missing.append(f"{name} at {at}")
    for which, counted in enumerate(("events", "errors")):
        result = results[naming.increase(counted, Duration.of(days=30))]
        for at, value in row(result, scenario.name):
            figures.note(counted, count_error(scenario, which, at, value))


def outages(suite: str) -> list[Lateness]:
    """Play the outages, and compare each alert's moments with theory, over all phases."""
    return [_lateness(*each) for each in _alerts(suite)]


def first_alerts(suite: str, *, sloth: bool = False) -> dict[tuple[str, str], list[float]]:
    """Play the outages, and give how many seconds after their start the first alert fired.

    By severity and SLO, in each phase; `sloth` asks rules of Sloth's shape.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for phase, rule, result, _interval in _alerts(suite, sloth=sloth):
        labels = dict(rule.labels)
        slo = labels[naming.SLO]
        at = (row(result, slo)[0][0] - OUTAGE[0]) / 1000
        firsts = found.setdefault((labels[naming.SEVERITY], slo), {})
        firsts[phase] = min(at, firsts.get(phase, at))
    return {key: [*firsts.values()] for key, firsts in found.items()}


def _alerts(suite: str, *, sloth: bool = False) -> Iterator[tuple[str, Rule, Result, int]]:
    """Give each burn alert's phase, what it returned in the outages, and its interval."""
    world = World(OUTAGES, MORE_PHASES, OUTAGE_WORLD, sloth=sloth)
    with (
        tempfile.TemporaryDirectory() as folder,
        world.played(tool(suite, "prometheus"), Path(folder)) as replays,
    ):
        for phase, replay in replays.items():
            start, end = OUTAGE
            looked = replay.look(ORIGIN + start - 600_000, ORIGIN + end + _RESETS.ms)
            for rule, result in looked.items():
                if rule.name in {naming.ALERT_BURN, ALERT}:
                    yield phase, rule, result, replay.interval(rule)


def _lateness(phase: str, rule: Rule, result: Result, interval: int) -> Lateness:
    labels = dict(rule.labels)
    slo = labels[naming.SLO]
    match = _THRESHOLD.search(rule.expr)
    assert match
    threshold, ratio = Fraction(match[1]), Fraction(1, int(slo.partition("-")[2]))
    moments = [at for at, _ in row(result, slo)]
    assert moments, f"{phase}: {labels[naming.TIER]} of {slo} never fired"
    start, end = OUTAGE
    long = Duration.parse(labels[naming.LONG_WINDOW])
    short = Duration.parse(labels[naming.SHORT_WINDOW])
    fired = (moments[0] - start) / 1000 - burn.detection_time(long, threshold, ratio)
    over = (moments[-1] + interval - end) / 1000 - burn.reset_time(short, threshold, ratio)
    return Lateness(
        phase,
        slo,
        labels[naming.TIER],
        labels[naming.SEVERITY],
        fired,
        over,
        len([*breaks(moments, interval)]),
    )


def _tables(suites: Iterable[str]) -> Iterator[str]:
    """Print what was measured as Markdown."""
    months = {suite: month(suite) for suite in suites}
    columns = (*WINDOWS, "events", "errors")
    yield "| scenario | version | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 2) + "|"
    versions = {suite.name: suite.prometheus for suite in SUITES}
    for scenario in SCENARIOS:
        for suite, figures in months.items():
            own = figures[scenario.name]
            cells = (f"{100 * own.worst[c]:.3f} %" if c in own.worst else "-" for c in columns)
            yield f"| {scenario.name} | {versions[suite]} | " + " | ".join(cells) + " |"
            for trouble in (*own.not_a_number, *own.missing[:3]):
                yield f"<!-- {scenario.name}: {trouble} -->"
    yield ""
    yield "| tier | version | fired after theory: least, median, most | over after theory |"
    yield "|---|---|---|---|"
    for suite in suites:
        all_ = outages(suite)
        for tier in dict.fromkeys(each.tier for each in all_):
            fired = sorted(each.fired for each in all_ if each.tier == tier)
            over = sorted(each.over for each in all_ if each.tier == tier)
            cells = (
                ", ".join(f"{s:.0f} s" for s in (row_[0], row_[len(row_) // 2], row_[-1]))
                for row_ in (fired, over)
            )
            yield f"| {tier} | {versions[suite]} | " + " | ".join(cells) + " |"
    yield ""
    yield "| first alert | version | ours, seconds after the start | Sloth's shape |"
    yield "|---|---|---|---|"
    for suite in suites:
        theirs = first_alerts(suite, sloth=True)
        for key, ours in first_alerts(suite).items():
            spans = (f"{min(each):.0f} to {max(each):.0f}" for each in (ours, theirs[key]))
            yield f"| {' '.join(key)} | {versions[suite]} | " + " | ".join(spans) + " |"


if __name__ == "__main__":
    for line in _tables(sys.argv[1:] or [suite.name for suite in SUITES]):
        print(line)  # noqa: T201 - a script
