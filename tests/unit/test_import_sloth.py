"""`slo-compiler import sloth`: what a file becomes, and what is said of the rest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from slo_compiler import compile_text
from slo_compiler.cli import main

FILE = """\
version: prometheus/v1
service: shop
labels: {owner: shop-sre, repo: shop/checkout}
slos:
  - name: availability
    objective: 99.9
    labels: {category: availability}
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{ .window  }}]))
    alerting:
      name: ShopErrors
      annotations:
        summary: Errors of {{ $labels.sloth_service }}
        runbook_url: https://runbooks.example/shop
      page_alert:
        labels: {routing_key: shop}
"""
RESOURCE = """\
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: search, namespace: search}
spec:
  service: search
  slos:
    - name: latency
      objective: 99.995
      sli: {raw: {errorRatioQuery: "avg_over_time(bad:ratio[{{.window}}])"}}
      alerting: {pageAlert: {disable: true}}
"""
CATALOG = """\
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 7d
  page:
    quick: {errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h}
    slow: {errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 20, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 42, shortWindow: 6h, longWindow: 3d}
"""


def imported(folder: Path, text: str, *options: str) -> Result:
    (folder / "sloth.yml").write_text(text, encoding="utf-8")
    line = ["import", "sloth", str(folder / "sloth.yml"), "--tenant", "shop", *options]
    return CliRunner().invoke(main, line)


def thresholds(manifest: str) -> dict[str, str]:
    result = compile_text(manifest)
    assert result.ok, result.diagnostics
    rules = yaml.safe_load(result.artefacts["prometheus/rules/shop.yml"])
    found = {}
    for group in rules["groups"]:
        for rule in group["rules"]:
            bounds = re.findall(r"slo:error_ratio:rate\w+\{[^}]*\} > ([0-9.e-]+)", rule["expr"])
            if "alert" in rule and bounds and "tier" in rule.get("labels", {}):
                assert len({*bounds}) == 1
                found[rule["labels"]["tier"]] = bounds[0]
    return found


def test_import_of_a_file_gives_its_queries_names_labels_and_links(tmp_path: Path) -> None:
    done = imported(tmp_path, FILE)
    assert done.exit_code == 0, done.output
    manifest = yaml.safe_load(done.stdout)
    assert manifest["metadata"] == {"name": "shop", "owner": "shop-sre"}
    assert manifest["spec"]["slos"] == [
        {
            "name": "availability",
            "service": "shop",
            "objective": 99.9,
            "labels": {"repo": "shop/checkout", "category": "availability"},
            "sli": {
                "ratio": {
                    "errors": 'sum(rate(http_requests_total{code=~"5.."}[$window]))',
                    "total": "sum(rate(http_requests_total[$window]))",
                }
            },
            "alerting": {
                "name": "ShopErrors",
                "runbook": "https://runbooks.example/shop",
                "annotations": {"summary": "Errors of {{ $labels.service }}"},
                "severities": {"page": {"labels": {"routing_key": "shop"}}},
            },
        }
    ]


# Percent of the budget x period / window, as Sloth documents it.
@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (FILE, (), ["0.0144", "0.006", "0.003", "0.001"]),
        (FILE, ("--period", "28d"), ["0.01344", "0.0056", "0.0028", "0.00093333"]),
        (FILE + "---\n" + CATALOG, (), ["0.01344", "0.0035", "0.0014", "0.00098"]),
    ],
)
def test_import_alerts_at_the_thresholds_of_sloth(
    text: str, options: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    done = imported(tmp_path, text, *options)
    assert done.exit_code == 0, done.output
    found = [float(value) for value in thresholds(done.stdout).values()]
    assert found == pytest.approx([float(value) for value in expected], rel=1e-4)


def test_import_of_a_resource_whose_page_is_off_has_tickets_only(tmp_path: Path) -> None:
    done = imported(tmp_path, RESOURCE)
    assert done.exit_code == 0, done.output
    assert [*thresholds(done.stdout)] == ["ticket-fast", "ticket-slow"]


def refusals(done: Result) -> list[tuple[int, int, str]]:
    found = re.findall(r"yml:(\d+):(\d+): (?:error|warning)\[([a-z-]+)\]", done.stderr)
    return [(int(line), int(column), id_) for line, column, id_ in found]


@pytest.mark.parametrize(
    ("old", "new", "expected", "code"),
    [
        ("name: avail", "nam: avail", [(5, 5, "import-refused")], 1),
        ("  objective:", "  objectiv: 1\n    objective:", [(6, 5, "import-unknown-key")], 1),
        ("objective: 99.9", "objective: 100", [(6, 16, "objective")], 1),
        ("sum(rate(http_requests_total{", "sun(rate(x{", [(10, 22, "promql-syntax")], 1),
        ("[{{.window}}]", "[{{.wind}}]", [(10, 64, "import-refused")], 1),
        ("service: shop", "service: my shop", [(2, 10, "import-approximated")], 0),
        ("{routing_key: shop}", "{severity: high}", [(18, 18, "import-left-out")], 0),
        ("$labels.sloth_service", "$labels.job", [(15, 9, "import-left-out")], 0),
    ],
)
def test_import_findings_are_at_their_foreign_lines(
    old: str, new: str, expected: list[tuple[int, int, str]], code: int, tmp_path: Path
) -> None:
    assert old in FILE
    done = imported(tmp_path, FILE.replace(old, new))
    assert (done.exit_code, refusals(done)[:1]) == (code, expected), done.output


def test_import_of_a_plugin_is_refused_and_the_other_slos_are_written(tmp_path: Path) -> None:
    plugin = "  - {name: p, objective: 99, sli: {plugin: {id: example/latency}}}\n"
    done = imported(tmp_path, FILE + plugin, "-o", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert refusals(done) == [(19, 44, "import-refused")]
    assert "sli: {latency:" in done.stderr
    text = (tmp_path / "out/shop.yaml").read_text(encoding="utf-8")
    assert [slo["name"] for slo in yaml.safe_load(text)["spec"]["slos"]] == ["availability"]


@pytest.mark.parametrize("text", ["[]", "slos: 5", "version: prometheus/v1\nslos: [5]", "x: {{"])
def test_import_of_anything_else_is_an_error(text: str, tmp_path: Path) -> None:
    done = imported(tmp_path, text)
    assert done.exit_code == 1
    assert refusals(done)
    assert done.stdout == ""


def test_import_with_a_wrong_catalog_writes_nothing(tmp_path: Path) -> None:
    done = imported(tmp_path, FILE + "---\n" + CATALOG.replace("errorBudgetPercent: 8, ", ""))
    assert (done.exit_code, done.stdout) == (1, "")
    assert refusals(done)[0][2] == "import-refused"


def test_import_of_a_period_without_windows_writes_nothing(tmp_path: Path) -> None:
    done = imported(tmp_path, FILE, "--period", "90d")
    assert (done.exit_code, done.stdout) == (1, "")
    assert refusals(done) == [(1, 1, "import-refused")]


def test_import_of_both_alerts_switched_off_has_no_alerts(tmp_path: Path) -> None:
    text = RESOURCE.replace("{pageAlert: ", "{ticketAlert: {disable: true}, pageAlert: ")
    done = imported(tmp_path, FILE.replace("service: shop", "service: My_shop") + "---\n" + text)
    assert done.exit_code == 0, done.output
    first, second = yaml.safe_load(done.stdout)["spec"]["slos"]
    assert (first["service"], second["alerting"], refusals(done)) == ("My_shop", "none", [])


@pytest.mark.parametrize(
    ("alerting", "why"),
    [
        (
            "page_alert: {disable: true, labels: {routing_key: shop}}",
            "labels left out: the page alert is switched off",
        ),
        (
            (
                "page_alert: {disable: true}, ticket_alert: {disable: true}, name: ShopErrors, "
                "annotations: {note: x}"
            ),
            "name and annotations left out: both alerts are switched off",
        ),
    ],
)
def test_what_is_written_of_alerts_that_are_off_is_a_finding(
    tmp_path: Path, alerting: str, why: str
) -> None:
    text = FILE[: FILE.index("    labels: {category")] + FILE[FILE.index("    sli:") :]
    text = text[: text.index("    alerting:")] + f"    alerting: {{{alerting}}}\n"
    done = imported(tmp_path, text)
    line = text.splitlines().index(f"    alerting: {{{alerting}}}") + 1
    assert re.search(rf"sloth\.yml:{line}:\d+: warning\[import-left-out\] {why}", done.output)
