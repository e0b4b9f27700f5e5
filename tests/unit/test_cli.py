"""The command line as people use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cases import ROOT
from click.testing import CliRunner, Result
from pydantic import ValidationError

from slo_compiler.cli import main
from slo_compiler.schema import Tenant

MANIFEST = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, catch_exceptions=False)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLO_COMPILER_TOOLS", os.environ.get("SLO_COMPILER_TOOLS", f"{ROOT}/.tools"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.processes
def test_init_writes_a_repo_that_compiles_and_keeps_what_is_there(repo: Path) -> None:
    (repo / "Makefile").write_text("mine:\n")
    assert run("init").exit_code == 0
    assert (repo / "Makefile").read_text() == "mine:\n"
    done = run("compile")
    assert done.exit_code == 0, done.stderr
    assert "1 SLO of 1 tenant -> generated: 8 files written" in done.stderr
    assert done.stdout == ""
    again = run("compile", "--check")
    assert (again.exit_code, again.stdout) == (0, "")


@pytest.mark.processes
def test_check_flag_shows_the_diff_and_writes_nothing(repo: Path) -> None:
    (repo / "acme.yaml").write_text(MANIFEST)
    assert run("compile", "acme.yaml", "-o", "out").exit_code == 0
    before = {p: p.read_bytes() for p in repo.rglob("*") if p.is_file()}
    (repo / "acme.yaml").write_text(MANIFEST.replace("99.9", "99.5"))
    done = run("compile", "acme.yaml", "-o", "out", "--check")
    assert done.exit_code == 1
    assert "--- a/prometheus/rules/acme.yml\n+++ b/prometheus/rules/acme.yml\n" in done.stdout
    assert "\n-          vector(0.999)\n+          vector(0.995)\n" in done.stdout
    assert "out:1:1: error[out-of-date] out is out of date: 6 changed\n" in done.stderr
    (repo / "acme.yaml").write_text(MANIFEST)
    assert {p: p.read_bytes() for p in repo.rglob("*") if p.is_file()} == before


@pytest.mark.processes
def test_a_manifest_from_stdin(repo: Path) -> None:
    done = run("check", "-", stdin=MANIFEST)
    assert done.exit_code == 0
    assert "1 SLO of 1 tenant: no errors, promtool and amtool agree" in done.stderr
    bad = run("check", "-", stdin=MANIFEST.replace("objective", "objektive"))
    assert bad.exit_code == 1
    assert "\n<stdin>:12:7: error[unknown-key]" in bad.stderr
    assert not (repo / "generated").exists()


@pytest.mark.processes
def test_warnings_fail_only_with_strict(repo: Path) -> None:
    (repo / "acme.yaml").write_text(MANIFEST)
    assert run("check", "acme.yaml").exit_code == 0
    strict = run("check", "--strict", "acme.yaml")
    assert strict.exit_code == 1
    assert "warning[heartbeat-unrouted]" in strict.stderr


@pytest.mark.processes
def test_the_audit_log_records_each_step(repo: Path) -> None:
    (repo / "acme.yaml").write_text(MANIFEST)
    for _ in range(2):
        assert run("compile", "acme.yaml", "-o", "out", "--log-json", "log").exit_code == 0
    first, second = map(json.loads, (repo / "log").read_text().splitlines())
    assert first["changes"]["added"] != [] == second["changes"]["added"]
    assert first["steps"][0]["step"] == "reading"
    assert first["outputs"] == second["outputs"]
    assert {"promtool", "amtool"} == {*first["tools"]}


def test_usage_errors_exit_2(repo: Path) -> None:  # noqa: ARG001
    done = run("compile")
    assert done.exit_code == 2
    assert "no SOURCE, and no slo-compiler.yaml here or above that names one" in done.stderr
    assert run("nonsense").exit_code == 2


@pytest.mark.parametrize("command", ["compile", "check", "lints", "init", "schema", "tools"])
def test_each_command_explains_itself(command: str) -> None:
    done = run(command, "--help")
    assert done.exit_code == 0
    assert "Usage: main" in done.stdout


@pytest.mark.processes
def test_version_and_completion() -> None:
    binary = Path(sys.executable).parent / "slo-compiler"
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("slo-compiler, version ")
    environment = {**os.environ, "_SLO_COMPILER_COMPLETE": "bash_source"}
    script = subprocess.run([binary], env=environment, capture_output=True, text=True, check=True)
    assert "complete -o nosort" in script.stdout


def test_the_schema_describes_the_examples() -> None:
    import jsonschema  # noqa: PLC0415

    schema = json.loads(run("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in sorted((ROOT / "examples/tenants").glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert [*validator.iter_errors(data)] == [], path
        data["spec"]["slos"][0]["objectiv"] = 1
        assert [*validator.iter_errors(data)] != []
        with pytest.raises(ValidationError):
            Tenant.model_validate(data)
