"""Findings that follow from one cause are one, in the command line and in the API."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cases import ROOT
from click.testing import CliRunner

from slo_compiler import compile_paths
from slo_compiler.cli import main
from slo_compiler.diagnostics import (
    MAX_PLACES,
    Cause,
    Diagnostic,
    Position,
    Severity,
    one_per_cause,
)


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples, in a project that has renamed the severity `page`."""
    left_out = shutil.ignore_patterns("generated", "vocabulary", "severities", "demo", ".*")
    shutil.copytree(ROOT / "examples", tmp_path / "repo", ignore=left_out)
    project = tmp_path / "repo/slo-compiler.yaml"
    renamed = "  severities: {urgent: page, ticket: ticket}\n"
    project.write_text(project.read_text(encoding="utf-8") + renamed, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "repo")
    return tmp_path / "repo"


@pytest.mark.usefixtures("examples")
def test_check_with_a_renamed_severity_has_one_finding_with_all_places() -> None:
    done = CliRunner().invoke(main, ["check", "--no-cache"], catch_exceptions=False)
    assert done.exit_code == 1
    assert done.stderr.endswith("\n1 error\n")
    assert done.stderr.startswith(
        'tenants/customer-a.yaml:15:13: error[undefined-severity] the policy "sre-workbook" has '
        'alerts of severity "page", which the project\'s severities lack; they are: urgent'
    )
    assert "; the same at tenants/customer-a.yaml:12, tenants/customer-b.yaml:16,17,21, " in (
        done.stderr
    )


def test_compile_paths_with_a_renamed_severity_has_one_finding(examples: Path) -> None:
    found = compile_paths(project=examples / "slo-compiler.yaml").diagnostics
    assert [d.id for d in found if d.severity is Severity.ERROR] == ["undefined-severity"]


@pytest.mark.usefixtures("examples")
def test_check_of_one_file_names_the_places_of_that_file_alone() -> None:
    done = CliRunner().invoke(
        main, ["check", "--no-cache", "tenants/customer-b.yaml"], catch_exceptions=False
    )
    assert "; the same at tenants/customer-b.yaml:16,17\n" in done.stderr
    assert done.stderr.count("undefined-severity") == 1


def test_own_policy_with_a_renamed_severity_has_one_finding_and_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(
        ROOT / "examples/severities", tmp_path / "repo", ignore=shutil.ignore_patterns("generated")
    )
    monkeypatch.chdir(tmp_path / "repo")
    project = Path("slo-compiler.yaml")
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace("page: {label", "urgent: {label"), encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "--no-cache"], catch_exceptions=False)
    assert done.stderr.endswith("; the same at tenants/acme.yaml:10,13,18,19\n1 error\n")


def finding(path: str, line: int, cause: Cause | None, id_: str = "x") -> Diagnostic:
    return Diagnostic(Position(path, line), Severity.ERROR, id_, f"{path} {line}", "help", cause)


def test_one_per_cause_keeps_the_lowest_rank_and_what_has_no_cause() -> None:
    found = [
        finding("a", 1, Cause("page", rank=1)),
        finding("a", 2, None),
        finding("b", 3, Cause("page")),
        finding("b", 4, Cause("page"), "another-id"),
        finding("b", 5, Cause("ticket")),
        finding("c", 6, Cause("page", rank=1)),
    ]
    kept = one_per_cause(found)
    assert [(str(d.position), d.help) for d in kept] == [
        ("a:2:1", "help"),
        ("b:3:1", "help; the same at a:1, c:6"),
        ("b:4:1", "help"),
        ("b:5:1", "help"),
    ]


def test_one_per_cause_lists_a_limited_number_of_files() -> None:
    found = [finding(f"{n:03}", 1, Cause("page")) for n in range(MAX_PLACES + 3)]
    (kept,) = one_per_cause(found)
    assert kept.help.endswith(f"{MAX_PLACES:03}:1, and in 2 more files")
