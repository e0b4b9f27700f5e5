"""Standard streams that are closed, full, of another encoding or without a reader."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import ROOT

pytestmark = pytest.mark.processes

MANIFEST = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
Shell = Callable[..., tuple[int, str]]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "SLO_COMPILER_TOOLS": "none"}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "good.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(MANIFEST.replace("objective", "objektive"), encoding="utf-8")
    (tmp_path / "slo").write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from slo_compiler.cli import main; main()' \"$@\"\n"
    )
    (tmp_path / "slo").chmod(0o755)

    def run(line: str, **environment: str) -> tuple[int, str]:
        done = subprocess.run(
            ["/bin/bash", "-c", line],
            cwd=tmp_path,
            env=ENVIRONMENT | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=120,
        )
        output = done.stdout.decode()
        assert "Traceback" not in output
        assert "Exception ignored" not in output
        return done.returncode, output

    return run


@pytest.mark.parametrize("closed", ["<&-", "2>&-", ">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("file", "code"), [("good", 0), ("bad", 1)])
def test_check_with_a_closed_stream_ends_as_with_an_open_one(
    shell: Shell,
    closed: str,
    file: str,
    code: int,
) -> None:
    assert shell(f"./slo check {file}.yaml {closed}")[0] == code


def test_check_of_a_closed_stdin_is_a_finding(shell: Shell) -> None:
    code, output = shell("./slo check - <&-")
    assert code == 1
    assert "<stdin>:1:1: error[unreadable] cannot read stdin: " in output


@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
@pytest.mark.parametrize("command", ["lints", "--help", "check bad.yaml --format json"])
def test_results_that_cannot_be_written_are_a_failure(
    shell: Shell,
    where: str,
    command: str,
) -> None:
    code, output = shell(f"./slo {command} {where}")
    assert code == 1
    assert "slo-compiler: cannot write the output: " in output


@pytest.mark.parametrize("command", ["lints", "schema", "check bad.yaml --format json"])
def test_output_without_a_reader_ends_without_a_word(shell: Shell, command: str) -> None:
    code, output = shell(f"set -o pipefail; ./slo {command} | true")
    assert code in {0, 1, 141}  # whether the reader is gone by then is a matter of time
    assert output == ""
    code, output = shell(f"set -o pipefail; (sleep 1; exec ./slo {command}) | exec 0<&-")
    assert (code, output) == (141, "")


def test_findings_without_a_reader_end_without_a_word(shell: Shell) -> None:
    line = "set -o pipefail; (sleep 1; exec ./slo check bad.yaml 2>&1) | exec 0<&-"
    assert shell(line) == (141, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_output_that_cannot_be_encoded_is_escaped(
    shell: Shell,
    tmp_path: Path,
    encoding: str,
) -> None:
    text = MANIFEST.replace("customer-b", "acme").replace(
        "name: availability", 'name: availability\n      description: "漢字"'
    )
    (tmp_path / "good.yaml").write_text(text, encoding="utf-8")
    options = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"}
    assert shell("./slo compile good.yaml -o out --check", **options)[0] == 1
    assert shell("./slo explain acme good.yaml", **options)[0] == 0
    assert shell("./slo explain acme good.yaml --format json", **options)[0] == 0


def test_help_imports_no_more_than_the_command_line_needs() -> None:
    program = (
        "import sys\nfrom slo_compiler.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'pydantic', 'yaml', 'jinja2', 'promql_parser', 'importlib.metadata'}"
        " & {*sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "[]\n"
