"""`report`: one HTML file, well-formed, complete, the same each time, without others' markup."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases import EXAMPLES, ROOT, VOCABULARY, WORDS, compiled
from click.testing import CliRunner, Result
from reports import MARKUP, Page, write_hostile

from slo_compiler.catalogue import ReportFacts
from slo_compiler.catalogue import page as render_page
from slo_compiler.catalogue.expense import Expenses
from slo_compiler.catalogue.live import live_of
from slo_compiler.cli import main
from slo_compiler.schema.severity import BY_DEFAULT
from slo_compiler.status import FiringAlert, SLOStatus, Status

PROJECTS = {"examples": ROOT / "examples", "vocabulary": VOCABULARY}
TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: tenant-{number:04}, owner: team-{number}}}
spec:
  channels:
    - {{name: oncall, pagerduty: {{routing_key_file: /etc/secrets/{number}/pagerduty}}}}
    - {{name: chat, webhook: {{url: "http://chat.internal/{number}"}}}}
  escalation:
    - {{severity: page, notify: [oncall, chat]}}
    - {{severity: ticket, notify: [chat]}}
  slos:
"""
SLO = """\
    - name: availability-{number}
      service: service-{number}
      description: Requests of service {number} answered without a server error
      objective: 99.{number}
      sli: {{ratio: {{errors: 'r{{job="{number}", code="500"}}', total: 'r{{job="{number}"}}'}}}}
      alerting: {{runbook: "https://runbooks.example/service-{number}"}}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments], catch_exceptions=False)


@cache
def html_of(name: str) -> str:
    done = run("--project", str(PROJECTS[name] / "slo-compiler.yaml"), "-o", "-")
    assert done.exit_code == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PROJECTS)
def test_page_is_well_formed_and_its_ids_are_unique(name: str) -> None:
    page = Page(html_of(name))
    ids = page.all("id")
    assert len(ids) == len({*ids}) > 10
    labelled = {*page.all("aria-labelledby")}
    assert labelled <= {*ids}


@pytest.mark.parametrize("name", PROJECTS)
def test_page_has_each_slo_in_its_table_and_in_its_data(name: str) -> None:
    page = Page(html_of(name))
    names = [f"{slo['tenant']}/{slo['service']}/{slo['slo']}" for slo in page.data["slos"]]
    links = [href.removeprefix("#/slo/") for href in page.all("href") if "#/slo/" in href]
    assert links == names
    cases = WORDS if name == "vocabulary" else (EXAMPLES,)
    tenants = [tenant for case in cases for tenant in compiled(case).tenants]
    declared = [f"{t.name}/{s.spec.service}/{s.spec.name}" for t in tenants for s in t.slos]
    assert sorted(names) == sorted(declared)


@pytest.mark.parametrize("name", PROJECTS)
def test_page_loads_nothing_and_runs_only_its_own_script(name: str) -> None:
    page = Page(html_of(name))
    assert page.all("src") == []
    assert {tag for tag, _ in page.elements} & {"link", "img", "iframe", "object", "base"} == set()
    assert not [key for _, attrs in page.elements for key in attrs if key.startswith("on")]
    assert page.all("style") == []
    (policy,) = (str(a["content"]) for _, a in page.elements if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; ")
    for text in (page.texts["style"][0], page.scripts[1]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert sink not in page.scripts[1]


def test_page_of_hostile_manifests_has_no_markup_of_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hostile(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = run("-o", "-")
    assert done.exit_code == 0, done.stderr
    page = Page(done.stdout)
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert "<img" not in done.stdout
    (slo,) = page.data["slos"]
    assert slo["description"] == f"{MARKUP} << 7 * 7 >> <% x %> ${{7 * 7}}"
    assert page.data["tenants"][0]["owner"] == MARKUP
    assert page.data["nodes"][0]["receiver"] == MARKUP


def hostile(value: Any) -> Any:  # noqa: ANN401  (JSON)
    """Put markup into each text, however deep."""
    if isinstance(value, dict):
        return {key: hostile(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hostile(each) for each in value]
    return f'{MARKUP}"\u2028' if isinstance(value, str) else value


def test_page_has_no_markup_of_any_text_that_it_shows() -> None:
    """Whatever a front end lets through: the page itself escapes each text."""
    data = Page(html_of("vocabulary")).data
    live = {"as_of": MARKUP, "notes": [MARKUP], "slos": {}}
    finding = {"id": MARKUP, "message": MARKUP, "help": MARKUP, "at": MARKUP}
    facts = {key: hostile(value) for key, value in data.items() if key != "live"}
    cells = {"cells": [(MARKUP, MARKUP, 0)]}
    expenses = Expenses(MARKUP, [{"name": MARKUP, **cells}], cells, {}, (MARKUP,))
    findings = [{**finding, "severity": "info"}]
    text = render_page(ReportFacts(**facts, findings=findings, expenses=expenses), live)
    found = Page(text)
    assert [tag for tag, _ in found.elements].count("script") == 2
    assert "<img" not in text
    assert "\u2028" not in found.scripts[0]
    assert found.data["slos"] == facts["slos"]


def test_page_links_lead_to_the_web_or_into_the_page() -> None:
    page = Page(html_of("examples"))
    assert all(href.startswith("#") for href in page.all("href"))
    assert r"/^https?:\/\//i.test(url)" in page.scripts[1]


@pytest.mark.processes
def test_page_same_manifests_give_the_same_bytes() -> None:
    command = [sys.executable, "-c", "from slo_compiler.cli import main; main()", "report", "-o-"]
    found = {
        subprocess.run(
            command,
            cwd=PROJECTS["examples"],
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": epoch},
            capture_output=True,
            check=True,
        ).stdout
        for seed, epoch in (("1", "0"), ("2", "1900000000"))
    }
    assert len(found) == 1
    assert len(found.pop()) > 50_000


def test_page_of_a_thousand_slos_stays_below_two_megabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sizes give what one more SLO takes; ten objectives, ten SLOs in each tenant."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tenants").mkdir()
    sizes = {}
    for tenants in (2, 8):
        for number in range(tenants):
            text = TENANT.format(number=number)
            text += "".join(SLO.format(number=each) for each in range(1, 11))
            (tmp_path / f"tenants/{number}.yaml").write_text(text)
        done = run("tenants", "-o", f"{tenants}.html")
        assert done.exit_code == 0, done.stderr
        sizes[tenants * 10] = (tmp_path / f"{tenants}.html").stat().st_size
    each = (sizes[80] - sizes[20]) / 60
    assert each < 1_300
    assert sizes[20] + 980 * each < 2_000_000


def test_curve_and_budget_are_the_arithmetic_of_the_workbook() -> None:
    """99.9 over 30d: 14.4 x 0.1 % in 1h; a full outage takes 3600 s x 0.0144 = 51.84 s."""
    data = Page(html_of("examples")).data
    (slo,) = (each for each in data["slos"] if each["tenant"] == "customer-b")
    fast, slow, *_ = data["tiers"][slo["tiers"]]
    assert fast["curve"] == [[0.0144, 3600.0], [1.0, 51.84]]
    assert slow["curve"] == [[0.006, 21600.0], [1.0, 129.6]]
    assert (fast["threshold_percent"], fast["waits"]) == ("1.44%", [900.0])
    budget = data["budgets"][slo["budget"]]
    assert (budget["percent"], budget["events"], budget["outage"]) == (
        "0.1%",
        "1 in 1,000",
        "43m12s",
    )
    assert budget["lasts"][0] == ["0.1%", "30d"]
    assert budget["lasts"][-1] == ["100%", "43m12s"]


@pytest.mark.parametrize("name", PROJECTS)
def test_path_of_each_alert_ends_at_the_channels_that_it_must_reach(name: str) -> None:
    """The path is read from the Alertmanager configuration, the channels from the manifests."""
    data = Page(html_of(name)).data
    nodes, seen = data["nodes"], 0
    for audience in data["audiences"]:
        for alert in audience:
            reached = sorted(
                (nodes[n]["channels"], (nodes[n]["hours"] or [""])[0]) for n in alert["routes"]
            )
            wanted = sorted((channels, hours) for channels, hours in alert["notifies"])
            if wanted:
                assert reached == wanted, alert
            seen += 1
    assert seen > 50
    for number, node in enumerate(nodes):
        assert node["up"] < number


def test_findings_of_one_message_are_joined_with_their_places() -> None:
    page = html_of("vocabulary")
    assert re.search(r'<code>missing-runbook</code> <span class="place">\d+ places</span>', page)
    assert page.count("this SLO pages, but has no runbook") == 1


def test_manifest_with_an_error_writes_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("kind: Tenant\n")
    done = run("a.yaml")
    assert done.exit_code == 1
    assert 'the key "apiVersion" is missing' in done.stderr
    assert not (tmp_path / "slo-report.html").exists()


def test_server_that_does_not_answer_writes_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = str(PROJECTS["examples"] / "slo-compiler.yaml")
    done = run("--project", project, "--prometheus", "http://127.0.0.1:1")
    assert done.exit_code == 1
    assert "error: " in done.stderr
    assert not (tmp_path / "slo-report.html").exists()
    wrong = run("--project", project, "--header", "A: b")
    assert wrong.exit_code == 2


def test_live_state_has_words_numbers_and_the_time_of_the_answer() -> None:
    alert = FiringAlert("SLOErrorBudgetBurn", "page", "page-fast", "")
    slo = SLOStatus(
        *("acme", "api", "fast", "99.9", "30d", "live", 5.0, 0.02, 0.0004),
        burn_rates={"1h": 20.0},
        budget_remaining=0.2,
        exhaustion=None,
        alerts=[alert],
    )
    status = Status([slo], {"acme": [alert]}, None, 3)
    now = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
    found = live_of(status, BY_DEFAULT, [(f"t{n}", "its rules do not run") for n in range(12)], now)
    assert found["as_of"] == "2026-11-26 09:30 UTC"
    assert found["notes"] == [
        "acme: SLOErrorBudgetBurn fires (page)",
        "t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and 2 more: its rules do not run",
    ]
    state = found["slos"]["acme/api/fast"]
    assert (state["state"], state["words"]) == ("page", "page: page-fast")
    assert (state["percent"], state["width"], state["level"]) == ("20%", 12.0, "low")
