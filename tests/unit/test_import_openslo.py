"""`slo-compiler import openslo`: references, periods, budgets, alerts, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from importing import burn_alerts, findings, imported, slos_of

OBJECTS = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: answers}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {metricSourceRef: main, spec: {query: 'sum(rate(e_total{a="b"}[5m]))'}}}
    total: {metricSource: {type: Prometheus, spec: {query: t_total}}}
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: main}
spec: {type: Prometheus, connectionDetails: {url: "http://prometheus.internal"}}
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast-burn}
spec:
  severity: critical
  condition: {kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h, alertAfter: 2m}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: pages}
spec: {alertWhenBreaching: true, conditions: [{conditionRef: fast-burn}]}
"""
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability, labels: {team: payments}}
spec:
  description: Requests are answered
  service: checkout
  indicatorRef: answers
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
  alertPolicies: [{alertPolicyRef: pages}]
"""
ALPHA = """\
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: old}
spec:
  service: checkout
  timeWindows: [{unit: Day, count: 28, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - target: 0.99
      ratioMetrics:
        incremental: true
        good: {source: prometheus, queryType: promql, query: g_total}
        total: {source: prometheus, queryType: promql, query: "sum(rate(t_total[{{.window}}]))"}
"""
FILE = f"{SLO}---\n{OBJECTS}"


@pytest.mark.processes
def test_import_follows_references_across_documents(tmp_path: Path) -> None:
    done = imported(tmp_path, "openslo", f"{FILE}---\n{ALPHA}")
    assert done.exit_code == 0, done.output
    first, second = slos_of(done)
    assert first == {
        "name": "availability",
        "service": "checkout",
        "description": "Requests are answered",
        "objective": 99.9,
        "labels": {"team": "payments"},
        "sli": {"ratio": {"errors": 'e_total{a="b"}', "total": "t_total"}},
    }
    assert second["sli"] == {"ratio": {"good": "g_total", "total": "t_total"}}
    (alert,) = burn_alerts(done.stdout, "availability").values()
    assert (alert.threshold, alert.long, alert.short, alert.wait) == ("0.0144", "1h", "5m", "2m")
    assert alert.labels["severity"] == "page"


@pytest.mark.parametrize(
    ("window", "period"),
    [
        ("{duration: 1M, isRolling: true}", "30d"),
        (
            '{duration: 1M, calendar: {startTime: "2026-01-01 00:00:00", timeZone: UTC}}',
            {"calendar": "month"},
        ),
        (
            '{duration: 1w, calendar: {startTime: "2026-01-05 00:00:00", timeZone: Asia/Kolkata}}',
            {"calendar": "week", "utc_offset": "+05:30"},
        ),
    ],
)
def test_window_is_a_period(window: str, period: object, tmp_path: Path) -> None:
    done = imported(
        tmp_path,
        "openslo",
        f"{ALPHA}---\n{ALPHA.replace('old', 'two')}---\n"
        + FILE.replace("{duration: 4w, isRolling: true}", window),
    )
    found = {slo["name"]: slo.get("period") for slo in slos_of(done)}
    assert found["availability"] == period, done.output


def test_slices_are_a_budget_of_slices_or_a_mean(tmp_path: Path) -> None:
    objective = "[{target: 0.999, timeSliceTarget: 0.95, timeSliceWindow: 1m}]"
    text = FILE.replace("[{target: 0.999}]", objective).replace("Occurrences", "Timeslices", 1)
    (slo,) = slos_of(imported(tmp_path, "openslo", text))
    slices = {"slice": "1m", "target": "95%", "idle": "exclude"}
    assert slo["budgeting"] == {"timeslices": slices}
    text = text.replace("Timeslices", "RatioTimeslices", 1)
    (slo,) = slos_of(imported(tmp_path, "openslo", text))
    assert slo["sli"]["raw"]["error_ratio"].startswith('(sum(rate(e_total{a="b"}[1m])) or 0 * ')


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("indicatorRef: answers", "indicatorRef: answer", (7, 17, "import-refused")),
        ("4w, isRolling: true", "30m, isRolling: true", (8, 27, "import-refused")),
        ("4w, isRolling: true", "4w", (8, 17, "import-refused")),
        ("Occurrences", "Often", (9, 20, "import-refused")),
        ("[{target: 0.999}]", "[{target: 0.9, compositeWeight: 2}]", (10, 47, "import-refused")),
        ("[{target: 0.999}]", "[{target: 0.9, targt: 2}]", (10, 30, "import-unknown-key")),
        ("type: Prometheus, spec", "type: Datadog, spec", (20, 34, "import-refused")),
        ("severity: critical", "severity: sev1", (31, 13, "import-refused")),
    ],
)
def test_what_cannot_be_imported_is_an_error_at_its_place(
    old: str, new: str, expected: tuple[int, int, str], tmp_path: Path
) -> None:
    assert old in FILE
    done = imported(tmp_path, "openslo", FILE.replace(old, new))
    assert (done.exit_code, done.stdout) == (1, "")
    assert expected in findings(done), done.output
