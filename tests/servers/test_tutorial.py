"""The tutorial, followed word for word in a clean clone: its files, commands, what they print."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import ROOT
from demo.servers import free_port

from slo_compiler.tools import tools_folder

PAGE = ROOT / "docs/tutorial.md"
PORTS = ("9090", "9093", "9101", "9102", "2525")  # each becomes a free one: they may be in use
SECONDS = 400


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Give each fenced block of a page, with its language."""
    for match in re.finditer(r"(?ms)^```(\w+)\n(.*?)^```$", text):
        yield match[1], match[2]


def script(text: str) -> tuple[str, list[str]]:
    """Give the page as a script, and what each of its commands must print, in order."""
    lines, expected = ["set -eu"], []
    for language, block in blocks(text):
        if language == "yaml":
            path = re.findall(r"\A# (\S+)\n", block)[0]
            lines.append(f"cat > {path} <<'END OF FILE'\n{block.partition(chr(10))[2]}END OF FILE")
        elif language == "sh":
            expected.append("")
            lines.append(f"{block}echo '@@ {len(expected)}'")
        elif language == "text":
            expected[-1] = block
    return "\n".join(lines) + "\n", expected


def pattern(expected: str) -> re.Pattern[str]:
    """Match what is printed: times and measured figures may be others, and columns as wide."""
    escaped = re.escape(expected).replace("\\ ", " ").replace("\\-", "-")
    figures = re.sub(r"\d+\\\.\d+|\d\d:\d\d:\d\d|\d+(?=%)", r"[\\d.:]+", escaped)
    return re.compile(re.sub(r" +", r" +", figures))


def clone(folder: Path) -> Path:
    """Clone the repo as it is committed; its tools are those that this checkout has."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    shutil.copytree(tools_folder().absolute(), folder / ".tools", symlinks=True)
    return folder


def follow(page: str, folder: Path) -> tuple[int, list[str]]:
    """Run the page's commands in a shell of their own; the exit code, and what each printed."""
    commands, _ = script(page)
    environment = {key: value for key, value in os.environ.items() if key != "SLO_COMPILER_TOOLS"}
    log = folder.with_name("printed.txt")
    with log.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-c", commands],
            cwd=folder,
            env={**environment, "PYTHON": sys.executable},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = shell.wait(SECONDS)
        except subprocess.TimeoutExpired:
            code = -1
        finally:  # whatever the page left running is in the shell's own group
            try:
                os.killpg(shell.pid, signal.SIGTERM)
                left = True
            except ProcessLookupError:
                left = False
    printed = re.split(r"@@ \d+\n", log.read_text(encoding="utf-8"))
    return (code or (-2 if left else 0)), printed


@pytest.fixture
def index(tmp_path: Path) -> None:
    """An index of packages that answers: without one nothing can be installed. In CI it must."""
    probe = ("download", "--no-deps", "--no-cache-dir", "--retries", "0", "--dest", tmp_path / "p")
    found = subprocess.run([sys.executable, "-m", "pip", "-q", *probe, "click"], check=False)
    if found.returncode and not os.environ.get("CI"):
        pytest.skip("no package index answers")
    assert found.returncode == 0


@pytest.mark.usefixtures("index")
def test_tutorial_followed_in_a_clean_clone_prints_what_it_shows(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for port in PORTS:
        page = re.sub(rf"\b{port}\b", str(free_port()), page)
    _, expected = script(page)
    code, printed = follow(page, clone(tmp_path / "clone"))
    assert code == 0, printed
    *printed, rest = printed
    assert (len(printed), rest) == (len(expected), "")
    for wanted, found in zip(expected, printed, strict=True):
        if wanted:
            assert pattern(wanted).fullmatch(found), f"expected:\n{wanted}\nprinted:\n{found}"


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("1 error\n", "2 errors\n"),
        ("a firing\n", "a resolved\n"),
        ("a\nb\n", "a\n"),
        ("3 rules", "4 rules"),
    ],
)
def test_pattern_of_shown_text_refuses_other_words(shown: str, printed: str) -> None:
    assert pattern(shown).fullmatch(shown)
    assert not pattern(shown).fullmatch(printed)
