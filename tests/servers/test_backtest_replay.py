"""`slo-compiler backtest` over a month of known incidents, in a real Prometheus."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from cases import tool
from oracle.engine import Engine, engine
from oracle.streams import DAY, HOUR, MINUTE, SECOND, Scenario, Stream
from oracle.worlds import MONTH, ORIGIN, SCRAPE

from slo_compiler.backtest.engine import EngineError, HistoryEngine, started
from slo_compiler.backtest.episodes import joined
from slo_compiler.backtest.moments import History, exact
from slo_compiler.backtest.replay import replay
from slo_compiler.backtest.scope import BacktestScope, ReplayedRule
from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.render import Rule

EVALUATION = Duration.of(seconds=30)
WITHIN = 60_000  # a page is this close to the truth
TIERS = {  # of the policy sre-workbook: long window, short window, burn rate
    "page-fast": (HOUR, 5 * MINUTE, Fraction("14.4")),
    "page-slow": (6 * HOUR, 30 * MINUTE, Fraction(6)),
}


def _incident(day: int, minutes: int, share: Fraction) -> tuple[int, int, Fraction]:
    start = day * DAY + 2 * HOUR + 13 * MINUTE + 21_700
    return start, start + minutes * MINUTE + 11_300, share


INCIDENTS = (
    _incident(4, 187, Fraction(2, 5)),
    _incident(11, 95, Fraction(1)),
    _incident(16, 3, Fraction(1)),  # over before an hour has errors enough
    _incident(20, 300, Fraction(1, 10)),  # spends 6 and not 9 percent of six hours
    _incident(26, 61, Fraction(3, 10)),
)
SCENARIO = Scenario(
    "history",
    Stream(MONTH, lambda at: 20 + at // HOUR % 24 * 5, Fraction(1, 5000), INCIDENTS),
)
FROM, TO = ORIGIN + DAY, ORIGIN + 30 * DAY


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine(tool("forky", "prometheus"), tmp_path_factory.mktemp("prometheus")) as prometheus:
        for start in range(0, MONTH, DAY // 2):
            prometheus.write(
                (labels, [(ORIGIN + at, value) for at, value in samples])
                for labels, samples in SCENARIO.counters(start, start + DAY // 2, SCRAPE)
            )
        yield prometheus


def write(folder: Path, objective: float) -> Path:
    """Write a project of one SLO."""
    (folder / "tenants").mkdir(parents=True)
    project = {
        "apiVersion": "slo-compiler/v1",
        "kind": "Project",
        "spec": {
            "isolation": "none",
            "prometheus": {"scrape_interval": "15s", "evaluation_interval": str(EVALUATION)},
        },
    }
    tenant = {
        "apiVersion": "slo-compiler/v1",
        "kind": "Tenant",
        "metadata": {"name": "acme", "owner": "sre"},
        "spec": {
            "channels": [{"name": "hook", "webhook": {"url": "http://hooks.internal/acme"}}],
            "escalation": [
                {"severity": severity, "notify": ["hook"]} for severity in ("page", "ticket")
            ],
            "slos": [
                {
                    "name": "availability",
                    "service": "checkout",
                    "objective": objective,
                    "sli": yaml.safe_load(SCENARIO.sli),
                }
            ],
        },
    }
    (folder / "slo-compiler.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    (folder / "tenants/acme.yaml").write_text(yaml.safe_dump(tenant), encoding="utf-8")
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "slo_compiler.cli", "backtest", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def over(server: Engine, *more: str) -> tuple[str, ...]:
    return ("--prometheus", server.url, "--from", exact(FROM), "--to", exact(TO), *more)


def true_pages(tier: str, objective: Fraction) -> list[tuple[int, int]]:
    """Give when a tier fires by the exact counts of events, as start and end."""
    long, short, factor = TIERS[tier]
    threshold = factor * (1 - objective / 100)

    def burns(at: int, window: int) -> bool:
        events, errors = SCENARIO.stream.within(at - window, at)
        return errors > threshold * events

    step = 10 * SECOND
    moments = [at for at in range(DAY, 30 * DAY, step) if burns(at, short) and burns(at, long)]
    return [(ORIGIN + start, ORIGIN + last + step) for start, last in joined(moments, EVALUATION)]


def milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def test_backtest_of_a_month_pages_within_a_minute_of_the_truth(
    server: Engine, tmp_path: Path
) -> None:
    folder = write(tmp_path / "repo", 99)
    done = run(folder, *over(server, "--format", "json"))
    assert (done.returncode, done.stderr) == (0, "")
    (slo,) = json.loads(done.stdout)["slos"]
    for tier in TIERS:
        found = [
            (milliseconds(alert["from"]), milliseconds(alert["to"]))
            for alert in slo["alerts"]
            if alert["tier"] == tier
        ]
        true = true_pages(tier, Fraction(99))
        assert len(found) == len(true) >= 2
        for own, exactly in zip(found, true, strict=True):
            assert own[0] == pytest.approx(exactly[0], abs=WITHIN)
            assert own[1] == pytest.approx(exactly[1], abs=WITHIN)


def test_backtest_of_two_manifests_reports_what_the_change_does(
    server: Engine, tmp_path: Path
) -> None:
    folder = write(tmp_path / "repo", 98.5)
    old = write(tmp_path / "old", 99)
    done = run(folder, *over(server, "--format", "json", "--against", str(old)))
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = json.loads(done.stdout)["differences"]
    (pages,) = found["severities"]
    before, after = true_incidents(Fraction(99)), true_incidents(Fraction("98.5"))
    assert (pages["severity"], pages["old"], pages["new"]) == ("page", len(before), len(after))
    assert len(before) == len(after) + 1  # that of 10 % for five hours
    in_both = [each for each in pages["incidents"] if each["old"] and each["new"]]
    (lost,) = (each for each in pages["incidents"] if not each["new"])
    assert milliseconds(lost["from"]) == pytest.approx(before[2], abs=WITHIN)
    later = [new - old for old, new in zip([*before[:2], before[3]], after, strict=True)]
    assert min(later) > 0
    assert [1000 * each["later_seconds"] for each in in_both] == [
        pytest.approx(each, abs=WITHIN) for each in later
    ]
    assert found["summary"].startswith("98.5 instead of 99: 1 page fewer; the incident of ")


def true_incidents(objective: Fraction) -> list[int]:
    """Give when the first page of each incident fires."""
    days: dict[int, int] = {}
    for tier in TIERS:
        for start, _ in true_pages(tier, objective):
            day = start // DAY
            days[day] = min(start, days.get(day, start))
    return [days[day] for day in sorted(days)]


def test_backtest_is_text_that_states_its_resolution_and_the_history_it_lacks(
    server: Engine, tmp_path: Path
) -> None:
    folder = write(tmp_path / "repo", 99)
    to = exact(ORIGIN + 6 * DAY)
    done = run(folder, *over(server), "--to", to)
    assert (done.returncode, done.stderr) == (0, "")
    first, header, *rows, blank, resolution, note = done.stdout.splitlines()
    assert first.startswith("acme/checkout/availability: 99% over 30d; 1 page; budget left ")
    assert header.split() == ["fired", "for", "tier", "severity", "budget", "left"]
    assert [row.split()[3] for row in rows] == ["page-fast", "page-slow"]
    assert blank == ""
    assert "alerts are evaluated every 30s" in resolution
    assert "samples as stored, 15s apart." in resolution
    assert "begins at 2023-11-15 00:00" in note
    kept = [*(folder / ".slo-compiler-cache/backtest").glob("*/*")]
    again = run(folder, *over(server), "--to", to)
    assert again.stdout == done.stdout
    assert [*(folder / ".slo-compiler-cache/backtest").glob("*/*")] == kept != []


def test_backtest_of_a_metric_that_is_not_there_is_refused(server: Engine, tmp_path: Path) -> None:
    folder = write(tmp_path / "repo", 99)
    file = folder / "tenants/acme.yaml"
    text = file.read_text(encoding="utf-8").replace(SCENARIO.metric, "absent_requests_total")
    file.write_text(text, encoding="utf-8")
    done = run(folder, *over(server))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {server.url} has no sample of what the SLOs read, such as "
        'absent_requests_total{scenario="history"}\n'
        "      = is it the Prometheus that scrapes them, and does its retention reach back to "
        "--from?\n"
    )


def test_slo_whose_metric_is_not_there_is_noted_and_others_are_evaluated(
    server: Engine, tmp_path: Path
) -> None:
    folder = write(tmp_path / "repo", 99)
    file = folder / "tenants/acme.yaml"
    tenant = yaml.safe_load(file.read_text(encoding="utf-8"))
    (slo,) = tenant["spec"]["slos"]
    sli = {"ratio": {"errors": 'gone_total{code="500"}', "total": "gone_total"}}
    tenant["spec"]["slos"].append({**slo, "name": "gone", "sli": sli})
    file.write_text(yaml.safe_dump(tenant), encoding="utf-8")
    done = run(folder, *over(server), "--to", exact(FROM + DAY))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("acme/checkout/availability: 99% over 30d; nothing fired; budget ")
    assert lines[1] == "acme/checkout/gone: 99% over 30d; 1 page; budget left -"
    assert lines[3].startswith("  2023-11-16 00:00 or before  1d and on  no-data  page ")
    assert "note: acme/checkout/gone: no sample of gone_total" in lines


def one_rule(name: str, expr: str) -> BacktestScope:
    rule = ReplayedRule(Rule(name, expr, Position("m.yaml")), EVALUATION, summed=True)
    return BacktestScope((), ((rule,),), (), Duration.of(hours=1), Duration.of(hours=1))


@pytest.fixture(params=["trixie", "forky"])
def suite(request: pytest.FixtureRequest) -> str:
    """Name a toolset that has VictoriaMetrics."""
    return str(request.param)


@pytest.fixture
def store(suite: str, tmp_path: Path) -> Iterator[HistoryEngine]:
    """Start a VictoriaMetrics with a series of an hour."""
    line = {
        "metric": {"__name__": "x"},
        "values": [*range(240)],
        "timestamps": [ORIGIN + number * SCRAPE for number in range(240)],
    }
    chunk = tmp_path / "chunk"
    chunk.write_bytes(gzip.compress(json.dumps(line).encode()))
    with started(tool(suite, "victoria-metrics"), tmp_path) as victoriametrics:
        victoriametrics.write([chunk])
        victoriametrics.flush()
        yield victoriametrics


HOUR_OF_X = History(ORIGIN, ORIGIN + HOUR)


def replayed(store: HistoryEngine, vmalert: Path, scope: BacktestScope, folder: Path) -> None:
    replay(store, vmalert, scope, HOUR_OF_X, HOUR_OF_X, folder, lambda *_: None)


def test_replay_records_as_many_samples_as_there_are_evaluations(
    store: HistoryEngine, suite: str, tmp_path: Path
) -> None:
    replayed(store, tool(suite, "vmalert"), one_rule("slo:y", "x > 100"), tmp_path)
    store.flush()
    # 101 is scraped at 25m15s, and seen first at 25m30s; the last sample at 59m45s, after an hour.
    assert store.recorded("slo:y", HOUR_OF_X) == 2 * 60 - 2 * 25


def test_replay_that_leaves_a_rule_out_is_refused(store: HistoryEngine, tmp_path: Path) -> None:
    lazy = tmp_path / "vmalert"
    lazy.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    lazy.chmod(0o755)
    with pytest.raises(EngineError, match="not complete: slo:y has 0 samples, its rules make 121"):
        replayed(store, lazy, one_rule("slo:y", "x"), tmp_path)


def test_replay_that_fails_reports_what_vmalert_prints(
    store: HistoryEngine, suite: str, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match=r"vmalert -replay ended with .*invalid expression"):
        replayed(store, tool(suite, "vmalert"), one_rule("slo:y", "sum(x"), tmp_path)


def test_victoriametrics_that_ends_midway_is_an_error(
    store: HistoryEngine, suite: str, tmp_path: Path
) -> None:
    os.kill(store.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="VictoriaMetrics ended with -9: ") as error:
        replayed(store, tool(suite, "vmalert"), one_rule("slo:y", "x"), tmp_path)
    assert "memory" in error.value.help
