"""`slo-compiler import rules`: generated rules and those by hand become manifests again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from cases import ROOT
from click.testing import CliRunner, Result
from importing import burn_alerts, findings, imported, recorded, slos_of

from slo_compiler.cli import main

SLOTH = ROOT / "tests/support/sloth_rules"
PAGE = (ROOT / "docs/migrate-rules.md").read_text(encoding="utf-8")
HAND, TABLE = re.findall(r"(?s)```yaml\n(.*?)```", PAGE)
PYRRA_RATIO = 'sum(rate(x_total{{code=~"5.."}}[{0}])) / sum(rate(x_total[{0}]))'
PYRRA_LATENCY = (
    '(sum(rate(x_seconds_count[{0}])) - sum(rate(x_seconds_bucket{{le="0.3"}}[{0}])))'
    " / sum(rate(x_seconds_count[{0}]))"
)
PYRRA_NATIVE = "1 - histogram_fraction(0, 0.3, sum(rate(x_seconds[{0}])))"
PYRRA_GAUGE = (
    "(sum(count_over_time(up[{0}])) - sum(sum_over_time(up[{0}]))) / sum(count_over_time(up[{0}]))"
)
WINDOWS = (
    ("1h", "5m", "2m", 14),
    ("6h", "30m", "15m", 7),
    ("1d", "2h", "1h", 2),
    ("4d", "6h", "3h", 1),
)


def pyrra_rules(ratio: str) -> str:
    """Write rules in the shape that Pyrra generates for an SLO of 4w."""
    rules: list[dict[str, object]] = [
        {"record": "x:increase4w", "expr": "sum(increase(x_total[4w]))", "labels": {"slo": "api"}},
        {
            "alert": "SLOMetricAbsent",
            "expr": "absent(x_total) == 1",
            "for": "2m",
            "labels": {"slo": "api", "severity": "critical"},
        },
    ]
    for window in sorted({each for pair in WINDOWS for each in pair[:2]}):
        labels = {"slo": "api"}
        rules.append(
            {"record": f"x:burnrate{window}", "expr": ratio.format(window), "labels": labels}
        )
    for long, short, wait, rate in WINDOWS:
        bound = f"({rate} * (1-0.999))"
        rules.append(
            {
                "alert": "ErrorBudgetBurn",
                "expr": f'x:burnrate{short}{{slo="api"}} > {bound} and '
                f'x:burnrate{long}{{slo="api"}} > {bound}',
                "for": wait,
                "labels": {
                    "slo": "api",
                    "long": long,
                    "short": short,
                    "severity": "critical" if rate > 2 else "warning",
                },
            }
        )
    return yaml.safe_dump({"groups": [{"name": "api", "rules": rules}]}, sort_keys=False)


def of_sloth(period: str, command: str, name: str) -> Result:
    line = ["import", command, str(SLOTH / name), "--tenant", "shop"]
    more = ["--period", period] if command == "sloth" else []
    return CliRunner().invoke(main, [*line, *more])


@pytest.mark.processes
@pytest.mark.parametrize("period", ["30d", "28d"])
def test_rules_of_sloth_give_what_their_spec_gives(period: str) -> None:
    """Thresholds, windows and queries; spec.yml became the rules by the real Sloth."""
    spec = of_sloth(period, "sloth", "spec.yml")
    rules = of_sloth(period, "rules", f"rules-{period}.yml")
    assert spec.exit_code == rules.exit_code == 0, rules.output
    first, second = (yaml.safe_load(each.stdout)["spec"] for each in (spec, rules))
    for key in ("name", "service", "objective", "labels", "sli"):
        assert [slo.get(key) for slo in first["slos"]] == [slo.get(key) for slo in second["slos"]]
    assert first["defaults"]["period"] == second["defaults"]["period"] == period
    assert [policy["tiers"] for policy in first["policies"]] == [
        policy["tiers"] for policy in second["policies"]
    ]
    for slo in ("availability", "jobs", "search"):
        wanted, found = (burn_alerts(each.stdout, slo) for each in (spec, rules))
        assert {tier: (a.threshold, a.long, a.short) for tier, a in wanted.items()} == {
            tier: (a.threshold, a.long, a.short) for tier, a in found.items()
        }
        assert {tier: (a.name, a.labels) for tier, a in wanted.items()} == {
            tier: (a.name, a.labels) for tier, a in found.items()
        }


@pytest.mark.parametrize("period", ["30d", "28d"])
def test_rules_of_sloth_are_all_understood(period: str) -> None:
    done = of_sloth(period, "rules", f"rules-{period}.yml")
    assert [id_ for _, _, id_ in findings(done)] == ["import-approximated"]  # the raw ratio
    assert slos_of(done)[2]["alerting"] == "none"


@pytest.mark.processes
@pytest.mark.parametrize(
    ("ratio", "sli"),
    [
        (PYRRA_RATIO, {"ratio": {"errors": 'x_total{code=~"5.."}', "total": "x_total"}}),
        (
            PYRRA_LATENCY,
            {"ratio": {"good": 'x_seconds_bucket{le="0.3"}', "total": "x_seconds_count"}},
        ),
        (
            PYRRA_NATIVE,
            {
                "latency": {
                    "histogram": "x_seconds",
                    "threshold": "0.3s",
                    "native": True,
                    "unit": "seconds",
                }
            },
        ),
        (PYRRA_GAUGE, {"availability": {"gauge": "up"}}),
    ],
)
def test_rules_of_pyrra_give_its_thresholds_windows_and_query(
    ratio: str, sli: dict[str, object], tmp_path: Path
) -> None:
    done = imported(tmp_path, "rules", pyrra_rules(ratio))
    assert done.exit_code == 0, done.output
    assert findings(done) == []
    (slo,) = slos_of(done)
    assert (slo["name"], slo["objective"], slo["sli"]) == ("api", 99.9, sli)
    assert yaml.safe_load(done.stdout)["spec"]["defaults"]["period"] == "28d"
    alerts = burn_alerts(done.stdout, "api").values()
    assert {(a.long, a.short, a.wait, a.threshold) for a in alerts} == {
        ("1h", "5m", "2m", "0.014"),
        ("6h", "30m", "15m", "0.007"),
        ("1d", "2h", "1h", "0.002"),
        ("4d", "6h", "3h", "0.001"),
    }
    assert {a.name for a in alerts} == {"ErrorBudgetBurn"}


@pytest.mark.processes
def test_example_of_the_page_gives_what_it_shows(tmp_path: Path) -> None:
    done = imported(tmp_path, "rules", HAND)
    assert done.exit_code == 0, done.output
    assert done.stdout.replace(f"{tmp_path}/", "") == TABLE
    alerts = burn_alerts(done.stdout, "cart-burns-budget-cart")
    assert {tier: (a.threshold, a.long, a.short, a.name) for tier, a in alerts.items()} == {
        "page-fast": ("0.0144", "1h", "5m", "CartBurnsBudget"),
        "page-slow": ("0.006", "6h", "30m", "CartBurnsBudget"),
        "ticket": ("0.001", "3d", "6h", "CartBurnsSlowly"),
    }
    query = 'sum(rate(requests_total{code=~"5..",job="cart",tenant="shop"}[1m15s]))'
    assert query in recorded(done.stdout, "slo:errors:rate")


INLINE = """\
groups:
  - name: a
    rules:
      - alert: Burns
        expr: |
          sum(rate(e_total[1h])) / sum(rate(t_total[1h])) > (14.4 * 0.001)
          and sum(rate(e_total[5m])) / sum(rate(t_total[5m])) > (14.4 * 0.001)
        labels: {severity: page, slo: answers, service: cart}
"""


def test_ratio_in_the_alert_itself_is_understood(tmp_path: Path) -> None:
    done = imported(tmp_path, "rules", INLINE)
    assert done.exit_code == 0, done.output
    (slo,) = slos_of(done)
    assert (slo["name"], slo["service"]) == ("answers", "cart")
    assert slo["sli"] == {"ratio": {"errors": "e_total", "total": "t_total"}}


def test_rules_of_an_object_are_read(tmp_path: Path) -> None:
    spec = "\n".join(f"  {line}" for line in INLINE.splitlines())
    text = f"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n{spec}\n"
    assert slos_of(imported(tmp_path, "rules", text)) == slos_of(
        imported(tmp_path, "rules", INLINE)
    )


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("sum(rate(e_total[5m]))", "sum(rate(f_total[5m]))", "of different error ratios"),
        ("[5m]", "[1h]", "two windows are the same"),
        ("rate(t_total[1h])", "rate(t_total[2h])", "several ranges"),
        ("(14.4 * 0.001)\n          and", "(6 * 0.001)\n          and", "different thresholds"),
        ("(14.4 * 0.001)", "0.0144", "no product of a factor and an error budget"),
        ("(14.4 * 0.001)", "(14.4 * x)", "no positive number"),
        ("(14.4 * 0.001)", "(14.4 * 1 / 0)", "no positive number"),
        (" > ", " >= ", "does not compare an error ratio with >"),
        ("sum(rate(e_total[1h]))", "rate(e_total[1h])", "of different error ratios"),
        (" and ", " unless ", "compares 1 window"),
        (" / sum(rate(t_total[1h]))", ":x", "no rule of these files records"),
    ],
)
def test_alert_of_another_shape_is_a_finding_with_the_reason(
    old: str, new: str, why: str, tmp_path: Path
) -> None:
    text = INLINE.replace(old, new)
    assert text != INLINE
    if new == ":x":
        text = text.replace("sum(rate(e_total[1h])):x", "a:x")
    other = INLINE.replace("groups:\n  - name: a\n    rules:\n", "").replace("answers", "other")
    done = imported(tmp_path, "rules", text + other)
    assert findings(done) == [(4, 16, "import-left-out")]
    assert why in done.stderr
    assert [slo["name"] for slo in slos_of(done)] == ["other"]


def test_ratio_of_each_series_is_not_taken_for_a_sum(tmp_path: Path) -> None:
    done = imported(tmp_path, "rules", INLINE.replace("sum(rate(", "(rate("))
    assert "is no sum" in done.stderr
    assert done.exit_code == 1


def test_window_that_the_project_lacks_is_an_approximation(tmp_path: Path) -> None:
    done = imported(tmp_path, "rules", INLINE.replace("[1h]", "[8h1m]"))
    assert findings(done) == [(4, 16, "import-approximated")]
    assert "8h1m is 8h" in done.stderr


def test_file_without_slos_is_an_error(tmp_path: Path) -> None:
    text = "groups: [{name: a, rules: [{alert: Down, expr: up == 0}]}]"
    done = imported(tmp_path, "rules", text)
    assert done.exit_code == 1
    assert "the files hold no SLO" in done.stderr
