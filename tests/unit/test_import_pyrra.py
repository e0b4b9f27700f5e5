"""`slo-compiler import pyrra`: the same alerts, and what is reported of the rest."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from cases import ROOT
from importing import burn_alerts, findings, imported, recorded, rules_of, slos_of

SLO = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: answers
  namespace: checkout
  labels: {pyrra.dev/team: payments, pyrra.dev/owner: shop-sre}
  annotations: {pyrra.dev/summary: "{{ $labels.slo }} burns", pyrra.dev/runbook_url: "https://r.example/1"}
spec:
  description: Requests are answered
  target: "99.9"
  window: 4w
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{job="shop",code=~"5.."}'}
      total: {metric: 'http_requests_total{job="shop"}'}
  alerting: {name: ShopErrors}
"""
INDICATOR = SLO[SLO.index("    ratio:") : SLO.index("  alerting:")]
PAGE = (ROOT / "docs/migrate-pyrra.md").read_text(encoding="utf-8")
RATES = {"fast": 14, "medium": 7, "slow": 2, "long-term": 1}


def with_indicator(text: str) -> str:
    return SLO.replace(INDICATOR, f"    {text}\n")


def test_import_gives_names_labels_annotations_and_links(tmp_path: Path) -> None:
    done = imported(tmp_path, "pyrra", SLO)
    assert done.exit_code == 0, done.output
    manifest = yaml.safe_load(done.stdout)
    assert manifest["metadata"] == {"name": "shop", "owner": "shop-sre"}
    assert manifest["spec"]["defaults"] == {
        "period": "4w",
        "policy": "pyrra-28d",
        "name": "ErrorBudgetBurn",
    }
    assert manifest["spec"]["slos"] == [
        {
            "name": "answers",
            "service": "checkout",
            "description": "Requests are answered",
            "objective": 99.9,
            "labels": {"team": "payments"},
            "sli": {
                "ratio": {
                    "errors": 'http_requests_total{job="shop",code=~"5.."}',
                    "total": 'http_requests_total{job="shop"}',
                }
            },
            "alerting": {
                "name": "ShopErrors",
                "runbook": "https://r.example/1",
                "annotations": {"summary": "{{ $labels.slo }} burns"},
            },
        }
    ]


def minutes(span: Fraction) -> str:
    """Write whole minutes as Prometheus does."""
    hours, rest = divmod(int(span + Fraction(1, 2)), 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (rest, "m"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def pyrra_cell(weeks: Fraction, long: int, short: int, wait: int) -> str:
    """Scale windows of 4 weeks, in minutes, as Pyrra does: rounded to whole minutes."""
    scaled = (minutes(each * weeks / 4) for each in (long, short, wait))
    return "{} and {} for {}".format(*scaled)


WINDOWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in re.findall(r"(?m)^\| \d+[wd] \|.*\|$", PAGE)
]


def test_table_of_the_page_has_the_windows_of_pyrra() -> None:
    """At 4w: 1h, 5m, 2m; 6h, 30m, 15m; 1d, 2h, 1h; 4d, 6h, 3h. All others are in proportion."""
    of_four_weeks = ((60, 5, 2), (360, 30, 15), (1440, 120, 60), (5760, 360, 180))
    assert {row[0] for row in WINDOWS} == {"1w", "2w", "4w", "30d", "8w", "12w"}
    for window, whose, *cells in WINDOWS:
        if whose in ("Pyrra", "both"):
            length = int(window[:-1])
            weeks = Fraction(length, 7) if window.endswith("d") else Fraction(length)
            assert cells == [pyrra_cell(weeks, *each) for each in of_four_weeks], window


@pytest.mark.processes
@pytest.mark.parametrize("row", [row for row in WINDOWS if row[1] != "Pyrra"], ids=lambda r: r[0])
def test_rules_have_the_thresholds_and_windows_of_the_page(row: list[str], tmp_path: Path) -> None:
    done = imported(tmp_path, "pyrra", SLO.replace("4w", row[0]))
    assert done.exit_code == 0, done.output
    found = burn_alerts(done.stdout, "answers")
    assert [*found] == [*RATES]
    for (tier, alert), cell in zip(found.items(), row[2:], strict=True):
        assert f"{alert.long} and {alert.short} for {alert.wait}" == cell
        assert Fraction(alert.threshold) == RATES[tier] * Fraction(1, 1000)  # 1 - 99.9 %
        assert alert.labels["severity"] == ("page" if tier in ("fast", "medium") else "ticket")
        assert (alert.name, alert.labels["team"]) == ("ShopErrors", "payments")
    moved = [id_ for *_, id_ in findings(done)]
    assert moved == (["import-approximated"] if row[1] == "ours" else [])


def test_windows_that_moved_are_a_finding_with_how_far(tmp_path: Path) -> None:
    done = imported(tmp_path, "pyrra", SLO.replace("4w", "30d"))
    assert findings(done) == [(11, 11, "import-approximated")]
    assert "6h26m is 6h25m (-0.26%); 1d1h43m is 1d1h42m30s (-0.03%)" in done.stderr
    assert "imported 1 SLO, 1 of them changed\n" in done.stderr


def test_windows_of_a_project_with_slow_scrapes_are_those_that_it_has(tmp_path: Path) -> None:
    """Of 2 weeks, 3m contains 3 samples of 60s: 4 scrapes and an evaluation are 4m30s."""
    project = tmp_path / "slo-compiler.yaml"
    project.write_text(
        "apiVersion: slo-compiler/v1\nkind: Project\nspec:\n"
        "  prometheus: {scrape_interval: 60s, evaluation_interval: 30s}\n",
        encoding="utf-8",
    )
    options = ("--project", str(project))
    done = imported(tmp_path, "pyrra", SLO.replace("4w", "2w"), *options)
    assert done.exit_code == 0, done.output
    assert "3m is 4m30s (+50.00%)" in done.stderr


# The SLI of each indicator, and the queries of the base pair, with the tenant's matcher.
@pytest.mark.processes
@pytest.mark.parametrize(
    ("indicator", "sli", "events", "errors"),
    [
        (
            (
                "ratio: {errors: {metric: 'e_total{a=\"b\"}'}, total: {metric: t_total}, "
                "grouping: [region]}"
            ),
            {"ratio": {"errors": 'e_total{a="b"}', "total": "t_total", "by": ["region"]}},
            'sum by (region) (rate(t_total{tenant="shop"}[1m15s]))',
            'sum by (region) (rate(e_total{a="b",tenant="shop"}[1m15s]))',
        ),
        (
            (
                'latency: {success: {metric: \'x_seconds_bucket{a="b",le="0.25"}\'}, '
                "total: {metric: 'x_seconds_count{a=\"b\"}'}}"
            ),
            {"latency": {"histogram": 'x_seconds{a="b"}', "threshold": "250ms"}},
            'sum(rate(x_seconds_count{a="b",tenant="shop"}[1m15s]))',
            'sum(rate(x_seconds_bucket{a="b",tenant="shop",le="0.25"}[1m15s]))',
        ),
        (
            (
                "latency: {success: {metric: 'fast_bucket{le=\"0.25\"}'}, "
                "total: {metric: slow_count}}"
            ),
            {"ratio": {"good": 'fast_bucket{le="0.25"}', "total": "slow_count"}},
            'sum(rate(slow_count{tenant="shop"}[1m15s]))',
            'sum(rate(fast_bucket{le="0.25",tenant="shop"}[1m15s]))',
        ),
        (
            "latencyNative: {latency: 250ms, total: {metric: x_seconds}}",
            {"latency": {"histogram": "x_seconds", "threshold": "250ms", "native": True}},
            'histogram_count(sum(rate(x_seconds{tenant="shop"}[1m15s])))',
            'histogram_fraction(-Inf, 0.25, sum(rate(x_seconds{tenant="shop"}[1m15s])))',
        ),
        (
            "bool_gauge: {metric: 'up{job=\"x\"}', grouping: [job, service]}",
            {
                "availability": {
                    "gauge": 'up{job="x"}',
                    "by": {"job": "job", "query_service": "service"},
                }
            },
            'up{job="x",tenant="shop"}',
            'up{job="x",tenant="shop"}',
        ),
    ],
)
def test_indicator_becomes_the_queries_that_pyrra_divides(
    indicator: str, sli: object, events: str, errors: str, tmp_path: Path
) -> None:
    done = imported(tmp_path, "pyrra", with_indicator(indicator))
    assert done.exit_code == 0, done.output
    assert slos_of(done)[0]["sli"] == sli
    assert events in recorded(done.stdout, "slo:events:rate")
    assert errors in recorded(done.stdout, "slo:errors:rate")


@pytest.mark.parametrize(
    ("bound", "name", "expected"),
    [
        ("1", "x_seconds", {"threshold": "1s"}),
        ("0.0005", "x_seconds", {"threshold": "500us"}),
        ("300", "x_milliseconds", {"threshold": "300ms"}),
        ("2.5", "x_duration", {"threshold": "2.5s", "unit": "seconds"}),
    ],
)
def test_bound_of_a_bucket_is_a_span_in_the_unit_of_its_name(
    bound: str, name: str, expected: dict[str, str], tmp_path: Path
) -> None:
    success, total = f"'{name}_bucket{{le=\"{bound}\"}}'", f"{name}_count"
    text = with_indicator(
        f"latency: {{success: {{metric: {success}}}, total: {{metric: {total}}}}}"
    )
    done = imported(tmp_path, "pyrra", text)
    assert done.exit_code == 0, done.output
    assert slos_of(done)[0]["sli"] == {"latency": {"histogram": name, **expected}}


@pytest.mark.processes
def test_native_histogram_in_another_unit_is_compared_in_seconds_with_a_warning(
    tmp_path: Path,
) -> None:
    text = with_indicator("latencyNative: {latency: 250ms, total: {metric: x_milliseconds}}")
    done = imported(tmp_path, "pyrra", text)
    assert findings(done) == [(13, 53, "import-approximated")]
    assert slos_of(done)[0]["sli"]["latency"]["unit"] == "seconds"
    assert "histogram_fraction(-Inf, 0.25," in recorded(done.stdout, "slo:errors:rate")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("alerting", "expected", "ids"),
    [
        ("{}", {"ErrorBudgetBurn"}, []),
        ('{name: ""}', {"ErrorBudgetBurn"}, []),
        ("{absent: false}", {"ErrorBudgetBurn"}, []),
        ("{absentName: Gone}", {"ErrorBudgetBurn"}, ["import-left-out"]),
        ("{burnrates: false, absent: false}", set(), ["import-left-out"]),
        ("{disabled: true, absent: false}", set(), ["import-left-out"]),
        ("{burnrates: false}", set(), ["import-left-out", "import-approximated"]),
        ("{severities: {absent: critical}}", {"ErrorBudgetBurn"}, ["import-left-out"]),
    ],
)
def test_alerting_is_kept_or_a_finding(
    alerting: str, expected: set[str], ids: list[str], tmp_path: Path
) -> None:
    done = imported(tmp_path, "pyrra", SLO.replace("{name: ShopErrors}", alerting))
    assert done.exit_code == 0, done.output
    assert {alert.name for alert in burn_alerts(done.stdout, "answers").values()} == expected
    assert [id_ for *_, id_ in findings(done)] == ids
    no_data = [r for r in rules_of(done.stdout) if r.get("alert") == "SLONoData"]
    assert bool(no_data) == bool(expected)


@pytest.mark.processes
def test_severities_are_those_of_a_policy_of_their_own(tmp_path: Path) -> None:
    severities = "{name: S, severities: {mediumBurn: warning, slowBurn: page}}"
    other = SLO.replace("answers", "other").replace("{name: ShopErrors}", severities)
    done = imported(tmp_path, "pyrra", f"{SLO}---\n{other}")
    assert done.exit_code == 0, done.output
    found = burn_alerts(done.stdout, "other").values()
    assert [a.labels["severity"] for a in found] == ["page", "ticket", "page", "ticket"]
    found = burn_alerts(done.stdout, "answers").values()
    assert [a.labels["severity"] for a in found] == ["page", "page", "ticket", "ticket"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  target:", "  targett: 1\n  target:", (10, 3, "import-unknown-key")),
        ("  name: answers", "  nam: answers", (4, 3, "import-unknown-key")),
        ('"99.9"', '"100"', (10, 11, "objective")),
        ('  target: "99.9"\n', "", (8, 1, "import-refused")),
        ("window: 4w", "window: 12h", (11, 11, "import-refused")),
        ("window: 4w", "window: [4w]", (11, 11, "import-refused")),
        ("ratio:", "ratios:", (13, 5, "import-unknown-key")),
        ("{metric: 'http_requests_total{job=\"shop\"}'}", "{}", (15, 7, "import-refused")),
        (
            'metric: \'http_requests_total{job="shop"}',
            "metric: 'sum(x)",
            (15, 23, "import-refused"),
        ),
        ('{job="shop"}', '{job=="shop"}', (15, 47, "promql-syntax")),
        ("{name: ShopErrors}", "{nam: x}", (16, 14, "import-unknown-key")),
        ("{name: ShopErrors}", "{severities: {fastBurn: p1}}", (16, 37, "import-refused")),
        ("pyrra.dev/v1alpha1", "pyrra.dev/v2", (1, 13, "import-refused")),
        ("ServiceLevelObjective", "Dashboard", (2, 7, "import-refused")),
        ("apiVersion: pyrra.dev", "apiVersion: other.dev", (1, 13, "import-refused")),
    ],
)
def test_what_cannot_be_imported_is_an_error_at_its_place(
    old: str, new: str, expected: tuple[int, int, str], tmp_path: Path
) -> None:
    assert old in SLO
    done = imported(tmp_path, "pyrra", SLO.replace(old, new))
    assert done.exit_code == 1
    assert done.stdout == ""
    assert expected in findings(done), done.output


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("pyrra.dev/team: payments", "pyrra.dev/slo: x", (6, 12, "import-left-out")),
        ("$labels.slo }}", "$labels.job }}", (7, 17, "import-left-out")),
        ("name: answers", "name: my answers", (4, 9, "import-approximated")),
        ("{name: ShopErrors}", "{name: Shop-Errors}", (16, 20, "import-left-out")),
        (
            "  alerting:",
            "  partial_response_strategy: warn\n  alerting:",
            (16, 30, "import-left-out"),
        ),
    ],
)
def test_what_has_no_counterpart_is_a_warning_and_a_comment(
    old: str, new: str, expected: tuple[int, int, str], tmp_path: Path
) -> None:
    assert old in SLO
    done = imported(tmp_path, "pyrra", SLO.replace(old, new))
    assert done.exit_code == 0, done.output
    assert findings(done) == [expected]
    line, column, _ = expected
    assert f"# {tmp_path}/pyrra.yml:{line}:{column}: " in done.stdout


def test_several_indicators_are_an_error(tmp_path: Path) -> None:
    two = f"  indicator:\n    bool_gauge: {{metric: up}}\n{INDICATOR}"
    done = imported(tmp_path, "pyrra", SLO.replace(f"  indicator:\n{INDICATOR}", two))
    assert findings(done) == [(12, 3, "import-refused")]
    assert "expected one indicator, found ratio and bool_gauge" in done.stderr


def listed(*texts: str, version: str = "v1", kind: str = "List") -> str:
    items = [yaml.safe_load(text) for text in texts]
    return yaml.safe_dump({"apiVersion": version, "kind": kind, "items": items})


@pytest.mark.parametrize(
    ("version", "kind"), [("v1", "List"), ("pyrra.dev/v1alpha1", "ServiceLevelObjectiveList")]
)
def test_import_of_a_list_and_of_documents_is_the_same(
    version: str, kind: str, tmp_path: Path
) -> None:
    other = SLO.replace("answers", "other")
    done = imported(tmp_path, "pyrra", listed(SLO, other, version=version, kind=kind))
    assert done.exit_code == 0, done.output
    assert slos_of(done) == slos_of(imported(tmp_path, "pyrra", f"{SLO}---\n{other}"))


def test_what_the_server_of_kubernetes_writes_needs_no_finding(tmp_path: Path) -> None:
    data = yaml.safe_load(SLO)
    data["metadata"] |= {"uid": "1", "resourceVersion": "2", "generation": 3}
    data["status"] = {"type": "PrometheusRule"}
    done = imported(tmp_path, "pyrra", yaml.safe_dump(data))
    assert (done.exit_code, findings(done)) == (0, [])


@pytest.mark.parametrize(
    ("metadata", "service"),
    [
        ("{name: x, namespace: ns}", "ns"),
        ("{name: x, namespace: ns, labels: {pyrra.dev/service: Front_End}}", "Front_End"),
        ("{name: x}", "shop"),
    ],
)
def test_service_is_a_label_or_the_namespace_or_the_tenant(
    metadata: str, service: str, tmp_path: Path
) -> None:
    text = f"{SLO[: SLO.index('metadata:')]}metadata: {metadata}\n{SLO[SLO.index('spec:') :]}"
    done = imported(tmp_path, "pyrra", text)
    assert slos_of(done)[0]["service"] == service
    assert ("info[import-decided] Pyrra knows no services" in done.stderr) == (
        "dev/" not in text[60:]
    )


def test_services_are_reported_once(tmp_path: Path) -> None:
    done = imported(tmp_path, "pyrra", f"{SLO}---\n{SLO.replace('answers', 'other')}")
    assert done.stderr.count("Pyrra knows no services") == 1


def test_slos_of_one_name_in_two_namespaces_are_two(tmp_path: Path) -> None:
    other = SLO.replace("namespace: checkout", "namespace: search")
    done = imported(tmp_path, "pyrra", f"{SLO}---\n{other}---\n{SLO.replace('answers', 'Answers')}")
    assert [slo["service"] for slo in slos_of(done)] == ["checkout", "search"]
    assert [id_ for *_, id_ in findings(done)] == ["duplicate-slo"]
