"""Streams with known counts, through the compiled rules and a real Prometheus: how far off?

What the bounds mean, and what was measured: docs/accuracy.md.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from cases import tool
from oracle.engine import Replay, Steps, engine
from oracle.measure import first_alerts, month, outages, spike
from oracle.streams import HOUR, MINUTE, SECOND, Scenario, Stream
from oracle.truth import Bounds
from oracle.worlds import MORE_PHASES, ORIGIN, OUTAGES, compiled

from slo_compiler.render import TenantRules
from slo_compiler.tools import SUITES

EXACT = Bounds(short=0.01, long=0.01, period=0.001, counts=0.001)
BOUNDS = {
    # A counter born at zero shows at least four fifths of its first event: 0.2 of a day's 24.
    "sparse-zero": Bounds(counts=0.2 / 24),
    # Lost scrapes: their share, and of a short window what it may hold of one burst.
    "lost-random": Bounds(short=0.05, long=0.01, period=0.01, counts=0.01),
    "lost-bursts": Bounds(short=0.05, long=0.015, period=0.015, counts=0.015),
    # Two gaps of 10 minutes, and at most a tile beside each.
    "restarts": Bounds(short=0.05, long=20 / (24 * 60), period=0.001, counts=0.001),
}
Answers = dict[tuple[str, int], list[float]]  # by series and moment

EVALUATION = 30.0
# Seconds after theory, at the latest, in any phases of the rule groups: a minute; and a tile, a
# minute and the evaluation that the base is away from the tiles.
LATE = {"page": 60.0, "ticket": 150.0 + 60.0 + EVALUATION}

every_suite = pytest.mark.parametrize("suite", [suite.name for suite in SUITES])


@every_suite
def test_a_month_of_every_scenario_is_within_its_bounds(suite: str) -> None:
    """One test for each version, as a month takes a minute to play."""
    months = month(suite)
    beyond = [
        f"{name} {what}: {error:.3%} > {bounds.of(what):.3%}"
        for name, figures in months.items()
        for bounds in (BOUNDS.get(name, EXACT),)
        for what, error in figures.worst.items()
        if error > bounds.of(what)
    ]
    assert not beyond
    compared = {"1d", "3d", "30d", "events", "errors"}
    assert all(compared <= {*figures.worst} for figures in months.values())
    assert not [(name, f.not_a_number) for name, f in months.items() if f.not_a_number]
    assert not [(name, f.missing) for name, f in months.items() if f.missing]


@every_suite
def test_alerts_fire_and_resolve_when_theory_predicts(suite: str) -> None:
    """Pages within a minute, tickets within four, in whatever phases the groups run.

    None much before: a window's far end lies up to an evaluation within it, so that errors at 1.4
    times the threshold fill it 30 s x 0.72 = 22 s early, and the base rate leads by up to 8 s.
    """
    found = outages(suite)
    assert {each.phase for each in found} == {*MORE_PHASES}
    for each in found:
        assert -30 < each.fired <= LATE[each.severity], each
        assert -60 < each.over <= LATE[each.severity], each
    assert not [each for each in found if each.pauses]


@every_suite
def test_no_page_is_a_minute_later_than_one_of_sloths_shape(suite: str) -> None:
    """Ours in the worst phase beside theirs in the best; tickets, which read tiles, in four."""
    ours, theirs = first_alerts(suite), first_alerts(suite, sloth=True)
    assert {*ours} == {*theirs}
    assert len(ours) == 2 * len(OUTAGES)
    for (severity, slo), fired in ours.items():
        later = max(fired) - min(theirs[severity, slo])
        assert later <= LATE[severity], (severity, slo)


@pytest.mark.parametrize(
    ("scrape", "evaluation"), [(15, 15), (10, 30), (20, 30), (20, 60), (30, 60), (60, 60)]
)
def test_each_event_counts_once_at_other_intervals(scrape: int, evaluation: int) -> None:
    """A tile or two may be missing at the end: 0.02 of 20 hours."""
    events, errors = spike(SUITES[-1].name, scrape * SECOND, evaluation * SECOND)
    assert 0.98 < events < 1.001
    assert errors == pytest.approx(1, abs=0.001)


# --- the oracle itself


PLAIN = Scenario("plain", Stream(3 * HOUR, lambda _at: 7, Fraction(1, 9), every=3 * HOUR))
LOST = range(40 * MINUTE, 52 * MINUTE)
CHECKED = ("slo:events:rate", "slo:errors:rate", "slo:error_ratio:rate5m", "slo:error_ratio:rate1h")
SPAN = 2 * HOUR
MOMENTS = (10 * SECOND, MINUTE, 39 * MINUTE, 42 * MINUTE, 50 * MINUTE, 53 * MINUTE, 95 * MINUTE)


def counters() -> Iterator[tuple[dict[str, str], list[int | None]]]:
    """Scrape PLAIN every 15s on the minute, as promtool does; None while scrapes are lost."""
    times = range(0, SPAN, 15 * SECOND)
    for code in ("200", "500"):
        both = [PLAIN.stream.counted(at) for at in times]
        row = [events - errors if code == "200" else errors for events, errors in both]
        labels = {"__name__": PLAIN.metric, "code": code, "scenario": PLAIN.name}
        yield labels, [None if at in LOST else v for at, v in zip(times, row, strict=True)]


@every_suite
def test_the_oracle_records_what_promtool_does(suite: str, tmp_path: Path) -> None:
    """Twelve minutes of lost scrapes included: the base series end there, and come back."""
    (rules,) = compiled(["acme"], (PLAIN,), 15 * SECOND, 30 * SECOND)
    with engine(tool(suite, "prometheus"), tmp_path) as server:
        server.write(
            (
                tuple(labels.items()),
                [(ORIGIN + n * 15 * SECOND, v) for n, v in enumerate(row) if v is not None],
            )
            for labels, row in counters()
        )
        replay = Replay(server, rules, ORIGIN, lambda _group: 0)
        replay.advance(ORIGIN + SPAN - 1)
        replay.look(ORIGIN, ORIGIN + SPAN - 1)
        answers = {
            (name, at): [value for row in server.ask(name, moment(at)).values() for _, value in row]
            for name in CHECKED
            for at in MOMENTS
        }
    assert not answers["slo:events:rate", 50 * MINUTE]
    assert answers["slo:events:rate", 95 * MINUTE]
    run_promtool(tool(suite, "promtool"), rules, answers, tmp_path)


def moment(at: int) -> Steps:
    return Steps(ORIGIN + at, ORIGIN + at, MINUTE)


def run_promtool(promtool: Path, rules: TenantRules, answers: Answers, folder: Path) -> None:
    groups = [
        {
            "name": group.name,
            "interval": str(group.interval),
            "rules": [
                {"record": rule.name, "expr": rule.expr, "labels": dict(rule.labels)}
                for rule in group.rules
                if not rule.alert
            ],
        }
        for group in rules.groups
    ]
    groups = [group for group in groups if group["rules"]]
    inputs = [
        {
            "series": "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}",
            "values": " ".join("_" if value is None else str(value) for value in row),
        }
        for labels, row in counters()
    ]
    slo = f'{{tenant="{rules.tenant}",service="oracle",slo="{PLAIN.name}"}}'
    checks: list[dict[str, object]] = []
    for (name, at), values in answers.items():
        check: dict[str, object] = {
            "expr": name,
            "eval_time": f"{at // SECOND}s",
            "exp_samples": [],
        }
        for value in values:
            check["expr"] = f"abs({name} - {value!r}) < bool 1e-9"
            check["exp_samples"] = [{"labels": slo, "value": 1}]
        checks.append(check)
    test = {
        "interval": "15s",
        "input_series": inputs,
        "promql_expr_test": checks,
    }
    whole = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "30s",
        "group_eval_order": [group["name"] for group in groups],  # else it is any
        "tests": [test],
    }
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    (folder / "test.yml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    done = subprocess.run(
        [str(promtool), "test", "rules", "test.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
