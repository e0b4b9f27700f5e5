"""The CI files that `init` writes pass on the repo that it writes, and find what they are for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import ROOT

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@localhost")


def run(folder: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as both services do: each line by a shell that ends at the first failure."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    tools = os.environ.get("SLO_COMPILER_TOOLS", f"{ROOT}/.tools")
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "CI": "true", "SLO_COMPILER_TOOLS": tools, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", folder, *IDENTITY, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A new repo with its output, on main, and a branch that changes an objective."""
    assert run(tmp_path, "slo-compiler init mine").returncode == 0
    folder = tmp_path / "mine"
    done = run(folder, "slo-compiler compile")
    assert done.returncode == 0, done.stderr
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    git(folder, "update-ref", "refs/remotes/origin/main", "main")
    git(folder, "checkout", "--quiet", "-b", "change")
    manifest = folder / "tenants/example.yaml"
    text = manifest.read_text("utf-8")
    assert "objective: 99.9\n" in text
    manifest.write_text(text.replace("objective: 99.9\n", "objective: 99.5\n"), "utf-8")
    return folder


def github() -> list[str]:
    """The steps of the workflow, but those that install."""
    data = yaml.safe_load((ROOT / "slo_compiler/scaffold/.github/workflows/slo.yml").read_text())
    steps = [step["run"] for step in data["jobs"]["check"]["steps"] if "run" in step]
    return [step for step in steps if not step.startswith(("pip ", "slo-compiler tools"))]


def gitlab() -> list[str]:
    data: dict[str, Any] = yaml.safe_load(
        (ROOT / "slo_compiler/scaffold/.gitlab-ci.yml").read_text("utf-8")
    )
    return list(data["slo"]["script"])


def outcome(folder: Path, steps: Sequence[str]) -> tuple[int, str]:
    """Run steps until one fails; gives its exit code, what was printed, and the summaries."""
    environment = {
        "GITHUB_BASE_REF": "main",
        "GITHUB_STEP_SUMMARY": str(folder.parent / "summary.md"),
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(folder, "rev-parse", "origin/main"),
    }
    output = ""
    for step in steps:
        done = run(folder, step, **environment)
        output += done.stdout + done.stderr
        if done.returncode:
            return done.returncode, output
    summary = folder.parent / "summary.md"
    return 0, output + (summary.read_text("utf-8") if summary.exists() else "")


@pytest.mark.parametrize("steps", [github(), gitlab()], ids=["github", "gitlab"])
def test_change_whose_output_is_up_to_date_passes_and_is_described(
    repo: Path, steps: list[str]
) -> None:
    assert run(repo, "slo-compiler compile").returncode == 0
    code, output = outcome(repo, steps)
    assert code == 0, output
    assert "objective 99.5%, was 99.9%" in output


@pytest.mark.parametrize("steps", [github(), gitlab()], ids=["github", "gitlab"])
def test_change_whose_output_was_forgotten_fails(repo: Path, steps: list[str]) -> None:
    code, output = outcome(repo, steps)
    assert code == 1
    assert "is out of date" in output


def test_both_files_check_the_same() -> None:
    def commands(steps: list[str]) -> set[str]:
        return {step.split()[1] for step in steps if step.startswith("slo-compiler ")}

    assert commands(github()) == commands(gitlab()) == {"compile", "test", "diff"}
