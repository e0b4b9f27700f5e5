"""Tools are found in a fixed order, and fetched only when they are not there."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from slo_compiler import tools
from slo_compiler.tools import SUITES, ToolsError, fetch, find, find_in, version

ALL = (*tools.CLIENTS, *tools.SERVERS, *tools.VICTORIAMETRICS)
NO_COMMANDS = "/nonexistent"


def tool(path: Path, output: str = "promtool, version 1.2.3+ds1 (branch: x)") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{output}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def toolset(folder: Path, suite: str, names: tuple[str, ...] = ALL) -> Path:
    for name in names:
        tool(folder / suite / "usr/bin" / name)
    return folder / suite


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, with no tool on PATH and none in the variable."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", NO_COMMANDS)
    monkeypatch.delenv(tools.VARIABLE, raising=False)
    return tmp_path


def unexpected(message: str) -> None:
    pytest.fail(f"logged {message!r}")


@pytest.mark.usefixtures("here")
def test_nothing_is_found_where_nothing_is() -> None:
    assert find("promtool") is None
    assert find_in("forky", "promtool") is None


def test_the_variable_goes_before_path_and_path_before_the_tools_folder(here: Path) -> None:
    fetched = tool(here / ".tools/forky/usr/bin/promtool")
    installed = tool(here / "bin/promtool")
    named = tool(here / "mine/bookworm/usr/bin/promtool")
    path, variable = {"PATH": str(here / "bin")}, {tools.VARIABLE: str(here / "mine")}

    assert find("promtool") == fetched
    assert find("promtool", path) == installed
    assert find("promtool", path | variable) == named
    assert find("amtool", path | variable) is None


def test_the_newest_toolset_wins_and_strangers_come_last(here: Path) -> None:
    for suite in ("noble", "bookworm", "trixie"):
        toolset(here / ".tools", suite)
    tool(here / ".tools/.forky-half/usr/bin/promtool")
    assert find("promtool") == here / ".tools/trixie/usr/bin/promtool"
    assert find_in("bookworm", "amtool") == here / ".tools/bookworm/usr/bin/amtool"


def test_a_plain_folder_of_binaries_serves(here: Path) -> None:
    binary = tool(here / "upstream/promtool")
    assert find("promtool", {tools.VARIABLE: "upstream"}) == binary


def test_a_file_that_cannot_be_run_is_not_a_tool(here: Path) -> None:
    tool(here / ".tools/forky/usr/bin/promtool").chmod(0o644)
    assert find("promtool") is None


@pytest.mark.parametrize("redirect", ["", "' >&2; : '"])
def test_version_drops_the_suffix_whichever_stream_it_is_on(tmp_path: Path, redirect: str) -> None:
    binary = tool(tmp_path / "promtool", f"promtool, version 2.42.0+ds (branch: x){redirect}")
    assert version(binary) == "2.42.0"


def test_version_reports_what_is_wrong_with_a_binary(tmp_path: Path) -> None:
    with pytest.raises(ToolsError, match="--version names no version"):
        version(tool(tmp_path / "promtool", "hello"))
    with pytest.raises(ToolsError, match="could not be started: No such file"):
        version(tmp_path / "absent")


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_each_real_toolset_has_the_versions_that_it_claims(suite: tools.Suite) -> None:
    claimed = {"prometheus": suite.prometheus, "promtool": suite.prometheus}
    for name in (*tools.CLIENTS, *suite.servers):
        binary = find_in(suite.name, name)
        assert binary, f"{name} of {suite.name} is missing: run make tools-all"
        if name not in tools.VICTORIAMETRICS:  # those of Debian do not know their version
            assert version(binary).startswith(claimed.get(name, suite.alertmanager) + ".")


def test_fetching_what_is_there_does_nothing(here: Path) -> None:
    there = toolset(here / ".tools", "forky")
    before = (there.stat().st_mtime_ns, there.parent.stat().st_mtime_ns)
    fetch(["forky"], here / ".tools", unexpected, servers=True)
    done = subprocess.run(
        [sys.executable, "-m", "slo_compiler.tools", "--servers"],
        env={"PATH": NO_COMMANDS, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (there.stat().st_mtime_ns, there.parent.stat().st_mtime_ns) == before


def test_a_toolset_without_servers_is_complete_only_for_who_needs_none(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "debian"})
    toolset(here, "forky", tools.CLIENTS)
    fetch(["forky"], here, unexpected)
    with pytest.raises(ToolsError, match="apt-get is not on PATH"):
        fetch(["forky"], here, unexpected, servers=True)


@pytest.mark.parametrize(
    ("release", "message"),
    [
        ({"ID": "fedora", "PRETTY_NAME": "Fedora 43"}, "this is Fedora 43: put promtool and"),
        ({"ID": "debian"}, "apt-get is not on PATH: put promtool and amtool on PATH, or"),
    ],
)
def test_where_nothing_can_be_fetched_the_error_has_the_next_step(
    here: Path, monkeypatch: pytest.MonkeyPatch, release: dict[str, str], message: str
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    with pytest.raises(ToolsError, match=message):
        fetch(["forky"], here / ".tools", unexpected)
    assert not (here / ".tools").exists()


def test_a_machine_without_os_release_is_named_by_its_kernel(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> dict[str, str]:
        raise FileNotFoundError

    monkeypatch.setattr(platform, "freedesktop_os_release", absent)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(ToolsError, match="this is Darwin"):
        fetch(["forky"], here / ".tools", unexpected)


def test_ubuntu_has_its_own_suite_only(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = {"ID": "ubuntu", "PRETTY_NAME": "Ubuntu 24.04", "VERSION_CODENAME": "noble"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    for command in ("apt-get", "dpkg"):
        tool(here / "bin" / command)
    monkeypatch.setenv("PATH", str(here / "bin"))
    assert tools.default_suite() == "noble"
    with pytest.raises(
        ToolsError, match=r"no suite 'forky' for Ubuntu 24\.04: expected one of nob"
    ):
        fetch(["forky"], here / ".tools", unexpected)


def test_a_fetch_that_fails_says_which_command_and_leaves_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "debian"})
    apt = tool(here / "bin/apt-get")
    apt.write_text(
        "#!/bin/sh\n"
        'case "$*" in indextargets*) echo file:/mirror;; *) echo no route >&2; exit 100;; esac\n',
        encoding="utf-8",
    )
    tool(here / "bin/dpkg")
    monkeypatch.setenv("PATH", f"{here / 'bin'}")
    with pytest.raises(ToolsError, match=r"(?s)apt-get .* update failed \(100\):\nno route"):
        fetch(["forky"], here / ".tools", unexpected)
    assert list((here / ".tools").iterdir()) == []
