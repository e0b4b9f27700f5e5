"""diff: each kind of edit gives exactly the lines that a reviewer needs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from kept import Kept

from slo_compiler.cli import inputs
from slo_compiler.cli.states import resolved
from slo_compiler.diagnostics import Report
from slo_compiler.pipeline import compile_project
from slo_compiler.view.diff import compare
from slo_compiler.view.diff_text import NOTHING, as_text
from slo_compiler.view.state import ProjectState

WORLD = Path(__file__).parents[1] / "support" / "diff_world"
FOLDER = "diff_edits"
ACME, BETA = "tenants/acme.yaml", "tenants/beta.yaml"
PROJECT = "slo-compiler.yaml"
POLICY = "policies/own.yaml"
CHECKOUT = "description: Requests answered without a server error\n      objective: 99.9\n"
JOURNEY = "".join((WORLD / ACME).read_text(encoding="utf-8").partition("    - name: journey")[1:])
# Lines that change with each character of a manifest, or with its lines.
_DIGESTS = re.compile(r"(?m)^\s*manifest: .*$|sha256:[0-9a-f]+|(?<=\.yaml):\d+")


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of one file."""

    name: str
    file: str
    old: str
    new: str


EDITS = (
    # What an SLO promises, and when it alerts.
    Edit("objective-lower", ACME, CHECKOUT, CHECKOUT.replace("99.9", "99.5")),
    Edit("objective-higher", ACME, CHECKOUT, CHECKOUT.replace("99.9", "99.95")),
    Edit("period-of-an-slo", ACME, CHECKOUT, f"{CHECKOUT}      period: 28d\n"),
    Edit("guard-removed", ACME, "min_errors: 5, ", ""),
    Edit("guard-higher", ACME, "min_errors: 5, ", "min_errors: 9, "),
    Edit("stage-shadow", ACME, CHECKOUT, f"{CHECKOUT}      stage: shadow\n"),
    Edit("slo-removed", ACME, JOURNEY, ""),
    Edit(
        "slo-added",
        ACME,
        "    - {template: http, with: {job: cart}}\n",
        "    - {template: http, with: {job: cart}}\n    - {template: http, with: {job: search}}\n",
    ),
    Edit("slo-renamed", ACME, "- name: journey", "- name: way"),
    Edit("slo-renamed-formerly", ACME, "- name: journey", "- name: way\n      formerly: journey"),
    # What it counts.
    Edit("query-of-errors", ACME, 'code=~"5.."}\n', 'code=~"5..|429"}\n'),
    Edit("query-by", ACME, "        ratio:\n", "        ratio:\n          by: [region]\n"),
    Edit("latency-threshold", ACME, "threshold: 300ms", "threshold: 500ms"),
    Edit("composite-weight", ACME, "weight: 2", "weight: 3"),
    Edit("exclusion-times", ACME, "02:00-04:00", "02:00-05:00"),
    Edit("exclusion-for-all", ACME, "      slos: [cart/availability]\n", ""),
    Edit("isolation-matchers", PROJECT, "namespace: beta}", "namespace: beta-prod}"),
    Edit("dependency-removed", ACME, "      depends_on: [beta/ingress/availability]\n", ""),
    # Who is notified.
    Edit("receiver-removed", ACME, "notify: [oncall, chat]", "notify: [oncall]"),
    Edit("receivers-added", ACME, "notify: [chat], hours", "notify: [chat, lead, oncall], hours"),
    Edit("wait-longer", ACME, "firing_for: 15m", "firing_for: 30m"),
    Edit("hours-removed", ACME, ", hours: business", ""),
    Edit("hours-of-project", PROJECT, "09:00-17:00", "08:00-18:00"),
    Edit("channel-address", ACME, "lead@acme.example", "boss@acme.example"),
    Edit("channel-secret", ACME, "secrets/acme/pagerduty", "secrets/acme/pagerduty-2"),
    Edit("channel-kind", ACME, "email: {to: [lead@acme.example]}", 'webhook: {url: "http://x/"}'),
    Edit("budget-step", ACME, "budget_below: 10%", "budget_below: 20%"),
    # Words.
    Edit("description", ACME, "a server error", "an error"),
    Edit("runbook", ACME, "runbooks.example/checkout", "runbooks.example/pay"),
    Edit("owner", ACME, "owner: acme-sre", "owner: acme-platform"),
    Edit("tenant-label", ACME, "plan: gold", "plan: silver"),
    Edit("slo-label", ACME, CHECKOUT, f"{CHECKOUT}      labels: {{team: pay}}\n"),
    Edit("annotation", ACME, "alerting: {", "alerting: {annotations: {hint: look at the queue}, "),
    Edit("alert-name", ACME, "alerting: {", "alerting: {name: CheckoutBurns, "),
    # Policies and templates.
    Edit("policy-share", POLICY, "budget_share: 2%", "budget_share: 4%"),
    Edit("policy-window", POLICY, "long_window: 1h", "long_window: 2h"),
    Edit("policy-wait", POLICY, "short_window: 5m", "short_window: 5m, for: 2m"),
    Edit("policy-no-data", POLICY, "no_data_for: 10m", "no_data_for: 20m"),
    Edit(
        "policy-tier",
        POLICY,
        "  no_data_for",
        "    - {name: page-slow, severity: page, budget_share: 5%, long_window: 6h, "
        "short_window: 30m}\n  no_data_for",
    ),
    Edit("template-objective", "templates/http.yaml", "objective: 99.9", "objective: 99"),
    Edit("template-query", "templates/http.yaml", 'code=~"5.."', 'code=~"4..|5.."'),
    # The project.
    Edit("scrape-interval", PROJECT, "scrape_interval: 15s", "scrape_interval: 30s"),
    Edit("evaluation-interval", PROJECT, "evaluation_interval: 30s", "evaluation_interval: 1m"),
    Edit("prometheus-version", PROJECT, 'version: "3.5"', 'version: "2.53"'),
    Edit("external-labels", PROJECT, "interval: 30s}", "interval: 30s, external_labels: [region]}"),
    Edit("targets", PROJECT, "[prometheus, alertmanager]", "[prometheus, alertmanager, grafana]"),
    Edit("severity-label", PROJECT, "page: page", "page: critical"),
    Edit("severity-labels", PROJECT, "queue: day", "queue: week"),
    Edit("group-wait", PROJECT, "group_wait: 30s", "group_wait: 1m"),
    Edit("heartbeat", PROJECT, "deadman.internal/slo", "deadman.internal/other"),
    Edit("project-period", PROJECT, "period: 30d", "period: 28d"),
    Edit("base-configuration", "alertmanager/base.yml", "nobody", "somebody"),
    # What is no change of any rule or route.
    Edit("comment", ACME, "  slos:\n", "  # ours\n  slos:\n"),
    Edit("quota", PROJECT, "  hours:\n", "  quotas: {rules: 500}\n  hours:\n"),
)


@dataclass(frozen=True, slots=True)
class World:
    """A project before an edit."""

    state: ProjectState
    emitted: dict[str, str]


def _state(folder: Path) -> ProjectState:
    with ExitStack() as stack:
        read = resolved(str(folder), None, stack)
        found = read.compared() if read else None
    assert found is not None
    return found


def _emitted(folder: Path) -> dict[str, str]:
    """Compile a project; digests and lines of the manifests are left out."""
    report = Report()
    read = inputs.select(folder / PROJECT, (), report)
    compiled = compile_project(read.settings, read.files, report, whole=True, checked=False)
    return {
        each.path: _DIGESTS.sub("", each.text)
        for each in compiled.artefacts
        if each.path.endswith((".yml", ".json")) and "lock" not in each.path
    }


@pytest.fixture(scope="module")
def before() -> World:
    return World(_state(WORLD), _emitted(WORLD))


def _edited(folder: Path, edit: Edit) -> Path:
    shutil.copytree(WORLD, folder, dirs_exist_ok=True)
    _replace(folder, edit)
    return folder


def _replace(folder: Path, edit: Edit) -> None:
    path = folder / edit.file
    text = path.read_text(encoding="utf-8")
    assert edit.old in text
    path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_gives_the_lines_of_a_reviewer_and_none_only_if_nothing_is_emitted(
    edit: Edit, before: World, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    folder = _edited(tmp_path, edit)
    shown = as_text(compare(before.state, _state(folder)))
    assert shown != NOTHING or _emitted(folder) == before.emitted
    Kept.of(pytestconfig, FOLDER).assert_kept(f"{edit.name}.txt", shown)


@pytest.mark.parametrize("gone", [True, False], ids=["tenant-gone", "tenant-new"])
def test_a_tenant_that_comes_or_goes_is_one_line(
    tmp_path: Path, pytestconfig: pytest.Config, *, gone: bool
) -> None:
    folder = _edited(
        tmp_path, Edit("", ACME, "      depends_on: [beta/ingress/availability]\n", "")
    )
    both = _state(folder)
    (folder / BETA).unlink()
    config = folder / PROJECT
    text = config.read_text(encoding="utf-8")
    config.write_text(text[: text.index("  tenants:")], encoding="utf-8")
    one = _state(folder)
    states = (both, one) if gone else (one, both)
    name = "tenant-gone" if gone else "tenant-new"
    Kept.of(pytestconfig, FOLDER).assert_kept(f"{name}.txt", as_text(compare(*states)))


def test_a_change_of_the_project_does_not_hide_one_of_rules(before: World, tmp_path: Path) -> None:
    by_name = {edit.name: edit for edit in EDITS}
    folder = _edited(tmp_path, by_name["heartbeat"])
    _replace(folder, by_name["policy-no-data"])
    shown = as_text(compare(before.state, _state(folder)))
    assert "project  alertmanager.heartbeat.webhook.url http://deadman.internal/other" in shown
    assert "for 20m, was 10m" in shown


def test_a_former_name_that_comes_or_goes_is_what_happens_to_the_history(tmp_path: Path) -> None:
    by_name = {edit.name: edit for edit in EDITS}
    without, bridged = (
        _state(_edited(tmp_path / name, by_name[name]))
        for name in ("slo-renamed", "slo-renamed-formerly")
    )
    lost, found = as_text(compare(bridged, without)), as_text(compare(without, bridged))
    assert "  acme/shop/way  no longer counts the history of acme/shop/journey\n" in lost
    assert "  acme/shop/way  counts the history of acme/shop/journey, too\n" in found


def test_each_kept_output_is_of_an_edit(pytestconfig: pytest.Config) -> None:
    kept = {path.stem for path in Kept.of(pytestconfig, FOLDER).folder.iterdir()}
    assert kept == {*_names(), "tenant-gone", "tenant-new"}


def _names() -> Iterator[str]:
    return (edit.name for edit in EDITS)
