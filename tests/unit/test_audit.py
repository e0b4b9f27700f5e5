"""--log-json: one record for each run, whether it succeeds or fails."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cases import ROOT
from click.testing import CliRunner

from slo_compiler.cli import main

pytestmark = pytest.mark.processes

TENANT = "tenants/customer-b.yaml"
GRANT = "  tenants:\n    internal-api: {matchers: {namespace: internal-api}}\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project of two tenants, compiled."""
    for file in ("slo-compiler.yaml", "alertmanager/base.yml", TENANT, "tenants/customer-f.yaml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "examples" / file, tmp_path / file)
    edit(tmp_path / "slo-compiler.yaml", GRANT, "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CI", "true")
    assert record("compile")["exit_code"] == 0
    return tmp_path


def record(*words: str) -> dict[str, Any]:
    """Run a command; return its record, which must be one line more than there were."""
    log = Path("audit.jsonl")
    before = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    done = CliRunner().invoke(main, [*words, "--log-json", str(log)])
    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines[:-1] == before
    found: dict[str, Any] = json.loads(lines[-1])
    assert found["exit_code"] == done.exit_code, done.output
    assert found["command"] == words[0]
    return found


def lock(repo: Path) -> str:
    content = (repo / "generated/slo-compiler.lock.json").read_bytes()
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_compile_records_counts_of_what_it_compiled(repo: Path) -> None:
    found = record("compile")
    assert found["counts"]["tenants"] == 2
    assert f"sha256:{found['outputs']['slo-compiler.lock.json']}" == lock(repo)
    assert found["changes"] == {"added": [], "changed": [], "removed": []}
    assert found["findings"]["error"] == 0


def test_compile_that_fails_records_its_findings_and_no_outputs(repo: Path) -> None:
    edit(repo / TENANT, "objective: 99.9\n", "objective: 101\n")
    found = record("compile")
    assert found["exit_code"] == 1
    assert found["findings"]["error"] == 1
    assert found["steps"][0]["step"] == "reading"
    assert "outputs" not in found


def test_compile_check_of_a_folder_that_is_out_of_date_records_what_would_change(
    repo: Path,
) -> None:
    edit(repo / TENANT, "objective: 99.9\n", "objective: 99.5\n")
    found = record("compile", "--check")
    assert found["exit_code"] == 1
    assert "prometheus/rules/customer-b.yml" in found["changes"]["changed"]


def test_proofs_that_pass_are_recorded_with_the_digest_of_the_output(repo: Path) -> None:
    found = record("test", "--tenant", "customer-f")
    assert found["exit_code"] == 0
    assert found["digest"] == lock(repo)
    assert {*found["tools"]} == {"promtool", "amtool"}
    assert {each["kind"] for each in found["proofs"]} == {"routes", "unit tests"}
    assert all(each["checks"] > 0 and each["failures"] == 0 for each in found["proofs"])
    assert found["steps"][-1]["step"] == "proving"


def test_proofs_that_fail_are_recorded_with_their_failures(repo: Path) -> None:
    config = repo / "generated/alertmanager/alertmanager.yml"
    edit(config, 'receiver: "slo/customer-f/ticket"', 'receiver: "slo-heartbeat"')
    found = record("test", "--only", "routes")
    assert found["exit_code"] == 1
    failed = {each["name"]: each["failures"] for each in found["proofs"] if each["failures"]}
    assert failed.keys() >= {"customer-f"}


def test_test_of_a_folder_without_proofs_is_recorded(repo: Path) -> None:
    assert repo.is_dir()
    found = record("test", "absent")
    assert found["exit_code"] != 0
    assert found["digest"] is None
    assert "proofs" not in found


def test_verify_records_the_state_of_the_files(repo: Path) -> None:
    found = record("verify", "generated")
    assert found["exit_code"] == 0
    assert found["compiled"]["digest"] == lock(repo)
    assert {*found["counts"]} == {"same"}
    edit(repo / "generated/prometheus/rules/customer-b.yml", "groups:", "# edited\ngroups:")
    found = record("verify", "generated")
    assert found["exit_code"] == 1
    assert found["counts"]["differs"] == 1


def test_verify_with_a_part_that_is_none_is_recorded_as_a_usage_error(repo: Path) -> None:
    assert repo.is_dir()
    assert record("verify", "generated", "--part", "nowhere")["exit_code"] == 2
