"""`verify DIR`: a folder is byte for byte what the manifests compile to, or differences show."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cases import ROOT
from click.testing import CliRunner, Result

from slo_compiler.cli import main

MANIFEST = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
RULES = "prometheus/rules/acme.yml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiled project, on a machine without promtool and amtool."""
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slo-compiler.yaml").write_text(
        "apiVersion: slo-compiler/v1\nkind: Project\nspec: {sources: [acme.yaml]}\n"
    )
    (tmp_path / "acme.yaml").write_text(MANIFEST)
    assert run("compile").exit_code == 0
    return tmp_path


def states(result: Result) -> dict[str, str]:
    return {each["path"]: each["state"] for each in json.loads(result.stdout)["files"]}


@pytest.mark.usefixtures("repo")
def test_verify_folder_as_compiled_is_the_same_with_digest_and_versions() -> None:
    done = run("verify", "generated")
    assert (done.exit_code, done.stdout) == (0, "")
    first, second = done.stderr.splitlines()
    assert first == "generated is what the manifests compile to: 8 files, 8 same"
    assert second.startswith("compiled 1 SLO of 1 tenant: sha256:")
    assert second.endswith(", slo-compiler 0.1.0, for Prometheus 3.5 and Alertmanager 0.33")


def test_verify_copy_elsewhere_is_the_same(repo: Path) -> None:
    shutil.copytree(repo / "generated", repo / "deployed")
    assert run("verify", "deployed").exit_code == 0


def test_verify_changed_missing_and_extra_files_are_each_named(repo: Path) -> None:
    rules = repo / "generated" / RULES
    rules.write_text(rules.read_text().replace("0.0144", "0.0145"))
    (repo / "generated/alertmanager/routes.yml").unlink()
    (repo / "generated/prometheus/rules/mine.yml").write_text("groups: []\n")
    (repo / "generated/.hidden").write_text("")
    done = run("verify", "generated")
    assert done.exit_code == 1
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [
        ["extra", ".hidden"],
        ["missing", "alertmanager/routes.yml"],
        ["differs", RULES],
        ["extra", "prometheus/rules/mine.yml"],
    ]
    assert (
        "generated is not what the manifests compile to: "
        "10 files, 6 same, 1 differs, 1 missing and 2 extra\n"
    ) in done.stderr


def test_verify_edited_manifest_differs_and_nothing_is_written(repo: Path) -> None:
    (repo / "acme.yaml").write_text(MANIFEST.replace("99.9", "99.5"))
    before = {p: p.read_bytes() for p in (repo / "generated").rglob("*") if p.is_file()}
    done = run("verify", "generated", "--format", "json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["same"] is False
    assert states(done)[RULES] == "differs"
    assert {p: p.read_bytes() for p in (repo / "generated").rglob("*") if p.is_file()} == before


@pytest.mark.usefixtures("repo")
def test_verify_json_has_digests_of_all_files_and_of_the_whole() -> None:
    found = json.loads(run("verify", "generated", "--format", "json").stdout)
    assert found["same"] is True
    assert all(each["compiled"] == each["found"] != "" for each in found["files"])
    (lock,) = (e for e in found["files"] if e["path"] == "slo-compiler.lock.json")
    assert found["compiled"]["digest"] == f"sha256:{lock['compiled']}"


def test_verify_part_compares_one_folder_of_the_output(repo: Path) -> None:
    mounted = repo / "mounted"
    shutil.copytree(repo / "generated/prometheus/rules", mounted)
    done = run("verify", "mounted", "--part", "prometheus/rules/")
    assert done.exit_code == 0
    assert "mounted is the folder prometheus/rules of what the manifests" in done.stderr
    assert run("verify", "mounted").exit_code == 1
    wrong = run("verify", "mounted", "--part", "prometheus/rule")
    assert wrong.exit_code == 2
    assert 'the output has no folder "prometheus/rule": alertmanager' in wrong.stderr


def test_verify_volume_of_kubernetes_follows_its_links(repo: Path) -> None:
    volume = repo / "volume"
    shutil.copytree(repo / "generated/prometheus/rules", volume / "..2026_11_26")
    (volume / "..data").symlink_to("..2026_11_26")
    (volume / "acme.yml").symlink_to("..data/acme.yml")
    done = run("verify", "volume", "--part", "prometheus/rules")
    assert (done.exit_code, done.stdout) == (0, "")
    (volume / "..2026_11_26/acme.yml").write_text("groups: []\n")
    assert run("verify", "volume", "--part", "prometheus/rules").exit_code == 1


def test_verify_volume_of_which_kubernetes_link_leads_nowhere_has_no_extra_file(repo: Path) -> None:
    (repo / "generated/..data").symlink_to("..2026_11_26")
    assert run("verify", "generated").exit_code == 0
    (repo / "generated/data").symlink_to("..2026_11_26")
    found = states(run("verify", "generated", "--format", "json"))
    assert [path for path, state in found.items() if state == "extra"] == ["data"]


def test_verify_link_that_leads_nowhere_is_missing_or_extra(repo: Path) -> None:
    (repo / "generated" / RULES).unlink()
    (repo / "generated" / RULES).symlink_to("nowhere")
    (repo / "generated/more").symlink_to("prometheus")
    (repo / "generated/broken").symlink_to("nowhere")
    found = states(run("verify", "generated", "--format", "json"))
    assert (found[RULES], found["more"], found["broken"]) == ("missing", "extra", "extra")


def test_verify_manifest_with_an_error_compares_nothing(repo: Path) -> None:
    (repo / "acme.yaml").write_text(MANIFEST.replace("objective", "objektive"))
    done = run("verify", "generated")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "error[unknown-key]" in done.stderr
    assert "is what" not in done.stderr
