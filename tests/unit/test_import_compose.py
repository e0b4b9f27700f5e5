"""`slo-compiler import compose`: SLOs in labels, the project of a Prometheus, findings at lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from cases import ROOT
from click.testing import CliRunner, Result
from importing import findings, imported, slos_of

from slo_compiler.cli import main

PAGE = (ROOT / "docs/migrate-compose.md").read_text(encoding="utf-8")
COMPOSE, CONFIG, MANIFEST, PROJECT = re.findall(r"(?s)```yaml\n(.*?)```", PAGE)
SERVICE = """\
services:
  checkout:
    labels:
      slo.objective: 99.9
      slo.metric: http_requests_total
"""


def composed(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, *options: str) -> Result:
    """Import a compose file beside the configuration of the page."""
    monkeypatch.chdir(folder)
    (folder / "compose.yml").write_text(text, encoding="utf-8")
    if not (folder / "prometheus.yml").exists():
        (folder / "prometheus.yml").write_text(CONFIG, encoding="utf-8")
    return CliRunner().invoke(main, ["import", "compose", "compose.yml", *options])


@pytest.mark.processes
def test_example_of_the_page_gives_the_files_that_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = composed(tmp_path, monkeypatch, COMPOSE, "-o", "tenants")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "tenants/shop.yaml").read_text(encoding="utf-8") == MANIFEST
    assert (tmp_path / "slo-compiler.yaml").read_text(encoding="utf-8") == PROJECT
    for step in ("check", "compile"):
        assert CliRunner().invoke(main, [step]).exit_code == 0
    assert (tmp_path / "generated/prometheus/rules/shop.yml").exists()


def test_labels_as_list_give_the_same_as_labels_as_mapping(tmp_path: Path) -> None:
    listed = SERVICE.replace("      slo.objective: 99.9", "      - slo.objective=99.9")
    listed = listed.replace("      slo.metric: http", "      - slo.metric=http")
    assert slos_of(imported(tmp_path, "compose", listed)) == slos_of(
        imported(tmp_path, "compose", SERVICE)
    )


def test_services_of_two_tenants_give_a_manifest_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = COMPOSE.replace("slo.tenant=shop", "slo.tenant=jobs")
    done = composed(tmp_path, monkeypatch, text, "-o", "tenants")
    assert done.exit_code == 0, done.output
    names = {
        path.stem: [slo["name"] for slo in yaml.safe_load(path.read_text())["spec"]["slos"]]
        for path in (tmp_path / "tenants").iterdir()
    }
    assert names == {"shop": ["availability", "speed"], "jobs": ["jobs"]}
    message = (
        'prometheus.yml:5:15: warning[import-decided] metrics of jobs need the label tenant="jobs"'
    )
    assert message in done.stderr


@pytest.mark.parametrize(
    ("label", "line", "column", "help_"),
    [
        ("slo.objectiv: 99.9", 6, 7, 'did you mean "slo.objective"?'),
        ("slo.fast.latncy: 300ms", 6, 7, 'did you mean "slo.fast.latency"?'),
        ("slo.chanel.slack: '#shop'", 6, 7, 'did you mean "slo.channel.slack"?'),
        ("slo.channel.slak: '#shop'", 6, 7, 'did you mean "slo.channel.slack"?'),
        ("slo.channel.slack.chanel: x", 6, 7, 'did you mean "slo.channel.slack.channel"?'),
        ("slo.qqqq: x", 6, 7, "expected one of: "),
    ],
)
def test_unknown_label_is_an_error_with_the_nearest_name(
    label: str, line: int, column: int, help_: str, tmp_path: Path
) -> None:
    done = imported(tmp_path, "compose", f"{SERVICE}      {label}\n")
    assert done.exit_code == 1
    assert findings(done) == [(line, column, "import-unknown-key")]
    assert help_ in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("99.9", "0.999", (4, 22, "objective"), "below 1 percent"),
        ("99.9", "${TARGET}", (4, 22, "import-refused"), 'Compose fills in "${TARGET}"'),
        ("http_requests_total", "http_requests_total{", (5, 19, "import-refused"), "no selector"),
        ("http_requests_total", "x_seconds", (5, 19, "import-refused"), "is a histogram"),
        ("slo.metric", "slo.errors", (5, 7, "import-refused"), "found slo.errors"),
        (
            "slo.objective: 99.9",
            "slo.period: 7d",
            (2, 3, "import-refused"),
            '"slo.objective" is mis',
        ),
        ("http_requests_total", "a[5m]", (5, 19, "import-refused"), "no selector"),
    ],
)
def test_wrong_label_is_an_error_at_its_place(
    old: str, new: str, place: tuple[int, int, str], message: str, tmp_path: Path
) -> None:
    done = imported(tmp_path, "compose", SERVICE.replace(old, new))
    assert done.exit_code == 1
    assert findings(done) == [place]
    assert message in done.stderr


def test_wrong_query_of_a_list_is_an_error_under_its_token(tmp_path: Path) -> None:
    text = COMPOSE.replace("jobs_failed_total[$$window]", "jobs_failed_total[$$windw]")
    done = imported(tmp_path, "compose", text)
    assert done.exit_code == 1
    line = text[: text.index("$$windw")].count("\n") + 1
    assert [place[0] for place in findings(done) if place[2] != "import-left-out"] == [line]


def test_service_without_tenant_is_an_error_that_names_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = composed(tmp_path, monkeypatch, SERVICE)
    assert done.exit_code == 1
    assert findings(done) == [(2, 3, "import-refused")]
    assert "--tenant NAME" in done.stderr


def test_channel_that_two_services_name_differently_is_an_error(tmp_path: Path) -> None:
    other = SERVICE.replace("services:\n", "").replace("checkout", "search")
    text = f"{SERVICE}      slo.channel.slack: '#a'\n{other}      slo.channel.slack: '#b'\n"
    done = imported(tmp_path, "compose", text)
    assert findings(done) == [(11, 7, "import-refused")]
    assert 'slo.channel.slack is "#a" at' in done.stderr


def test_metric_without_total_in_its_name_is_a_gauge(tmp_path: Path) -> None:
    done = imported(tmp_path, "compose", SERVICE.replace("http_requests_total", "probe_success"))
    assert slos_of(done)[0]["sli"] == {"availability": {"gauge": "probe_success"}}
    assert "is taken for a gauge" in done.stderr


def test_project_that_is_there_is_compared_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PROJECT.replace('"10s"', "15s").replace('"3.5"', '"3.4"')
    (tmp_path / "slo-compiler.yaml").write_text(text, encoding="utf-8")
    done = composed(tmp_path, monkeypatch, COMPOSE, "-o", "tenants")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "slo-compiler.yaml").read_text(encoding="utf-8") == text
    assert 'write prometheus: {scrape_interval: "10s"} there' in done.stderr
    assert 'write prometheus: {version: "3.5"} there' in done.stderr
    assert "the evaluation interval is" not in done.stderr


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ("../prometheus.yml", "may be anywhere"),
        ("/etc/passwd", "may be anywhere"),
        ("./link.yml", "leads out of the folder"),
        ("./missing.yml", "cannot read"),
        ("named-volume", "is not mounted from a file"),
    ],
)
def test_configuration_outside_of_the_folder_is_not_read(
    mount: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prometheus.yml").write_text(CONFIG, encoding="utf-8")
    here = tmp_path / "here"
    here.mkdir()
    (here / "link.yml").symlink_to(tmp_path / "prometheus.yml")
    text = COMPOSE.replace("./prometheus.yml", mount)
    done = composed(here, monkeypatch, text, "-o", "tenants")
    assert done.exit_code == 0, done.output
    assert message in done.stderr
    assert "interval" not in (here / "slo-compiler.yaml").read_text(encoding="utf-8")


@pytest.mark.processes
def test_jobs_without_label_make_a_project_of_one_tenant_without_isolation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = CONFIG.replace(", labels: {tenant: shop}", "")
    (tmp_path / "prometheus.yml").write_text(bare, encoding="utf-8")
    done = composed(tmp_path, monkeypatch, COMPOSE, "-o", "tenants")
    assert done.exit_code == 0, done.output
    project = yaml.safe_load((tmp_path / "slo-compiler.yaml").read_text(encoding="utf-8"))
    assert project["spec"]["isolation"] == "none"
    assert CliRunner().invoke(main, ["check"]).exit_code == 0


def test_interval_of_a_job_becomes_that_of_its_tenant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONFIG.replace("job_name: worker", "job_name: worker\n    scrape_interval: 30s")
    (tmp_path / "prometheus.yml").write_text(text, encoding="utf-8")
    done = composed(tmp_path, monkeypatch, COMPOSE, "-o", "tenants")
    assert done.exit_code == 0, done.output
    manifest = yaml.safe_load((tmp_path / "tenants/shop.yaml").read_text(encoding="utf-8"))
    assert manifest["spec"]["defaults"] == {"period": "30d", "scrape_interval": "30s"}


def test_hostile_names_stay_in_their_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of a job or an image cannot end its comment, or its string."""
    config = CONFIG.replace("job_name: checkout", 'job_name: "a\\"}\\nspec: {x: 1}"')
    (tmp_path / "prometheus.yml").write_text(config, encoding="utf-8")
    text = COMPOSE.replace("prom/prometheus:v3.5.0", '"a\\nb/prometheus:v3.5.0"')
    done = composed(tmp_path, monkeypatch, text, "-o", "tenants")
    assert done.exit_code == 0, done.output
    project = yaml.safe_load((tmp_path / "slo-compiler.yaml").read_text(encoding="utf-8"))
    assert {*project} == {"apiVersion", "kind", "spec"}
    manifest = yaml.safe_load((tmp_path / "tenants/shop.yaml").read_text(encoding="utf-8"))
    assert manifest["spec"]["slos"][0]["sli"]["ratio"]["total"] == "http_requests_total"
