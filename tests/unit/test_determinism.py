"""Same input, same bytes: on every machine, in every folder, under every locale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from cases import ROOT

from slo_compiler import naming

COMPILE = [sys.executable, "-c", "from slo_compiler.cli import main; main()", "compile"]


@cache
def locales() -> tuple[str, ...]:
    """Give the locales of this machine, and one that is on none."""
    done = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False)
    return tuple(sorted({"C", "POSIX", "C.UTF-8", "xx_XX.UTF-8", *done.stdout.split()})[:8])


def compiled(
    project: Path, arguments: list[str], cwd: Path, **environment: str
) -> dict[str, bytes]:
    """Compile in a process of its own, without tools; gives the output folder's files."""
    done = subprocess.run(
        [*COMPILE, *arguments],
        cwd=cwd,
        env={"PATH": "/nonexistent", "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    out = project / "generated"
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def project(folder: Path, *, backwards: bool = False) -> Path:
    """Copy the examples without their output, file by file in one order or the other."""
    source = ROOT / "examples"
    names = ["slo-compiler.yaml", "alertmanager/base.yml"]
    names += [path.relative_to(source).as_posix() for path in (source / "tenants").iterdir()]
    for name in sorted(names, reverse=backwards):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = project(tmp_path_factory.mktemp("expected"))
    return compiled(folder, [], folder, PYTHONHASHSEED="0", LC_ALL="C.UTF-8", TZ="UTC")


@pytest.mark.processes
@pytest.mark.parametrize("seed", ["1", "2", "4294967295"])
def test_the_order_of_hashes_does_not_matter(
    seed: str, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    assert compiled(project(tmp_path), [], tmp_path, PYTHONHASHSEED=seed) == expected


@pytest.mark.processes
@pytest.mark.parametrize("locale", locales())
def test_the_locale_does_not_matter(
    locale: str, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    environment = {"LC_ALL": locale, "LANG": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert compiled(project(tmp_path), [], tmp_path, **environment) == expected


@pytest.mark.processes
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns", "XYZ-12:34"])
def test_the_time_zone_does_not_matter(
    zone: str, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    assert compiled(project(tmp_path), [], tmp_path, TZ=zone) == expected


@pytest.mark.processes
@pytest.mark.parametrize("given", ["absolute", "relative", "linked"])
def test_where_it_runs_and_where_it_lies_does_not_matter(
    given: str, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    folder = project(tmp_path / "ä folder" / "of another depth")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if given == "linked":
        (tmp_path / "link").symlink_to(folder)
        folder = tmp_path / "link"
    file = folder / "slo-compiler.yaml"
    shown = str(file) if given != "relative" else os.path.relpath(file, elsewhere)
    assert compiled(folder, ["--project", shown], elsewhere) == expected


@pytest.mark.processes
def test_the_order_and_age_of_files_does_not_matter(
    tmp_path: Path, expected: dict[str, bytes]
) -> None:
    folder = project(tmp_path, backwards=True)
    for path in folder.rglob("*"):
        os.utime(path, (0, 0))
    assert compiled(folder, [], folder) == expected


@pytest.mark.processes
def test_the_order_of_sources_does_not_matter(tmp_path: Path, expected: dict[str, bytes]) -> None:
    folder = project(tmp_path)
    files = sorted((str(path) for path in (folder / "tenants").iterdir()), reverse=True)
    assert compiled(folder, files, folder) == expected


@pytest.mark.processes
def test_nothing_of_the_machine_is_in_the_output(expected: dict[str, bytes]) -> None:
    text = b"".join(expected.values())
    for trace in (str(ROOT), "/tmp/", os.uname().nodename, sys.prefix):  # noqa: S108  (looked for)
        assert trace.encode() not in text


@pytest.mark.processes
def test_one_changed_objective_changes_that_tenants_files_and_the_lock_only(
    tmp_path: Path, expected: dict[str, bytes]
) -> None:
    folder = project(tmp_path)
    manifest = folder / "tenants" / "customer-b.yaml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("objective: 99.9\n", "objective: 99.5\n"), encoding="utf-8")
    changed = compiled(folder, [], folder)
    assert changed.keys() == expected.keys()
    differing = {path for path in expected if changed[path] != expected[path]}
    assert {naming.rules_file("customer-b"), naming.LOCK_FILE} <= differing
    others = differing - {naming.rules_file("customer-b"), naming.LOCK_FILE}
    assert all(path.startswith("prometheus/tests/customer-b_") for path in others), others
