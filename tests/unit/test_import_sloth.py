"""`slo-compiler import sloth`: what a file becomes, and what is reported of the rest."""

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
                    "errors": 'http_requests_total{code=~"5.."}',
                    "total": "http_requests_total",
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
@pytest.mark.processes
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


@pytest.mark.processes
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
    assert (first["service"], second["alerting"]) == ("My_shop", "none")
    assert [id_ for *_, id_ in refusals(done)] == ["import-approximated"]  # the raw ratio


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


RATE = "rate(x_total{y='/'}[{{.window}}])"
SUM = f"sum({RATE})"


def sli_of(folder: Path, sli: str) -> tuple[dict[str, dict[str, str]], Result]:
    """Give what an SLI in Sloth's words becomes."""
    text = FILE[: FILE.index("    sli:")] + f"    sli:\n      {sli}\n"
    done = imported(folder, text)
    assert done.exit_code == 0, done.output
    assert compile_text(done.stdout).ok
    return yaml.safe_load(done.stdout)["spec"]["slos"][0]["sli"], done


@pytest.mark.processes
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sum(rate(x_total[{{.window}}]))", "x_total"),
        (" sum ( rate(x:y_total {a='b'} [ {{- .window -}} ]) ) ", "x:y_total {a='b'}"),
        ("sum by (a) (rate(x_total[{{.window}}]))", "sum by (a) (rate(x_total[$window]))"),
        ("sum(increase(x_total[{{.window}}]))", "sum(increase(x_total[$window]))"),
        (
            "sum(rate(x_total[{{.window}}] offset 1m))",
            "sum(rate(x_total[$window] offset 1m))",
        ),
        ("sum(rate(x_total{a='}'}[{{.window}}]))", "sum(rate(x_total{a='}'}[$window]))"),
        (
            "sum(rate(a[{{.window}}])) - sum(rate(b[{{.window}}]))",
            "sum(rate(a[$window])) - sum(rate(b[$window]))",
        ),
    ],
)
def test_import_of_a_sum_of_rates_is_a_selector_and_any_other_query_keeps_its_form(
    query: str, expected: str, tmp_path: Path
) -> None:
    sli, _ = sli_of(tmp_path, f'events: {{error_query: "{query}", total_query: "{SUM}"}}')
    assert sli == {"ratio": {"errors": expected, "total": "x_total{y='/'}"}}


@pytest.mark.processes
def test_import_of_a_raw_ratio_of_sums_counts_events(tmp_path: Path) -> None:
    query = f"sum(rate(a[{{{{.window}}}}] offset 1m)) / {SUM}"
    sli, done = sli_of(tmp_path, f'raw: {{error_ratio_query: "{query}"}}')
    expected = {"errors": "sum(rate(a[$window] offset 1m))", "total": "x_total{y='/'}"}
    assert sli == {"ratio": expected}
    assert "info[import-decided]" in done.stderr
    assert "which means the same" in done.stdout  # as a comment


@pytest.mark.processes
@pytest.mark.parametrize(
    "query",
    [
        f"1 - {SUM} / {SUM}",
        f"{SUM} / {SUM} / {SUM}",
        f"{SUM} / on() {SUM}",
        f"sum by (a) ({RATE}) / {SUM}",
        f"{SUM} / sum(rate(x_total[1m]))",
        "ratio_of_errors",
    ],
)
def test_import_of_another_raw_ratio_stays_raw_with_a_warning(query: str, tmp_path: Path) -> None:
    sli, done = sli_of(tmp_path, f'raw: {{error_ratio_query: "{query}"}}')
    assert sli == {"raw": {"error_ratio": query.replace("{{.window}}", "$window")}}
    assert "warning[import-approximated] a raw ratio is averaged over time" in done.stderr


def test_import_of_a_raw_ratio_reports_a_wrong_token_at_its_place(tmp_path: Path) -> None:
    query = "sum(rate(a[{{.window}}])) / sum(rato(b[{{.window}}]))"
    text = FILE[: FILE.index("    sli:")] + f'    sli: {{raw: {{error_ratio_query: "{query}"}}}}\n'
    done = imported(tmp_path, text)
    column = text.splitlines()[7].index("rato") + 1
    assert (8, column, "promql-syntax") in refusals(done), done.output


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        ("sloth-common/prometheus/targets/availability", 'availability: {gauge: up{job="..."}}'),
        ("sloth-common/kubernetes/apiserver/availability", "errors: apiserver_request_total{"),
        ("sloth-common/kubernetes/apiserver/latency", "sli: {latency: {histogram:"),
        ("sloth-common/istio/v1/availability", "total: istio_requests_total"),
        ("ours/availability", 'errors: http_requests_total{code=~"5.."}'),
        ("ours/x", "its queries as sli: {events: ...} and import again"),
    ],
)
def test_import_of_a_plugin_names_what_to_write_instead(
    id_: str, expected: str, tmp_path: Path
) -> None:
    text = FILE[: FILE.index("    sli:")] + f"    sli: {{plugin: {{id: {id_}}}}}\n"
    done = imported(tmp_path, text)
    assert (done.exit_code, refusals(done)) == (1, [(8, 19, "import-refused")])
    assert expected in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("labels: {owner", "slo_plugins: {chain: [{id: a/b}]}\nlabels: {owner", "SLO plugins"),
        ("    objective:", "    plugins: {chain: [{id: a/b}]}\n    objective:", "SLO plugins"),
        ("      name: ShopErrors", "      nam: ShopErrors", 'the key "nam" is unknown'),
        ("        labels: {routing", "        x: 1\n        labels: {routing", 'the key "x" is un'),
        ("        error_query", "        y: 1\n        error_query", 'the key "y" is unknown'),
        ("service: shop", "z: 1\nservice: shop", 'the key "z" is unknown'),
    ],
)
def test_import_of_a_key_without_counterpart_is_an_error(
    old: str, new: str, expected: str, tmp_path: Path
) -> None:
    assert old in FILE
    done = imported(tmp_path, FILE.replace(old, new, 1))
    assert done.exit_code == 1
    assert expected in done.stderr


def test_import_of_a_resource_reports_the_labels_for_kubernetes(tmp_path: Path) -> None:
    done = imported(tmp_path, RESOURCE.replace("namespace: search", "labels: {prometheus: main}"))
    assert done.exit_code == 0
    assert "yml:3:26: info[import-left-out] the labels of the Kubernetes resource" in done.stderr


# Each key of the format, once, with the texts of the manifest that come from it.
EVERY_KEY = """version: prometheus/v1
service: shop
labels: {a1: a2}
slos:
  - name: n1
    description: d1
    objective: 98.7
    labels: {b1: b2}
    sli:
      events: {error_query: "sum(rate(e1[{{.window}}]))", total_query: "sum(rate(t1[{{.window}}]))"}
    alerting:
      name: N2
      labels: {c1: c2}
      annotations: {c3: c4}
      page_alert: {disable: false, labels: {p1: p2}, annotations: {p3: p4}}
      ticket_alert: {labels: {k1: k2}, annotations: {k3: k4}}
"""


@pytest.mark.processes
def test_import_of_every_key_is_in_rules_in_both_spellings(tmp_path: Path) -> None:
    plain = imported(tmp_path, EVERY_KEY)
    _, _, body = EVERY_KEY.partition("\n")
    for old in ("error_query", "total_query", "page_alert", "ticket_alert"):
        first, _, second = old.partition("_")
        body = body.replace(old, first + second.title())
    head = "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nspec:\n"
    resource = imported(tmp_path, head + "".join(f"  {line}\n" for line in body.splitlines()))
    assert (plain.exit_code, plain.stderr) == (0, "imported 1 SLO\n")
    assert (resource.exit_code, resource.stderr) == (0, "imported 1 SLO\n")
    spec = yaml.safe_load(plain.stdout)["spec"]
    assert yaml.safe_load(resource.stdout)["spec"] == spec
    result = compile_text(plain.stdout)
    assert result.ok, result.diagnostics
    rules = yaml.safe_load(result.artefacts["prometheus/rules/shop.yml"])
    alerts = [r for g in rules["groups"] for r in g["rules"] if r.get("alert") == "N2"]
    common = {"a1": "a2", "b1": "b2", "c1": "c2", "service": "shop", "slo": "n1"}
    own = {"page": ("p1", "p2", "p3", "p4"), "ticket": ("k1", "k2", "k3", "k4")}
    tiers = [alert for alert in alerts if "tier" in alert["labels"]]
    assert len(tiers) == 4
    for alert in tiers:
        label, value, annotation, text = own[alert["labels"]["severity"]]
        assert {**common, label: value}.items() <= alert["labels"].items()
        assert {"c3": "c4", annotation: text}.items() <= alert["annotations"].items()
    text = result.artefacts["prometheus/rules/shop.yml"]
    assert all(part in text for part in ("e1{", "t1{", "98.7", "d1"))


def test_import_replaces_a_file_with_force_only(tmp_path: Path) -> None:
    target = tmp_path / "out/shop.yaml"
    target.parent.mkdir()
    target.write_text("mine\n", encoding="utf-8")
    refused = imported(tmp_path, FILE, "-o", str(target.parent))
    assert (refused.exit_code, target.read_text(encoding="utf-8")) == (2, "mine\n")
    assert "--force" in refused.stderr
    assert imported(tmp_path, FILE, "-o", str(target.parent), "--force").exit_code == 0
    assert "kind: Tenant" in target.read_text(encoding="utf-8")


def test_owners_that_differ_are_findings_each_and_none_is_taken(tmp_path: Path) -> None:
    other = FILE.replace("owner: shop-sre", "owner: pay-sre").replace(
        "service: shop", "service: pay"
    )
    done = imported(tmp_path, f"{FILE}---\n{other}")
    found = re.findall(
        r'sloth.yml:(\d+):\d+: warning\[import-left-out\] the label owner "(.*?)"', done.output
    )
    assert found == [("3", "shop-sre"), (str(3 + FILE.count("\n") + 1), "pay-sre")]
    assert "owner: shop\n" in done.output


@pytest.mark.parametrize("mode", ["alongside", "instead"])
def test_compat_is_written_as_a_default(mode: str, tmp_path: Path) -> None:
    done = imported(tmp_path, FILE, "--compat", mode)
    assert yaml.safe_load(done.stdout)["spec"]["defaults"]["compat"] == {"sloth": mode}


def test_compat_of_another_format_is_refused(tmp_path: Path) -> None:
    line = ["import", "openslo", str(tmp_path), "--tenant", "shop", "--compat", "instead"]
    done = CliRunner().invoke(main, line)
    assert done.exit_code == 2
    assert "--compat" in done.stderr
