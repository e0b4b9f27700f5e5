"""Calendar budgets on real Prometheus servers: where periods begin, and midnights without one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from cases import compiled as compiled_case
from cases import tool
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.engine import Engine, Replay, Result, Steps, engine
from oracle.streams import DAY, HOUR, MINUTE, SECOND, Scenario, Stream
from oracle.truth import row

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.period import CALENDARS, Period
from slo_compiler.plan import burn
from slo_compiler.proofs import run as prove
from slo_compiler.proofs.generate.calendar import EVALUATION
from slo_compiler.render import Rule, TenantRules
from slo_compiler.source import SourceFile

SUITES = ("bookworm", "forky")  # 2.42 and 3.5
OFFSETS = (-720, -570, -210, -60, 0, 15, 60, 330, 345, 525, 765, 840)  # minutes
RATE = 100  # events per second


def compiled(tenant: str, slos: list[dict[str, object]]) -> TenantRules:
    """Compile SLOs of one tenant, without isolation."""
    report = Report()
    project = {
        "apiVersion": "slo-compiler/v1",
        "kind": "Project",
        "spec": {
            "isolation": "none",
            "alertmanager": {"heartbeat": {"webhook": {"url": "http://d"}}},
        },
    }
    manifest = {
        "apiVersion": "slo-compiler/v1",
        "kind": "Tenant",
        "metadata": {"name": tenant, "owner": "oracle"},
        "spec": {
            "channels": [{"name": "hook", "webhook": {"url": "http://hooks.internal/oracle"}}],
            "escalation": [{"severity": s, "notify": ["hook"]} for s in ("page", "ticket")],
            "slos": [{"service": "oracle", "objective": 99.9, **slo} for slo in slos],
        },
    }
    file, source = (
        SourceFile(f"{name}.yaml", f"{name}.yaml", yaml.safe_dump(document).encode())
        for name, document in (("project", project), (tenant, manifest))
    )
    settings_ = pipeline.parse_project(file, Path(__file__).parent, report)
    (rules,) = pipeline.plan_project(settings_, [source], report).rules
    return rules


def written(period: Period) -> dict[str, str]:
    return {"calendar": period.calendar, "utc_offset": period.offset}


@pytest.fixture(scope="module")
def periods() -> dict[Period, tuple[str, str]]:
    """Give the start and the elapsed share of each calendar at each offset, as expressions."""
    found = {}
    query = {"ratio": {"errors": "errors_total", "total": "requests_total"}}
    for offset in OFFSETS:
        three = [Period.of_calendar(calendar, offset) for calendar in CALENDARS]
        slos: list[dict[str, object]] = [
            {"name": period.calendar, "period": written(period), "sli": query} for period in three
        ]
        rules = {
            (rule.name, dict(rule.labels).get(naming.PERIOD)): rule
            for group in compiled("zones", slos).groups
            for rule in group.rules
        }
        for period in three:
            start = rules[naming.PERIOD_START, period.calendar].expr
            labels = f'tenant="zones",period="{period}",utc_offset="{period.offset}"'
            recorded = f"{naming.PERIOD_START}{{{labels}}}"
            elapsed = rules[naming.PERIOD_ELAPSED, period.calendar].expr
            assert recorded in elapsed
            found[period] = start, elapsed.replace(recorded, f"({start})")
    return found


@pytest.fixture(scope="module", params=SUITES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with engine(tool(request.param, "prometheus"), tmp_path_factory.mktemp("server")) as client:
        yield client


def by_the_calendar(period: Period, at: int) -> tuple[int, int]:
    """Find a period's first second and the first one after it, day by day."""
    zone = timezone(timedelta(minutes=period.utc_offset))
    first = datetime.fromtimestamp(at, zone).replace(hour=0, minute=0, second=0)
    begins = {
        "week": lambda day: day.weekday() == 0,
        "month": lambda day: day.day == 1,
        "quarter": lambda day: day.day == 1 and day.month in {1, 4, 7, 10},
    }[period.calendar]
    while not begins(first):
        first -= timedelta(days=1)
    after = first + timedelta(days=1)
    while not begins(after):
        after += timedelta(days=1)
    return int(first.timestamp()), int(after.timestamp())


PERIODS = st.builds(Period.of_calendar, st.sampled_from(CALENDARS), st.sampled_from(OFFSETS))
ANY_TIME = st.integers(0, 4_102_444_800)  # to 2100, which is no leap year, and so to its end
BEGINNINGS = st.builds(
    lambda year, month, hour, second: (
        int(datetime(year, month, 1, tzinfo=UTC).timestamp()) + hour * 900 + second
    ),
    st.one_of(st.integers(1971, 2105), st.sampled_from([2000, 2024, 2100, 2104])),
    st.integers(1, 12),
    st.integers(-60, 60),
    st.integers(-1, 1),
)


@given(st.data())
@settings(max_examples=300)
def test_prometheus_finds_the_start_and_the_share_of_each_period(
    server: Engine, periods: dict[Period, tuple[str, str]], data: st.DataObject
) -> None:
    """At any second of a century and at each beginning of a month, in zones from -12 to +14."""
    period, at = data.draw(PERIODS), data.draw(ANY_TIME | BEGINNINGS)
    first, after = by_the_calendar(period, at)
    assert period.bounds(at) == (first, after)
    start, elapsed = (_value(server.ask(expr, _moment(at))) for expr in periods[period])
    assert start == first
    assert elapsed == pytest.approx((at - first) / (after - first), abs=1e-12)


def _moment(at: int) -> Steps:
    return Steps(at * SECOND, at * SECOND, SECOND)


def _value(result: Result) -> float:
    ((_, samples),) = result.items()
    ((_, value),) = samples
    return value


MUTANTS = {
    "periods-of-each-step": (r" @ end\(\)", ""),
    "the-tile-before-counts": (r"< time\(\)", "<= time()"),
    "tiles-of-other-times": (r" offset 45m", ""),
    "a-month-begins-late": (r"\+ 1\n +- day_of_month", "+ 2\n - day_of_month"),
    "a-month-of-another-zone": (r"\) - 3600", ")"),
    "a-quarter-begins-late": (r"62\n", "63\n"),
    "a-longer-week": (r"\}\) / 604800", "}) / 604000"),
    "a-shorter-month": (r"86400 \* days_in_month", "86000 * days_in_month"),
    "a-shorter-quarter": (r"\+ 6500700", "+ 3908700"),
    "no-budget-at-the-start": (r"or\n +0 \* slo:events:increase_month.*\n", ""),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutated_calendar_fails_a_generated_test(name: str, tmp_path: Path) -> None:
    pattern, replacement = MUTANTS[name]
    for artefact in compiled_case("calendar").artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    rules = tmp_path / naming.rules_file("calendar")
    original = rules.read_text(encoding="utf-8")
    mutated = re.sub(pattern, replacement, original)
    assert mutated != original
    rules.write_text(mutated, encoding="utf-8")
    test = tmp_path / naming.unit_test_file("calendar", EVALUATION)
    assert prove.unit_job(tool("forky", "promtool"), test)().failures, f"{name} survives"


# --- A midnight without Prometheus


@dataclass(frozen=True, slots=True)
class Midnight:
    """A calendar's boundary, and when Prometheus is down around it: milliseconds since 1970."""

    name: str
    period: Period
    boundary: int
    down: tuple[int, int]  # from and to, beside the boundary

    def scenario(self, origin: int, length: int) -> Scenario:
        """Ten budgets of errors until the boundary, one budget of errors after it."""
        boundary = self.boundary - origin
        share, before = Fraction(1, 1000), Fraction(1, 100)
        stream = Stream(length, lambda _at: RATE, share, [(0, boundary, before)])
        down = (boundary + self.down[0], boundary + self.down[1])
        return Scenario(self.name, stream, down=(down,))


def utc(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * SECOND  # type: ignore[arg-type]


LONG, SHORT = (-13 * MINUTE, 41 * MINUTE), (-2 * MINUTE, 3 * MINUTE)
MARCH, APRIL = utc(2024, 3, 1), utc(2024, 4, 1)  # after a leap day; a Monday and a quarter's first
MIDNIGHTS = {
    MARCH: (
        Midnight("month", Period.of_calendar("month"), MARCH, LONG),
        Midnight("short", Period.of_calendar("month"), MARCH, SHORT),
        Midnight("east", Period.of_calendar("month", 60), MARCH - HOUR, LONG),
        Midnight("west", Period.of_calendar("month", -210), MARCH + 210 * MINUTE, LONG),
    ),
    APRIL: (
        Midnight("week", Period.of_calendar("week"), APRIL, LONG),
        Midnight("month", Period.of_calendar("month"), APRIL, LONG),
        Midnight("quarter", Period.of_calendar("quarter"), APRIL, LONG),
        Midnight("nepal", Period.of_calendar("quarter", 345), APRIL - 345 * MINUTE, LONG),
    ),
}
PHASES = {"aligned": lambda _group: 0, "staggered": lambda group: 7_301 + 1_033 * group}
ROUND = 5 * MINUTE  # in which every rule is evaluated once


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("midnight", MIDNIGHTS, ids=["leap-day", "all-at-once"])
def test_a_budget_starts_over_at_a_midnight_at_which_prometheus_is_down(
    midnight: int, suite: str, tmp_path: Path
) -> None:
    """Before, at once, and half a day after: what it counts is what there was to be counted.

    A tile may lag by an evaluation of 2m30s, the first rate after a start needs a minute: 240 s of
    traffic, and no more. After a short gap Prometheus takes the last rate before it for up to five
    minutes more, as in every window, so that errors of yesterday may seem to be today's.
    """
    origin, length = midnight - 2 * DAY, 3 * DAY
    cases = MIDNIGHTS[midnight]
    with engine(tool(suite, "prometheus"), tmp_path) as client:
        scenarios = {case: case.scenario(origin, length) for case in cases}
        slos: list[dict[str, object]] = [
            {
                "name": case.name,
                "period": written(case.period),
                "sli": yaml.safe_load(scenarios[case].sli),
            }
            for case in cases
        ]
        down = {
            case.name: tuple((origin + start, origin + end) for start, end in scenarios[case].down)
            for case in cases
        }
        replays = [
            Replay(client, compiled(name, slos), origin, phase, down)
            for name, phase in PHASES.items()
        ]
        looks = sorted(
            {case.boundary + beside for case in cases for beside in (-HOUR, *_after(case))}
        )
        at = 0
        for look in looks:
            end = look + ROUND - origin
            for scenario in scenarios.values():
                client.write(
                    (labels, [(origin + t, value) for t, value in samples])
                    for labels, samples in scenario.counters(at, end, 15 * SECOND)
                )
            at = end
            for replay in replays:
                replay.advance(look + ROUND - 1)
                found = {r.name: result for r, result in _look(replay, look).items() if not r.alert}
                for case in cases:
                    if look == case.boundary - HOUR or look - case.boundary in _after(case):
                        _compare(case, scenarios[case], found, look, origin)


def _after(case: Midnight) -> tuple[int, ...]:
    """Look at the first evaluations after Prometheus is back, and then at whole tiles."""
    back = -(-case.down[1] // ROUND) * ROUND + 2 * ROUND
    return back, 4 * HOUR, 12 * HOUR


def _look(replay: Replay, at: int) -> dict[Rule, Result]:
    return replay.look(at, at + ROUND - 1, ROUND)


def _compare(
    case: Midnight, scenario: Scenario, found: dict[str, Result], at: int, origin: int
) -> None:
    tile, lag = burn.period_tile(case.period).ms, burn.tile_lag(case.period).ms
    counted_to = at // tile * tile - lag
    start = case.period.bounds(at // SECOND)[0] * SECOND
    assert (start == case.boundary) == (at >= case.boundary)
    start = max(start, origin)
    ((down, up),) = scenario.down
    truth = [0, 0]
    for begin, end in (
        (start, min(counted_to, origin + down)),
        (max(start, origin + up), counted_to),
    ):
        if end > begin:
            events, errors = scenario.stream.within(begin - origin, end - origin)
            truth = [truth[0] + events, truth[1] + errors]
    names = [naming.increase(which, case.period) for which in ("events", "errors")]
    ((_, events_),), ((_, errors_),) = (row(found[name], case.name) for name in names)
    share = Fraction(1, 100) if at < case.boundary else Fraction(1, 1000)
    traffic, yesterdays = 240 * RATE, 0
    if case.down == SHORT and at > case.boundary:
        traffic, yesterdays = 5 * 60 * RATE, 5 * 60 * RATE // 100
    assert events_ == pytest.approx(truth[0], abs=traffic), case
    assert errors_ == pytest.approx(truth[1], abs=float(traffic * share) + yesterdays), case
    ((_, left),) = row(found[naming.BUDGET_REMAINING], case.name)
    first, after = by_the_calendar(case.period, at // SECOND)
    elapsed = (at // SECOND - first) / (after - first)
    pace = errors_ / events_ * 1000 if events_ else 0
    assert left == pytest.approx(1 - pace * elapsed, abs=1e-3), case
    assert (left < -8) if at < case.boundary else (left > 0.9), case
