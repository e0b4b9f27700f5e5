"""What is taken out of the budget: the right moments, in UTC, and all that happens in them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
import yaml
from cases import ROOT, compile_whole, compiled, tool
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import worlds
from oracle.engine import Engine, Replay, Steps, engine
from oracle.streams import DAY, HOUR, MINUTE, Scenario, Stream
from oracle.truth import BEHIND, row
from oracle.worlds import EVALUATION, MONTH, ORIGIN, PHASES, SCRAPE
from pydantic import ValidationError

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.naming import ALERT_EXCLUSION_ENDS as ALERT
from slo_compiler.naming import EXCLUSION_ACTIVE, EXCLUSION_SCHEDULED
from slo_compiler.recurrence import Pattern, weekly, zone
from slo_compiler.render.base import active
from slo_compiler.schema import Exclusion
from slo_compiler.schema.hours import DAYS
from slo_compiler.source import SourceFile

BASE_RANGE = 75  # seconds


# --- moments


def minute(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def once(start: str, end: str, location: str) -> tuple[Pattern, ...]:
    fields = {"name": "x", "from": start, "to": end, "location": location}
    return Exclusion.model_validate(fields).patterns


def test_a_night_in_which_the_clocks_are_put_forward_is_an_hour_shorter() -> None:
    (pattern,) = once("2026-03-28 22:00", "2026-03-29 06:00", "Europe/Berlin")
    assert (pattern.start, pattern.length) == (minute("2026-03-28 21:00"), 7 * 3600)


def test_a_recurrence_is_one_pattern_for_each_stretch_between_changes_of_the_clocks() -> None:
    """Sundays from 02:00 to 04:00 in Berlin, but for the two on which the clocks change.

    In spring the hour from 02:00 on is left out, in autumn it comes twice: one hour, and three.
    """
    patterns = weekly([0], [(120, 240)], date(2026, 1, 1), date(2026, 12, 31), "Europe/Berlin")
    assert patterns == (
        Pattern(minute("2026-01-04 01:00"), 7200, count=12),
        Pattern(minute("2026-03-29 01:00"), 3600),
        Pattern(minute("2026-04-05 00:00"), 7200, count=29),
        Pattern(minute("2026-10-25 00:00"), 3600),
        Pattern(minute("2026-10-25 01:00"), 7200, count=10),
    )


def test_what_recurs_on_all_days_is_one_pattern_and_not_seven() -> None:
    patterns = weekly(range(7), [(0, 60)], date(2026, 1, 1), date(2026, 1, 31), "Asia/Kolkata")
    assert [(p.every, p.count) for p in patterns] == [(86_400, 31)]


ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"),
    *("Africa/Casablanca", "Pacific/Chatham"),  # twice a year around Ramadan; 45 minutes
)
FIRST, LAST = date(2026, 1, 15), date(2027, 1, 10)


@st.composite
def recurrences(draw: st.DrawFn) -> dict[str, object]:
    times = []
    for start in sorted(draw(st.sets(st.integers(0, 23), min_size=1, max_size=3))):
        begin = start * 60 + draw(st.sampled_from([0, 1, 15, 30]))
        end = min(begin + draw(st.integers(1, 90)), 24 * 60)
        times.append(f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}")
    first = draw(st.dates(FIRST, LAST - timedelta(days=14)))
    return {
        "name": "x",
        "weekdays": sorted(draw(st.sets(st.sampled_from(DAYS), min_size=1, max_size=7))),
        "times": times,
        "location": draw(st.sampled_from(ZONES)),
        "from": first.isoformat(),
        "until": min(LAST, first + timedelta(days=draw(st.integers(14, 400)))).isoformat(),
    }


@pytest.fixture(scope="module", params=["bookworm", "forky"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("prometheus")
    with engine(tool(request.param, "prometheus"), folder) as running:
        yield running


def test_the_expression_agrees_with_the_clocks_on_the_wall(server: Engine) -> None:
    """A year of random moments, and each minute around the changes of the clocks."""

    @settings(max_examples=15)
    @given(recurrences(), st.integers(0, 4_999))
    def check(fields: dict[str, object], offset: int) -> None:
        patterns = Exclusion.model_validate(fields).patterns
        expr = active(patterns, Duration.of(seconds=BASE_RANGE))
        shows = wall(fields)
        start = minute(f"{FIRST}") + offset
        spans = [Steps(start * 1000, (start + 366 * 86_400) * 1000, 4_999_000)]
        spans += [
            Steps((change - 9000) * 1000, (change + 9000) * 1000, 29_000)
            for change in changes(str(fields["location"]))
        ]
        for steps in spans:
            found = server.ask(expr, steps)
            assert {*found} <= {()}
            assert {value for _, value in found.get((), [])} <= {1.0}
            moments = {at // 1000 for at, _ in found.get((), [])}
            wanted = {
                at
                for at in range(steps.start // 1000, steps.end // 1000 + 1, steps.step // 1000)
                if any(map(shows, range((at - BASE_RANGE) // 60, at // 60 + 1)))
            }
            assert moments == wanted

    check()


def wall(fields: dict[str, object]) -> Callable[[int], bool]:
    clocks = zone(str(fields["location"]))

    @cache
    def shows(number: int) -> bool:
        local = datetime.fromtimestamp(number * 60, clocks)
        clock = f"{local:%H:%M}"
        return (
            str(fields["from"]) <= f"{local:%Y-%m-%d}" <= str(fields["until"])
            and DAYS[local.isoweekday() % 7] in fields["weekdays"]  # type: ignore[operator]
            and any(t[:5] <= clock < t[6:] for t in fields["times"])  # type: ignore[attr-defined]
        )

    return shows


@cache
def changes(location: str) -> list[int]:
    """Give the moments of a year and some at which the clocks change, to the minute."""
    clocks = zone(location)
    start = minute(f"{FIRST}") // 60

    def offset(number: int) -> timedelta | None:
        return datetime.fromtimestamp(number * 60, clocks).utcoffset()

    days = [d for d in range(start, start + 366 * 1440, 1440) if offset(d) != offset(d + 1440)]
    return [
        next(m for m in range(day, day + 1440) if offset(m) != offset(m + 1)) * 60 + 60
        for day in days
    ]


def test_an_alert_fires_two_weeks_before_a_recurrence_runs_out(server: Engine) -> None:
    """Of Sundays in 2026 the last ends on 27 December at 03:00 in UTC; it fires afterwards, too."""
    (rule,) = (r for r in compiled("exclusions").rules[0].alerts if r.name == ALERT)
    last = minute("2026-12-27 03:00")
    steps = Steps((last - 15 * 86_400) * 1000, (last + 3600) * 1000, 3_600_000)
    ((_, row_),) = server.ask(rule.expr, steps).items()
    assert row_[0] == ((last - 14 * 86_400 + 3600) * 1000, 14 * 86_400 - 3600)
    assert row_[-1] == ((last + 3600) * 1000, -3600)
    assert dict(rule.labels)["severity"] == "ticket"


def test_an_exclusion_of_the_project_is_for_all_tenants() -> None:
    report = Report()
    project = yaml.safe_dump(
        {
            "apiVersion": "slo-compiler/v1",
            "kind": "Project",
            "spec": {
                "exclusions": [{"name": "x", "from": "2026-12-24 00:00", "to": "2026-12-26 00:00"}]
            },
        }
    )
    file = SourceFile("p.yaml", "p.yaml", project.encode())
    text = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
    sources = [
        SourceFile(f"{name}.yaml", f"{name}.yaml", text.replace("acme", name).encode())
        for name in ("one", "two")
    ]
    found = compile_whole(pipeline.parse_project(file, ROOT, report), sources, report)
    recorded = {
        dict(rule.labels)["tenant"]
        for tenant in found.rules
        for group in tenant.groups
        for rule in group.rules
        if rule.name == EXCLUSION_ACTIVE and dict(rule.labels)["exclusion"] == "x"
    }
    assert recorded == {"one", "two"}
    assert not [rule for tenant in found.rules for rule in tenant.alerts if rule.name == ALERT]


@pytest.mark.parametrize("suite", ["bookworm", "forky"])
@pytest.mark.parametrize("count", [1, 3])
def test_the_rules_themselves_stop_counting_and_start_again(
    suite: str, count: int, tmp_path: Path
) -> None:
    """The generated proof, with an exclusion of its time in place of what the proof feeds.

    So the rules decide at what moment of promtool's they are active, and the marker of the end is
    seen within the same evaluation.
    """
    files = {artefact.path: artefact.text for artefact in compiled("exclusions").artefacts}
    rules = yaml.safe_load(files[naming.rules_file("exclusions")])
    expr = active((Pattern(15 * 60, 30 * 60, count=count),), Duration.of(seconds=BASE_RANGE))
    for group in rules["groups"]:
        for rule in group["rules"]:
            if rule.get("record") == EXCLUSION_SCHEDULED:
                rule["expr"] = expr
    proofs = yaml.safe_load(files["prometheus/tests/exclusions_1m.yml"])
    (proof,) = (test for test in proofs["tests"] if "nothing counts while" in test["name"])
    fed = [each for each in proof["input_series"] if EXCLUSION_SCHEDULED not in each["series"]]
    assert len(fed) < len(proof["input_series"])
    proofs |= {"rule_files": ["rules.yml"], "tests": [proof | {"input_series": fed}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    (tmp_path / "test.yml").write_text(yaml.safe_dump(proofs), encoding="utf-8")
    command = [tool(suite, "promtool"), "test", "rules", "test.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_most_that_a_manifest_may_declare_is_decided_at_once() -> None:
    fields = {
        "name": "x",
        "weekdays": [*DAYS[:6]],
        "times": [f"{hour:02}:00-{hour:02}:30" for hour in range(24)],
        "from": "2026-01-01",
        "until": "2028-12-31",
    }
    with pytest.raises(ValidationError, match="144 patterns"):
        Exclusion.model_validate(fields)


# --- counts

_START = datetime.fromtimestamp(ORIGIN / 1000, UTC)  # 2023-11-15, in winter
_SUNDAYS = tuple(
    (day * DAY + HOUR, day * DAY + 3 * HOUR)  # 02:00-04:00 in Berlin
    for day in range(MONTH // DAY)
    if (_START + timedelta(days=day)).isoweekday() == 7
)
_UPGRADE = (20 * DAY + 20 * HOUR + 30 * MINUTE, 21 * DAY + 45 * MINUTE)
EXCLUDED = (*_SUNDAYS, _UPGRADE)
EXCLUSIONS = [
    {
        "name": "patching",
        "weekdays": ["sunday"],
        "times": ["02:00-04:00"],
        "location": "Europe/Berlin",
        "from": "2023-11-01",
        "until": "2023-12-31",
    },
    {
        "name": "upgrade",
        "from": "2023-12-05 20:30",
        "to": "2023-12-06 00:45",
        "slos": ["oracle/counted", "oracle/gone"],
    },
]
_INCIDENT = (11 * DAY + 9 * HOUR, 11 * DAY + 10 * HOUR, Fraction(3, 10))
_STREAM = Stream(
    MONTH,
    lambda at: 300 if any(start <= at < end for start, end in EXCLUDED) else 100,
    Fraction(1, 1000),
    [_INCIDENT, *((start, end, Fraction(2, 5)) for start, end in EXCLUDED)],
    every=15 * MINUTE,
)
WORLD = (
    Scenario("counted", _STREAM),
    Scenario("gone", _STREAM, lost=lambda n: any(a <= n * SCRAPE < b for a, b in EXCLUDED)),
    Scenario("half", _STREAM),  # without the upgrade
)


def truth(at: int, excluded: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """Count events and errors of the last 30 days, without those of the exclusions."""
    since = at - 30 * DAY
    whole = _STREAM.within(max(0, since), at)
    for start, end in excluded:
        part = (
            _STREAM.within(max(start, since), min(end, at))
            if start < at and end > since
            else (0, 0)
        )
        whole = whole[0] - part[0], whole[1] - part[1]
    return whole


@pytest.mark.parametrize(("suite", "phase"), [("bookworm", "offset"), ("forky", "aligned")])
def test_a_month_counts_nothing_of_its_exclusions(suite: str, phase: str, tmp_path: Path) -> None:
    """To 0.05 %, where each exclusion has hundreds of times the errors of the rest.

    A minute of one of them would be 2 % of the month's errors. What is lost is up to two minutes of
    clean traffic after each.
    """
    (rules,) = worlds.compiled([phase], WORLD, SCRAPE, EVALUATION, {"exclusions": EXCLUSIONS})
    with engine(tool(suite, "prometheus"), tmp_path) as server:
        replay = Replay(server, rules, ORIGIN, PHASES[phase])
        for start in range(0, MONTH, DAY // 2):
            server.write(
                (labels, [(ORIGIN + at, value) for at, value in samples])
                for scenario in WORLD
                for labels, samples in scenario.counters(start, start + DAY // 2, SCRAPE)
            )
            replay.advance(ORIGIN + start + DAY // 2 - 1)
        looked = replay.look(ORIGIN + 12 * DAY, ORIGIN + MONTH - 1, 2 * HOUR)
        results = {rule.name: result for rule, result in looked.items() if not rule.alert}
    for scenario, excluded in (
        ("counted", EXCLUDED),
        ("gone", EXCLUDED),
        ("half", _SUNDAYS),
    ):
        counted = {
            of: dict(row(results[f"slo:{of}:increase30d"], scenario)) for of in ("events", "errors")
        }
        for at in counted["errors"]:
            exact = [
                truth(end, excluded) for end in range(at - 10 * MINUTE - BEHIND, at + 1, 10_000)
            ]
            for number, of in enumerate(("events", "errors")):
                low, high = min(e[number] for e in exact), max(e[number] for e in exact)
                assert low * 0.9995 <= counted[of][at] <= high * 1.0005, (scenario, of, at)
        assert len(counted["errors"]) > 200
