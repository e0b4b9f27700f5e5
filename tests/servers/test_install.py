"""Each way to install of docs/install.md, with a wheel that is built here, in a fresh environment.

The dependencies come from the package index that pip is configured for. Where there is none (after
its first run all else works offline) these tests are skipped; in CI they fail.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from cases import ROOT

DOCS = ROOT / "docs/install.md"
PIP = ("-m", "pip", "--disable-pip-version-check")


def run(*command: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def documented() -> dict[str, list[str]]:
    """Give the commands of the page that install from a checkout, by their program."""
    lines = re.findall(r"(?m)^    ((?:pip|pipx|uv) [^#\n]*)", DOCS.read_text(encoding="utf-8"))
    return {line.split()[0]: line.split() for line in lines if line.split()[-1] == "."}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built as the page does, with the build tools that are here."""
    folder = tmp_path_factory.mktemp("dist")
    (command,) = re.findall(r"`pip (wheel [^`]*) \.`", DOCS.read_text(encoding="utf-8"))
    words = command.replace("dist", str(folder)).split()
    done = run(
        sys.executable, *PIP, *words, "--no-build-isolation", "--no-index", ROOT, folder=folder
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment; an index that answers is a condition of all tests here."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False)
    found = run(
        sys.executable, *PIP, "download", "--no-deps", "--no-cache-dir", "--dest", folder / "probe",
        "--retries", "5" if os.environ.get("CI") else "0", "click", folder=folder,
    )  # fmt: skip
    if found.returncode and not os.environ.get("CI"):
        pytest.skip("no package index answers")
    assert found.returncode == 0, found.stderr
    return folder


def check_installed(program: Path, folder: Path) -> None:
    """Let an installed compiler make a repo and compile it; PATH does not have it."""
    alone = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "", "SLO_COMPILER_TOOLS": f"{ROOT}/.tools"}
    shown = run(program, "--version", folder=folder, **alone)
    assert shown.stdout.startswith("slo-compiler, version "), shown.stderr
    made = run(program, "init", "mine", folder=folder, **alone)
    assert made.returncode == 0, made.stderr
    done = run("make", "rules", folder=folder / "mine", **alone)
    assert done.returncode == 0, done.stderr
    assert "1 SLO of 1 tenant -> generated: 8 files written" in done.stderr
    assert "warning" not in done.stderr
    noted = (folder / "mine/.slo-compiler.mk").read_text(encoding="utf-8")
    assert str(ROOT) not in noted


def test_install_page_has_each_way_once() -> None:
    assert {*documented()} == {"pip", "pipx", "uv"}


def test_install_with_pip_into_a_fresh_environment_compiles(
    wheel: Path, environment: Path, tmp_path: Path
) -> None:
    _, *words = documented()["pip"]
    words[-1] = str(wheel)
    python = environment / "bin/python"
    done = run(sys.executable, *PIP, "--python", python, *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    check_installed(environment / "bin/slo-compiler", tmp_path)


@pytest.mark.usefixtures("environment")
def test_install_with_uv_and_run_with_uvx_compile(wheel: Path, tmp_path: Path) -> None:
    _, *words = documented()["uv"]
    words[-1] = str(wheel)
    own = {
        "UV_TOOL_DIR": str(tmp_path / "uv"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "UV_PYTHON": sys.executable,
    }
    uv = Path(sys.executable).with_name("uv")
    done = run(uv, *words, folder=tmp_path, **own)
    assert done.returncode == 0, done.stderr
    check_installed(tmp_path / "bin/slo-compiler", tmp_path)

    uvx = re.findall(r"`(uvx --from [^`]*)`", DOCS.read_text(encoding="utf-8"))
    assert len(uvx) == 1
    words = uvx[0].replace("dist/slo_compiler-*.whl", str(wheel)).split()[1:]
    done = run(uv.with_name("uvx"), *words, folder=tmp_path / "mine", **own)
    assert done.returncode == 0, done.stderr
    assert "1 SLO of 1 tenant: no errors" in done.stderr


@pytest.mark.usefixtures("environment")
def test_install_with_pipx_compiles(wheel: Path, tmp_path: Path) -> None:
    pipx = tmp_path / "with-pipx"
    venv.create(pipx, with_pip=False)
    done = run(
        sys.executable, *PIP, "--python", pipx / "bin/python", "install", "pipx", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    _, *words = documented()["pipx"]
    words[-1] = str(wheel)
    own = {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
        "PIPX_DEFAULT_BACKEND": "pip",
    }
    done = run(pipx / "bin/pipx", *words, folder=tmp_path, **own)
    assert done.returncode == 0, done.stderr
    check_installed(tmp_path / "bin/slo-compiler", tmp_path)


def test_install_page_names_the_container_that_is_tested() -> None:
    """Its Dockerfile, its entry point and its mounts have tests in test_docker.py."""
    page, own = (path.read_text(encoding="utf-8") for path in (DOCS, ROOT / "docker/README.md"))
    commands = re.findall(r"(?m)^    (docker .*)$", page)
    assert len(commands) == 2
    for command in commands:
        assert f"    {command}\n" in own
