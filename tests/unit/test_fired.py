"""Why an alert fired: read from any of its forms, explained by the manifest that it came from."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cases import ROOT
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler import pipeline
from slo_compiler.cli import main
from slo_compiler.view.fired import read_alerts

TENANT = "tenants/customer-b.yaml"
LABELS = {
    "alertname": "SLOErrorBudgetBurn",
    "tenant": "customer-b",
    "service": "checkout",
    "slo": "availability",
    "severity": "page",
    "tier": "page-fast",
    "long_window": "1h",
    "plan": "gold",
}
EVIDENCE = {
    "error_ratio": "30%",
    "burn_rate": "300.00",
    "budget_remaining": "73.7%",
    "time_to_exhaustion": "2h 2m 0s",
    "description": "Promised: 99.9% over 30d: Requests answered without a server error",
    "runbook_url": "https://runbooks.example/checkout",
}


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a git repo with the examples, in a folder below its top."""
    folder = tmp_path / "repo" / "slo"
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns("generated", "demo"))
    git(tmp_path / "repo", "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    monkeypatch.chdir(folder)
    return folder


def version(repo: Path) -> str:
    digest = hashlib.sha256((repo / TENANT).read_bytes()).hexdigest()[:12]
    return f"{TENANT} sha256:{digest}"


def alert(manifest: str = "", **labels: str) -> dict[str, Any]:
    annotations = EVIDENCE | ({"manifest": manifest} if manifest else {})
    began = "2026-11-26T14:29:29.861Z"
    return {"labels": LABELS | labels, "annotations": annotations, "startsAt": began}


def run(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(main, ["explain", *words], input=given, catch_exceptions=False)


def why(data: object) -> str:
    done = run("--alert", "-", given=json.dumps(data))
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.processes
def test_page_is_explained_with_its_arithmetic_its_evidence_and_its_receivers(repo: Path) -> None:
    assert why(alert(version(repo))) == (
        """\
customer-b/checkout/availability  page-fast (page)  since 2026-11-26 14:29:29 UTC
  plan="gold"
  rule      error ratio above 0.0144 over 1h and 5m, with at least 5 errors: burn rate 14.4 x budget 0.001, or 2% of the budget in 1h
  measured  30% of events failed over 1h: burn rate 300.00
  budget    73.7% was left; at this pace it is spent in 2h 2m 0s
  promised  99.9% over 30d: Requests answered without a server error
  manifest  tenants/customer-b.yaml:21, as it is now
  notified  incident (slack), oncall (pagerduty), sre (email), board (webhook)
  runbook   https://runbooks.example/checkout
"""  # noqa: E501
    )


@pytest.mark.processes
def test_alert_of_an_older_manifest_is_explained_by_its_commit(repo: Path) -> None:
    old = version(repo)
    manifest = repo / TENANT
    text = manifest.read_text("utf-8")
    assert "objective: 99.9\n" in text
    changed = text.replace("objective: 99.9\n", "objective: 99.5\n")
    manifest.write_text(f"# moved\n{changed}", "utf-8")
    git(repo, "commit", "--quiet", "--all", "--message", "second")
    now = why(alert(version(repo)))
    assert "error ratio above 0.072 over" in now
    assert f"manifest  {TENANT}:22, as it is now\n" in now
    then = why(alert(old))
    assert "error ratio above 0.0144 over" in then
    commit = subprocess.run(
        ["git", "log", "--max-count=1", "--skip=1", "--format=%h of %cs"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert f"manifest  {TENANT}:21, in commit {commit}; it was changed since\n" in then


@pytest.mark.processes
@pytest.mark.usefixtures("repo")
def test_alerts_of_several_slos_resolve_the_project_once(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = []
    resolve = pipeline.resolve_project

    def counted(*given: Any) -> object:  # noqa: ANN401  (passed on)
        resolved.append(given)
        return resolve(*given)

    monkeypatch.setattr(pipeline, "resolve_project", counted)
    others = [
        alert(),
        alert(tenant="customer-a", service="storefront"),
        alert(tenant="customer-f", service="batch", slo="success", tier="ticket-slow"),
    ]
    shown = why({"alerts": others})
    assert [f"{each['labels']['tenant']}/" in shown for each in others] == [True] * 3
    assert len(resolved) == 1


@pytest.mark.processes
@pytest.mark.usefixtures("repo")
def test_alert_of_a_manifest_that_no_commit_has_is_reported_so() -> None:
    found = why(alert(f"{TENANT} sha256:0123456789ab"))
    assert "as it is now; the alert is of another version, which no commit has\n" in found


@pytest.mark.processes
def test_alert_of_a_manifest_outside_of_a_repo_is_reported_so(repo: Path) -> None:
    shutil.rmtree(repo.parent / ".git")
    found = why(alert(f"{TENANT} sha256:0123456789ab"))
    assert "the alert is of another version, and git reports: fatal: not a git repository" in found


@pytest.mark.processes
@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "-p", ":(top)x", "a b\x1b[31m", "/etc/passwd"]
)
def test_files_that_an_alert_names_are_looked_for_in_the_repo_only(name: str) -> None:
    found = why(alert(f"{name} sha256:0123456789ab"))
    assert "the alert is of another version" in found
    assert "\x1b" not in found


@pytest.mark.processes
def test_step_that_waits_names_its_own_receivers(repo: Path) -> None:
    found = why(alert(version(repo), escalation="2"))
    assert "  notified  lead (pagerduty) after 15m\n" in found


@pytest.mark.processes
@pytest.mark.usefixtures("repo")
def test_alert_of_an_slo_that_is_not_there_is_explained_by_its_evidence() -> None:
    found = why(alert(slo="gone"))
    assert "manifest  no such SLO, as it is now; the alert does not name its version\n" in found
    assert "measured  30% of events failed over 1h: burn rate 300.00\n" in found


@pytest.mark.processes
@pytest.mark.parametrize(
    "shape",
    [
        lambda a: a,
        lambda a: [a],
        lambda a: {"version": "4", "receiver": "x", "alerts": [a]},
        lambda a: {"status": "success", "data": {"alerts": [a | {"activeAt": a.pop("startsAt")}]}},
    ],
    ids=["alert", "api-v2", "webhook", "prometheus"],
)
def test_alert_is_read_from_json_of_each_source(repo: Path, shape: Any) -> None:  # noqa: ANN401
    found = why(shape(alert(version(repo))))
    assert found.startswith(
        "customer-b/checkout/availability  page-fast (page)  since 2026-11-26 14:29:29 UTC\n"
    )


@pytest.mark.processes
@pytest.mark.usefixtures("repo")
def test_labels_alone_are_enough() -> None:
    done = run(
        "--alert", '{tenant="customer-b", service="checkout",slo="availability",tier="ticket-fast"}'
    )
    assert done.exit_code == 0
    assert "error ratio above 0.003 over 1d and 2h" in done.stdout
    assert "measured" not in done.stdout


@pytest.mark.processes
def test_several_alerts_are_explained_in_their_order_and_as_json(repo: Path) -> None:
    both = [alert(version(repo)), alert(version(repo), tier="page-slow", long_window="6h")]
    done = run("--alert", "-", "--format", "json", given=json.dumps(both))
    records = json.loads(done.stdout)
    assert [record["labels"]["tier"] for record in records] == ["page-fast", "page-slow"]
    assert records[1]["rule"].startswith("error ratio above 0.006 over 6h and 30m")


@pytest.mark.processes
@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "there is no alert in it"),
        ("nonsense", "there is no alert in it"),
        ("[]", "there is no alert in it"),
        ('{"labels": {"alertname": "Up"}}', "Up has no label tenant: it is no alert of an SLO"),
        ("[" * 100_000, "there is no alert in it"),
    ],
)
def test_input_without_an_alert_of_an_slo_is_a_usage_error(given: str, message: str) -> None:
    done = run("--alert", "-", given=given)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.processes
@pytest.mark.usefixtures("repo")
def test_file_that_is_not_there_is_a_usage_error() -> None:
    done = run("--alert", "absent.json")
    assert done.exit_code == 2
    assert "No such file" in done.stderr


@pytest.mark.processes
@pytest.mark.usefixtures("repo")
def test_alert_beside_a_name_is_a_usage_error() -> None:
    assert run("customer-b", "--alert", "-").exit_code == 2
    assert run().exit_code == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["alerts", "data", "labels", "annotations", "startsAt", "tenant"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    try:
        read_alerts(json.dumps(value))
    except ValueError:
        return
