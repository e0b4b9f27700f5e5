"""Whatever cannot be listed or read is an error: a folder skipped in silence loses alerts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT

from slo_compiler import reading
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.naming import MARK
from slo_compiler.reading import read_sources

COMPILER = [sys.executable, "-c", "from slo_compiler.cli import main; main()"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "teams/a").mkdir(parents=True)
    (tmp_path / "teams/a/a.yaml").write_text("a\n")
    return tmp_path


def read(*paths: str, skip: tuple[str, ...] = ()) -> list[str]:
    report = Report()
    found = read_sources(paths, Path(), report, skip=[*map(Path, skip)])
    report.raise_if_failed()
    return [file.path for file in found]


def refused(*paths: str) -> str:
    with pytest.raises(CompileError) as error:
        read(*paths)
    return "\n".join(f"{d.position}: {d.id} {d.message}" for d in error.value.diagnostics)


def test_folder_that_cannot_be_listed_is_an_error(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "teams/b").mkdir()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("teams/b"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)  # root may list everything
    expected = "teams/b:1:1: unreadable cannot list this folder: Permission denied"
    assert refused("teams") == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_without_permission_is_an_error(here: Path) -> None:
    (here / "teams/b").mkdir(mode=0)
    assert "teams/b:1:1: unreadable" in refused("teams")


def test_link_to_a_folder_elsewhere_is_an_error_and_one_inside_is_read_once(here: Path) -> None:
    (here / "teams/again").symlink_to("a")
    assert read("teams") == ["teams/a/a.yaml"]
    (here / "other").mkdir()
    (here / "teams/b").symlink_to("../other")
    assert refused("teams") == (
        "teams/b:1:1: symlink-outside this link leads out of the folder of manifests"
    )


def test_pipe_is_refused_at_once(here: Path) -> None:
    os.mkfifo(here / "teams/pipe.yaml")
    expected = "teams/pipe.yaml:1:1: unreadable cannot read it: it is no regular file"
    assert refused("teams") == expected
    assert refused("teams/pipe.yaml") == expected


def test_device_without_an_end_is_refused() -> None:
    assert refused("/dev/zero").endswith("cannot read it: it is no regular file")


@pytest.mark.processes
def test_stdin_without_an_end_is_refused(here: Path) -> None:
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(
            [*COMPILER, "check", "-"],
            cwd=here,
            stdin=endless,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert "<stdin>:1:1: error[file-too-large]" in done.stderr


@pytest.mark.parametrize("name", ["x" * 5_000, "a/" * 3_000, "a\0b"])
def test_path_that_no_file_can_have_is_an_error(name: str) -> None:
    assert "unreadable" in refused(name) or "file-name" in refused(name)


def test_file_name_that_is_not_utf_8_is_named_as_that(here: Path) -> None:
    (here / os.fsdecode(b"teams/\xff.yaml")).write_text("a\n")
    assert "file-name the file's name is not UTF-8" in refused("teams")
    (here / os.fsdecode(b"teams/\xff.yaml")).unlink()
    (here / "teams/\x1b.yaml").write_text("a\n")
    assert "file-name the file's name holds a control character" in refused("teams")


def test_folder_of_everything_skips_what_is_no_manifest(here: Path) -> None:
    for name in ("slo-compiler.yaml", "generated/x.yml", ".hidden/y.yaml", "policies/z.yaml"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text("x\n")
    (here / "old").mkdir()
    (here / "old/rules.yml").write_text(f"{MARK} from a.yaml.\n")
    skip = ("slo-compiler.yaml", "generated/", "policies/")
    assert read(".", skip=skip) == ["teams/a/a.yaml"]
    assert read("old/rules.yml") == ["old/rules.yml"]  # it was named


def test_folder_with_too_many_files_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ENTRIES", 100)
    assert "/usr:1:1: source-too-large the folder holds more than 100 files" in refused("/usr")


def test_folder_with_too_many_files_is_not_read_and_has_one_finding(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_ENTRIES", 3)
    for name in ("b", "c", "d"):
        (here / f"teams/{name}.yaml").write_text("a\n")
    (here / "other").mkdir()
    (here / "teams/0").symlink_to("../other")
    report = Report()
    assert read_sources(["teams"], Path(), report) == []
    assert [found.id for found in report.diagnostics] == ["source-too-large"]
