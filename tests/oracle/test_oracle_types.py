"""Each SLI type and way of budgeting against a truth that is counted in whole numbers.

Two days of samples go to a real Prometheus; the compiled rules are evaluated over them; the counts
and the ratio of the period must be those of the samples, up to what a tile may lag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from cases import tool
from oracle.engine import Engine, Replay, engine
from oracle.natives import Histogram, native_series
from oracle.streams import DAY, HOUR, MINUTE, SECOND, Labels
from oracle.worlds import ORIGIN

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.render import TenantRules
from slo_compiler.source import SourceFile

SCRAPE, LENGTH = 15 * SECOND, 2 * DAY
SCRAPED = ORIGIN - 4_211  # no scrape is on the millisecond of an evaluation
AT = LENGTH - HOUR  # when the period is looked at; nothing fails in the last hours
LAG = 15 * MINUTE  # a tile of 10m, and the evaluations up to it

# Incidents in whole minutes, so that slices are good or bad as a whole where that is wanted.
INCIDENTS = tuple(
    (start * MINUTE, (start + length) * MINUTE)
    for start, length in ((70, 5), (300, 61), (1400, 2), (2000, 240))
)


def failing(at: int) -> bool:
    """Is there an incident in the minute that ends with, or contains, this moment?"""
    return any(start < at <= end for start, end in INCIDENTS)


def idle(at: int) -> bool:
    """Is there no traffic? From 14:00 to 16:00."""
    return 14 * HOUR < at % DAY <= 16 * HOUR


Value = Callable[[int], float]


@dataclass(frozen=True, slots=True)
class Gauge:
    """A series of samples, one each scrape."""

    labels: Labels
    value: Value

    def samples(self) -> list[tuple[int, float]]:
        return [(SCRAPED + at, self.value(at)) for at in range(SCRAPE, LENGTH + 1, SCRAPE)]


def series(name: str, **labels: str) -> Labels:
    return tuple(sorted({"__name__": name, **labels}.items()))


def counter(labels: Labels, per_scrape: Callable[[int], int]) -> Gauge:
    """A counter that grows by so much between the scrape before and this one."""
    total, totals = 1_000, {}
    for at in range(SCRAPE, LENGTH + 1, SCRAPE):
        total += per_scrape(at)
        totals[at] = total
    return Gauge(labels, lambda at: totals[at])


def requests(at: int) -> int:
    return 0 if idle(at) else 40


def errors(at: int) -> int:
    """A quarter fails in an incident; beside these one in 40 for two minutes of most hours."""
    if failing(at):
        return requests(at) // 4
    return requests(at) // 40 if at % HOUR <= 2 * MINUTE and at < 40 * HOUR else 0


def scrapes(until: int) -> Iterator[int]:
    return iter(range(SCRAPE, until + 1, SCRAPE))


SLOS = """
- name: availability
  sli: {availability: {gauge: 'up{job="oracle"}'}}
- name: threshold
  sli: {threshold: {query: 'age{job="oracle"}', op: "<=", value: 300}}
- name: raw
  sli: {raw: {error_ratio: 'ratio{job="oracle"}'}}
- name: native
  sli: {latency: {histogram: 'seconds{job="oracle"}', threshold: 500ms, native: true}}
- name: ratio
  sli: {ratio: {errors: 'requests_total{code="500"}', total: 'requests_total'}}
- name: slices
  sli: {ratio: {errors: 'requests_total{code="500"}', total: 'requests_total'}}
  budgeting: {timeslices: {slice: 1m, target: 95, idle: exclude}}
- name: slices-idle-bad
  sli: {ratio: {errors: 'requests_total{code="500"}', total: 'requests_total'}}
  budgeting: {timeslices: {slice: 5m, target: 97.5, idle: bad}}
- name: composite
  sli:
    composite:
      slos: [{slo: oracle/availability, weight: 3}, {slo: oracle/ratio, weight: 0.5}]
"""


@dataclass(frozen=True, slots=True)
class Truth:
    """Events and errors of the first so many milliseconds of the world."""

    events: Callable[[int], Fraction]
    errors: Callable[[int], Fraction]


def summed(per_scrape: Callable[[int], float]) -> Callable[[int], Fraction]:
    return lambda until: sum((Fraction(per_scrape(at)) for at in scrapes(until)), Fraction(0))


def sliced(length: int, is_bad: Callable[[int, int], bool | None]) -> Truth:
    """Count slices, bad ones; None is a slice that is left out."""

    def count(until: int) -> list[bool]:
        totals = []
        for end in range(length, until + 1, length):
            inner = range(end - length + SCRAPE, end + 1, SCRAPE)
            bad = is_bad(sum(map(requests, inner)), sum(map(errors, inner)))
            if bad is not None:
                totals.append(bad)
        return totals

    return Truth(lambda t: Fraction(len(count(t))), lambda t: Fraction(sum(count(t))))


PER_SCRAPE = SCRAPE // SECOND  # an event of samples is a second
UP = Truth(summed(lambda _at: 3 * PER_SCRAPE), summed(lambda at: 2 * PER_SCRAPE * failing(at)))
RATIO = Truth(summed(requests), summed(errors))
TRUTH = {
    "availability": UP,
    "threshold": Truth(summed(lambda _at: PER_SCRAPE), summed(lambda at: PER_SCRAPE * failing(at))),
    "raw": Truth(
        summed(lambda _at: PER_SCRAPE),
        summed(lambda at: Fraction(PER_SCRAPE, 4) if failing(at) else 0),
    ),
    "native": RATIO,
    "ratio": RATIO,
    "slices": sliced(MINUTE, lambda n, e: None if n == 0 else 20 * e > n),
    "slices-idle-bad": sliced(5 * MINUTE, lambda n, e: n == 0 or 40 * e > n),
    "composite": Truth(
        lambda t: 3 * UP.events(t) + RATIO.events(t) / 2,
        lambda t: 3 * UP.errors(t) + RATIO.errors(t) / 2,
    ),
}


def world() -> Iterator[Gauge]:
    """What is scraped, but for histograms."""
    for target in ("a", "b", "c"):
        yield Gauge(
            series("up", job="oracle", instance=target),
            lambda at, target=target: 0 if failing(at) and target != "c" else 1,
        )
    yield Gauge(series("up", job="other"), lambda _at: 0)
    yield Gauge(series("age", job="oracle"), lambda at: 300.5 if failing(at) else 300)
    yield Gauge(series("ratio", job="oracle"), lambda at: 0.25 if failing(at) else 0)
    yield counter(series("requests_total", code="200"), lambda at: requests(at) - errors(at))
    yield counter(series("requests_total", code="500"), errors)


def histograms() -> Iterator[Histogram]:
    """Good ones took a quarter to half a second, errors one to two; twice in two buckets each."""
    good = bad = 0
    for at in scrapes(LENGTH):
        good += requests(at) - errors(at)
        bad += errors(at)
        yield Histogram(SCRAPED + at, {-2: good / 2, -1: good / 2, 0: bad / 2, 1: bad / 2})


def compiled() -> TenantRules:
    report = Report()
    project = yaml.safe_dump(
        {
            "apiVersion": "slo-compiler/v1",
            "kind": "Project",
            "spec": {"isolation": "none", "prometheus": {"scrape_interval": "15s"}},
        }
    )
    settings = pipeline.parse_project(
        SourceFile("p.yaml", "p.yaml", project.encode()), Path(__file__).parent, report
    )
    slos = [{"service": "oracle", "objective": 99.9, **slo} for slo in yaml.safe_load(SLOS)]
    manifest = {
        "apiVersion": "slo-compiler/v1",
        "kind": "Tenant",
        "metadata": {"name": "acme", "owner": "oracle"},
        "spec": {
            "channels": [{"name": "hook", "webhook": {"url": "http://hooks.internal/oracle"}}],
            "escalation": [{"severity": s, "notify": ["hook"]} for s in ("page", "ticket")],
            "slos": slos,
        },
    }
    source = SourceFile("t.yaml", "t.yaml", yaml.safe_dump(manifest).encode())
    (rules,) = pipeline.plan_project(settings, [source], report).rules
    return rules


def written(server: Engine) -> None:
    # Histograms first: unlike floats, older versions take none of the past.
    server.write_encoded([native_series(series("seconds", job="oracle"), histograms())])
    server.write((gauge.labels, gauge.samples()) for gauge in world())


@pytest.mark.parametrize("phase", ["aligned", "offset"])
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_the_period_contains_what_was_counted(suite: str, phase: str, tmp_path: Path) -> None:
    with engine(tool(suite, "prometheus"), tmp_path) as server:
        written(server)
        phases = {"aligned": lambda _n: 0, "offset": lambda n: 7_301 + 33_107 * n}
        replay = Replay(server, compiled(), ORIGIN, phases[phase])
        replay.advance(ORIGIN + LENGTH)
        looked = replay.look(ORIGIN + AT, ORIGIN + AT + 5 * MINUTE)
    found: dict[tuple[str, str], float] = {}
    for rule, result in looked.items():
        for labels, row in result.items():
            assert all(value == value for _, value in row)  # noqa: PLR0124  (never NaN)
            found[rule.name, dict(labels).get("slo", "")] = row[-1][1]
    wrong = []
    for name, truth in TRUTH.items():
        events, errors_ = (found[f"slo:{what}:increase30d", name] for what in ("events", "errors"))
        low, high = (truth.events(AT - LAG), truth.events(AT + 5 * MINUTE))
        wanted = truth.errors(AT)
        assert truth.errors(40 * HOUR) == wanted > 0
        if not low * Fraction(999, 1000) <= events <= high * Fraction(1001, 1000):
            wrong.append(f"{name}: events {events}, {float(low)} to {float(high)}")
        # A slice is cut up to an evaluation early: at each of its ends an incident on the minute
        # may touch one more, and an idle time fill one less.
        bound = len(INCIDENTS) if name.startswith("slices") else float(wanted) / 1000
        if abs(errors_ - float(wanted)) > bound:
            wrong.append(f"{name}: errors {errors_}, {float(wanted)}")
        ratio = found["slo:error_ratio:rate30d", name]
        if abs(ratio / (errors_ / events) - 1) > 1e-9:
            wrong.append(f"{name}: ratio {ratio}, {errors_ / events}")
    assert wrong == []
