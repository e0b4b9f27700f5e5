"""Invariants of the alerts, over random policies, objectives and traffic."""

from __future__ import annotations

import json
import subprocess
import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from cases import ROOT, tool
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.source import SourceFile

objectives = st.decimals(90, "99.99", places=2)
shares = st.decimals(1, 20, places=1)
long_windows = st.integers(30, 360)  # minutes
multiples = st.fractions(Fraction(101, 100), 30, max_denominator=100)  # of the threshold


@given(objectives, shares, long_windows, multiples)
def test_detection_is_when_a_counted_window_exceeds_the_threshold(
    objective: Decimal, share: Decimal, minutes: int, times: Fraction
) -> None:
    """Count events of a window minute by minute, and compare with the closed formula."""
    window = Duration.of(minutes=minutes)
    threshold = burn.threshold(burn.burn_factor(share, Duration.of(days=30), window), objective)
    ratio = threshold * times
    first = next(n for n in range(minutes + 1) if ratio * n / minutes > threshold)
    exact = burn.detection_time(window, threshold, ratio) / 60
    assert first - 1 <= exact + 1e-9
    assert exact < first + 1e-9


@given(objectives, shares, long_windows, multiples)
def test_reset_is_when_a_counted_window_falls_to_the_threshold(
    objective: Decimal, share: Decimal, minutes: int, times: Fraction
) -> None:
    window, short = Duration.of(minutes=minutes), Duration.of(minutes=minutes) // 12
    threshold = burn.threshold(burn.burn_factor(share, Duration.of(days=30), window), objective)
    ratio = threshold * times
    seconds = short.ms // 1000
    still = ratio * (seconds - int(burn.reset_time(short, threshold, ratio))) / seconds
    over = ratio * (seconds - int(burn.reset_time(short, threshold, ratio)) - 1) / seconds
    assert still >= threshold - Fraction(1, 10**9)
    assert over < threshold


@given(objectives, shares, long_windows, multiples, multiples)
def test_more_errors_are_seen_earlier_and_forgotten_later(
    objective: Decimal, share: Decimal, minutes: int, one: Fraction, two: Fraction
) -> None:
    window = Duration.of(minutes=minutes)
    threshold = burn.threshold(burn.burn_factor(share, Duration.of(days=30), window), objective)
    assume(one != two)
    fewer, more = sorted((one * threshold, two * threshold))
    assert burn.detection_time(window, threshold, more) < burn.detection_time(
        window, threshold, fewer
    )
    assert burn.reset_time(window, threshold, more) > burn.reset_time(window, threshold, fewer)


@given(objectives, objectives, shares, long_windows)
def test_a_stricter_objective_has_a_lower_threshold(
    one: Decimal, two: Decimal, share: Decimal, minutes: int
) -> None:
    assume(one < two)
    factor = burn.burn_factor(share, Duration.of(days=30), Duration.of(minutes=minutes))
    assert burn.threshold(factor, two) < burn.threshold(factor, one)


@given(shares, shares, long_windows)
def test_a_smaller_share_is_a_lower_burn_rate(one: Decimal, two: Decimal, minutes: int) -> None:
    assume(one < two)
    period, window = Duration.of(days=30), Duration.of(minutes=minutes)
    assert burn.burn_factor(one, period, window) < burn.burn_factor(two, period, window)


@given(objectives, shares, long_windows, multiples)
def test_an_alert_is_seen_within_its_window_and_over_within_the_short_one(
    objective: Decimal, share: Decimal, minutes: int, times: Fraction
) -> None:
    window = Duration.of(minutes=minutes)
    threshold = burn.threshold(burn.burn_factor(share, Duration.of(days=30), window), objective)
    ratio = threshold * times
    assert 0 < burn.detection_time(window, threshold, ratio) < window.seconds
    assert 0 < burn.reset_time(window, threshold, ratio) < window.seconds


# --- on a real engine


def rules(alerting: str) -> str:
    """Compile one SLO, and give its rules file."""
    text = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
    text += f"      alerting: {alerting}\n"
    report = Report()
    file = SourceFile("acme.yaml", "acme.yaml", text.encode())
    found = pipeline.compile_project(pipeline.read_project(None, report), [file], report)
    return next(a.text for a in found.artefacts if "/rules/" in a.path)


PLAIN, GUARDED = rules("{}"), rules("{min_errors: 200, min_events: 3000}")


def values(rules_text: str, series: dict[str, list[int]], query: str, at: int) -> list[str]:
    """Evaluate a query over the rules with promtool, and give the samples that it found."""
    lines = [{"series": name, "values": " ".join(map(str, v))} for name, v in series.items()]
    wrong = [{"expr": query, "eval_time": f"{at}m", "exp_samples": [{"labels": "x", "value": 0}]}]
    test = {"interval": "1m", "input_series": lines, "promql_expr_test": wrong}
    # Without an order promtool evaluates groups as they come, windows before their base or after.
    order = [group["name"] for group in yaml.safe_load(rules_text)["groups"]]
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "group_eval_order": order,
        "tests": [test],
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yml").write_text(rules_text, encoding="utf-8")
        Path(folder, "test.yml").write_text(json.dumps(document), encoding="utf-8")
        command = [tool("forky", "promtool"), "test", "rules", "test.yml"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    got = [line for line in (done.stdout + done.stderr).splitlines() if "got:" in line]
    assert got, done.stdout + done.stderr
    found = got[0].partition("got:")[2].strip()
    return [] if found == "nil" else found.split(", {")


def counter(steps: list[int]) -> list[int]:
    total, out = 10_000_000, []
    for step in steps:
        total += step
        out.append(total)
    return out


# The usual scrape is at 15s; here a sample a minute is enough, with a base of four of them.
SLOW = [
    text.replace("[1m15s]", "[5m]").replace("[1m]", "[5m]").replace("[4m]", "[5m]")
    for text in (PLAIN, GUARDED)
]
traffic = st.lists(st.integers(50, 200), min_size=30, max_size=30)
errors = st.lists(st.integers(0, 30), min_size=30, max_size=30)


@pytest.mark.processes
@settings(max_examples=8)
@given(traffic, st.integers(2, 5))
def test_traffic_split_over_shards_gives_the_same_ratio(events: list[int], shards: int) -> None:
    good, bad = 'http_requests_total{tenant="acme",code="200"', ',tenant="acme",code="500"'
    whole = {
        good + "}": counter([n * shards for n in events]),
        'http_requests_total{x=""' + bad + "}": counter([n * shards // 10 for n in events]),
    }
    split = {}
    for shard in range(shards):
        split[f'{good},pod="{shard}"}}'] = counter(events)
    split['http_requests_total{pod="a"' + bad + "}"] = whole['http_requests_total{x=""' + bad + "}"]
    query = "round(slo:error_ratio:rate30m * 1e9)"
    assert values(SLOW[0], whole, query, 29) == values(SLOW[0], split, query, 29) != []


@pytest.mark.processes
@settings(max_examples=8)
@given(traffic, errors)
def test_a_guard_only_removes_firings(events: list[int], wrong: list[int]) -> None:
    series = {
        'http_requests_total{tenant="acme",code="200"}': counter(events),
        'http_requests_total{tenant="acme",code="500"}': counter(wrong),
    }
    query = 'count by (tier) (ALERTS{alertname="SLOErrorBudgetBurn"})'
    plain, guarded = (set(values(text, series, query, 29)) for text in SLOW)
    assert guarded <= plain
