"""A compile needs no network: it opens no socket, and looks up no name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT

WATCHED = """\
import sys

def refuse(event, _arguments):
    if event.startswith("socket."):
        print("opened:", event, file=sys.stderr, flush=True)
        sys.exit(70)

sys.addaudithook(refuse)
"""
COMPILE = """\
from slo_compiler.cli import main
main()
"""
LOOKUP = """\
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
"""


def run_watched(work: str, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WATCHED + work, *map(str, arguments)],
        cwd=folder,
        env={"PATH": "/nonexistent", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.processes
@pytest.mark.parametrize("command", ["compile", "check"])
def test_command_without_a_network_opens_no_socket(tmp_path: Path, command: str) -> None:
    project = ROOT / "examples/slo-compiler.yaml"
    output = ["-o", tmp_path / "out"] if command == "compile" else []
    done = run_watched(COMPILE, tmp_path, command, "--project", project, "--no-cache", *output)
    assert "opened:" not in done.stderr
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").exists() == (command == "compile")


@pytest.mark.processes
def test_watch_of_sockets_sees_one(tmp_path: Path) -> None:
    done = run_watched(LOOKUP, tmp_path)
    assert (done.returncode, done.stderr) == (70, "opened: socket.__new__\n")
