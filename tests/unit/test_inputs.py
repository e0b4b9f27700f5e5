"""Which files a command reads, and which tools it finds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cases import ROOT
from click.testing import CliRunner, Result

from slo_compiler import tools
from slo_compiler.cli import main

MANIFEST = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  sources: [tenants/]
  alertmanager: {heartbeat: {webhook: {url: "http://deadman.internal/slo"}}}
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SLO_COMPILER_TOOLS", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tenants/sub").mkdir(parents=True)
    (tmp_path / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
    for name in ("acme", "zeta"):
        text = MANIFEST.replace("acme", name)
        (tmp_path / "tenants" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, catch_exceptions=False)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def fake_tools(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("promtool", "amtool"):
        (folder / name).write_text("#!/bin/sh\nfor each; do echo SUCCESS; done\n", encoding="utf-8")
        (folder / name).chmod(0o755)


def test_project_file_is_found_in_a_folder_above(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(repo / "tenants/acme.yaml", "objective", "objektive")
    monkeypatch.chdir(repo / "tenants/sub")
    done = run("check")
    assert done.exit_code == 1
    assert done.stderr.startswith("../../tenants/acme.yaml:12:7: error[unknown-key]")


def test_check_of_one_file_reports_it_with_the_project_as_context(repo: Path) -> None:
    edit(repo / "tenants/zeta.yaml", "name: zeta", "name: acme")
    done = run("check", "tenants/zeta.yaml")
    assert done.exit_code == 1
    assert "tenants/zeta.yaml:3:18: error[duplicate-tenant]" in done.stderr
    other = run("check", "tenants/acme.yaml")
    assert other.exit_code == 1
    assert "error[" not in other.stderr
    assert other.stderr.endswith(
        "not checked to the end: 1 error in other files, the first at tenants/zeta.yaml:3:18; "
        "run slo-compiler check\n"
    )


def test_check_of_a_file_elsewhere_reads_no_context(repo: Path) -> None:
    (repo / "draft.yaml").write_text(MANIFEST, encoding="utf-8")
    assert run("check", "draft.yaml").exit_code == 0


def test_check_of_stdin_with_a_name_replaces_that_file(repo: Path) -> None:
    text = (repo / "tenants/acme.yaml").read_text(encoding="utf-8")
    done = run("check", "-", "--stdin-filename", "tenants/acme.yaml", stdin=text)
    assert done.exit_code == 0, done.stderr
    assert "2 SLOs of 2 tenants" in done.stderr
    bad = text.replace("objective", "objektive")
    done = run("check", "-", "--stdin-filename", "tenants/acme.yaml", stdin=bad)
    assert done.stderr.startswith("tenants/acme.yaml:12:7: error[unknown-key]")
    new = text.replace("acme", "beta")
    done = run("check", "-", "--stdin-filename", "tenants/beta.yaml", stdin=new)
    assert "3 SLOs of 3 tenants" in done.stderr
    assert run("check", "tenants", "--stdin-filename", "x").exit_code == 2


def test_sources_of_the_whole_repo_compile_twice(repo: Path) -> None:
    edit(repo / "slo-compiler.yaml", "[tenants/]", "[.]")
    for _ in range(2):
        done = run("compile")
        assert done.exit_code == 0, done.stderr
        assert "2 SLOs of 2 tenants" in done.stderr


def test_output_over_sources_is_refused(repo: Path) -> None:
    edit(repo / "slo-compiler.yaml", "sources", "output: tenants/\n  sources")
    done = run("compile")
    assert done.exit_code == 1
    assert "slo-compiler.yaml:5:13: error[output-over-sources]" in done.stderr
    assert sorted(path.name for path in (repo / "tenants").iterdir()) == [
        *("acme.yaml", "sub", "zeta.yaml")
    ]


def test_bad_path_of_the_log_is_found_before_anything_is_written(repo: Path) -> None:
    done = run("compile", "--log-json", "absent/log")
    assert done.exit_code == 2
    assert "--log-json: cannot write absent/log: No such file or directory" in done.stderr
    assert not (repo / "generated").exists()


def test_strict_fails_where_a_tool_is_missing_and_nothing_is_written(repo: Path) -> None:
    done = run("compile", "--strict")
    assert done.exit_code == 1
    assert "error[tool-missing] promtool was not found, so its files were not" in done.stderr
    assert not (repo / "generated").exists()


@pytest.mark.processes
@pytest.mark.parametrize("place", [".tools", "home/.cache/slo-compiler/tools"])
def test_tools_are_found_beside_the_project_and_in_the_users_cache(
    repo: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    fake_tools(repo / place)
    monkeypatch.chdir(repo / "tenants/sub")
    done = run("check", "--strict")
    assert done.exit_code == 0, done.stderr
    assert "2 SLOs of 2 tenants: no errors, promtool and amtool agree\n" in done.stderr


@pytest.mark.processes
def test_only_tools_that_ran_are_named(repo: Path) -> None:
    fake_tools(repo / ".tools")
    edit(repo / "slo-compiler.yaml", "sources", "targets: [prometheus]\n  sources")
    assert run("check").stderr.splitlines()[-1].endswith("no errors, promtool agrees") or (
        ": no errors, promtool agrees\n" in run("check").stderr
    )


@pytest.mark.parametrize(
    ("system", "hint"),
    [
        ("Darwin", "`brew install prometheus alertmanager` brings both; else put promtool"),
        ("Windows", "the archives of Prometheus' and Alertmanager's releases hold both; put"),
        ("FreeBSD", "put promtool and amtool on PATH"),
    ],
)
def test_how_to_get_tools_fits_the_system(system: str, hint: str) -> None:
    assert tools.how_to_get(system).startswith(hint)


@pytest.mark.usefixtures("repo")
def test_init_prints_next_steps_and_what_it_writes_has_no_warning() -> None:
    done = run("init", "mine")
    assert "next:\n  cd mine && make rules" in done.stderr
    checked = run("compile", "--project", "mine/slo-compiler.yaml")
    assert checked.exit_code == 0, checked.stderr
    assert "warning" not in checked.stderr


@pytest.mark.processes
def test_make_in_the_repo_of_init_finds_the_compiler_that_made_it(repo: Path) -> None:
    assert run("init", "mine").exit_code == 0
    environment = {"PATH": "/usr/bin:/bin", "SLO_COMPILER_TOOLS": "none"}
    for target, expected in (
        ("help", "rules       compile the"),
        ("rules", "1 SLO of 1 tenant ->"),
    ):
        done = subprocess.run(
            ["make", target], cwd=repo / "mine", env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        assert expected in (done.stdout + done.stderr).decode()
