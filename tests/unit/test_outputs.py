"""The full output of each command on the repo of seven tenants, kept beside this file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cases import ROOT
from click.testing import CliRunner
from kept import Kept
from query_server import sample, serving

from slo_compiler import __version__
from slo_compiler.cli import main

FOLDER = "outputs"
SLO = "customer-b/checkout/availability"
ALERT = (
    '{alertname="SLOErrorBudgetBurn", tenant="customer-b", service="checkout", '
    'slo="availability", severity="page", tier="page-fast", long_window="1h"}'
)
PART = ("--part", "alertmanager")
# What differs between machines and moments, and digests, which change with each template.
_MASKS = (
    (re.compile(r" {2,}[0-9]+\.[0-9] s\b"), "  <seconds>"),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b"), "<digest>"),
    (re.compile(rf"slo-compiler {re.escape(__version__)}\b"), "slo-compiler <version>"),
    (re.compile(r'"slo_compiler": "[^"]*"'), '"slo_compiler": "<version>"'),
    (re.compile(r"\b[0-9]+ kB\b"), "<size> kB"),
    (re.compile(r"http://127\.0\.0\.1:[0-9]+"), "http://<server>"),
)
COMMANDS = {
    "check": ["check"],
    "check-json": ["check", "--format", "json"],
    "compile": ["compile", "-o", "elsewhere"],
    "compile-again": ["compile"],
    "cost": ["cost"],
    "diff": ["diff", "../before"],
    "diff-json": ["diff", "../before", "--format", "json"],
    "diff-markdown": ["diff", "../before", "--format", "markdown"],
    "diff-nothing": ["diff", "."],
    "explain": ["explain", SLO],
    "explain-alert": ["explain", "--alert", ALERT],
    "explain-json": ["explain", SLO, "--format", "json"],
    "lints": ["lints"],
    "report": ["report"],
    "test-routes": ["test", "--only", "routes", "--all"],
    "test-slo": ["test", "--slo", SLO, "--all"],
    "verify": ["verify", "generated"],
    "verify-json": ["verify", "generated/alertmanager", *PART, "--format", "json"],
}
# A line of each of three files: as it is in the repo, and as it was in the folder `before`.
EDITS = {
    "tenants/customer-b.yaml": ("      objective: 99.9\n", "      objective: 99.95\n"),
    "tenants/customer-a.yaml": ("notify: [incident, oncall]", "notify: [incident]"),
    "slo-compiler.yaml": ("09:00-17:00", "09:00-16:00"),
}


def masked(text: str) -> str:
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def run(*words: str, code: int = 0) -> str:
    """Run a command; give what it prints on both streams, each under its name."""
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == code, done.output
    streams = (("stdout", done.stdout), ("stderr", done.stderr))
    return masked("".join(f"--- {name}\n{text}" for name, text in streams if text))


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a copy of the seven tenants, compiled, beside a copy as it was before some edits."""
    top = tmp_path_factory.mktemp("outputs")
    for name in ("now", "before"):
        folder = top / name
        folder.mkdir()
        for part in ("tenants", "alertmanager"):
            shutil.copytree(ROOT / "examples" / part, folder / part)
        shutil.copy(ROOT / "examples/slo-compiler.yaml", folder)
    for file, (now, old) in EDITS.items():
        path = top / "before" / file
        text = path.read_text(encoding="utf-8")
        assert now in text
        path.write_text(text.replace(now, old), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top / "now")
        run("compile")
    return top / "now"


@pytest.fixture(autouse=True)
def _inside(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(repo)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("CI", "true")
    yield
    shutil.rmtree(repo / "elsewhere", ignore_errors=True)


@pytest.mark.processes
@pytest.mark.parametrize("name", COMMANDS)
def test_output_of_a_command_is_as_it_is_kept(name: str, pytestconfig: pytest.Config) -> None:
    Kept.of(pytestconfig, FOLDER).assert_kept(f"{name}.txt", run(*COMMANDS[name]))


def test_output_of_status_is_as_it_is_kept(pytestconfig: pytest.Config) -> None:
    with serving(answer) as (url, _):
        shown = run("status", "--prometheus", url)
    Kept.of(pytestconfig, FOLDER).assert_kept("status.txt", shown)


def test_output_of_verify_of_an_edited_folder_is_as_it_is_kept(
    repo: Path, pytestconfig: pytest.Config
) -> None:
    folder = repo / "elsewhere"
    shutil.copytree(repo / "generated", folder)
    (folder / "prometheus/rules/customer-b.yml").write_text("groups: []\n", encoding="utf-8")
    (folder / "prometheus/rules/customer-c.yml").unlink()
    (folder / "prometheus/rules/other.yml").write_text("groups: []\n", encoding="utf-8")
    shown = run("verify", "elsewhere/prometheus/rules", "--part", "prometheus/rules", code=1)
    Kept.of(pytestconfig, FOLDER).assert_kept("verify-edited.txt", shown)


def test_each_kept_output_is_of_a_command(pytestconfig: pytest.Config) -> None:
    kept = {path.stem for path in Kept.of(pytestconfig, FOLDER).folder.iterdir()}
    assert kept == {*COMMANDS, "status", "verify-edited"}


def answer(query: str) -> list[dict[str, Any]]:
    """Answer as a server does that records two SLOs, of which one pages."""
    burning = {"tenant": "customer-b", "service": "checkout", "slo": "availability"}
    fine = {"tenant": "customer-a", "service": "storefront", "slo": "availability"}
    if query.startswith("slo_info"):
        return [
            sample(1, **burning, objective="99.9", period="30d", stage="live"),
            sample(1, **fine, objective="99.95", period="30d", stage="live"),
        ]
    if query.startswith("ALERTS"):
        alert = {"alertname": "SLOErrorBudgetBurn", "tier": "page-fast", "severity": "page"}
        return [sample(1, **burning, **alert)]
    return [sample(0.3, **burning), sample(0.0002, **fine)]
