"""The tutorial, followed word for word in a clean clone: its files, commands, what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pages
import pytest
from cases import ROOT
from demo.servers import free_port

from slo_compiler.tools import VARIABLE, tools_folder

PAGE = ROOT / "docs/tutorial.md"
SERVE = 'python "$DEMO/serve.py"'
# The page shows no budget yet. It has one from the next full ten minutes on, so none may be near.
AWAY_FROM_TILE = "left=$((600 - $(date +%s) % 600)); [ $left -gt 150 ] || sleep $left\n"
PORTS = ("9090", "9093", "9101", "9102", "2525")  # each becomes a free one: they may be in use


def clone(folder: Path) -> Path:
    """Clone the repo as it is committed; its tools are those that this checkout has."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    (folder / ".tools").symlink_to(tools_folder().absolute())
    return folder


@pytest.fixture
def index(tmp_path: Path) -> None:
    """An index of packages that answers: without one nothing can be installed. In CI it must."""
    retries = "5" if os.environ.get("CI") else "0"
    options = ("--no-deps", "--no-cache-dir", "--retries", retries, "--dest", tmp_path / "p")
    pip = (sys.executable, "-m", "pip", "-q")
    found = subprocess.run([*pip, "download", *options, "click"], check=False)
    if found.returncode and not os.environ.get("CI"):
        pytest.skip("no package index answers")
    assert found.returncode == 0


@pytest.mark.usefixtures("index")
def test_tutorial_followed_in_a_clean_clone_prints_what_it_shows(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for port in PORTS:
        page = re.sub(rf"\b{port}\b", str(free_port()), page)
    assert page.count(SERVE) == 1
    page = page.replace(SERVE, AWAY_FROM_TILE + SERVE)
    folder = clone(tmp_path / "clone")
    environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
    done = pages.follow(page, folder, {**environment, "PYTHON": sys.executable})
    assert (done.code, done.rest) == (0, ""), done
    pages.check(page, done)


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
    assert pages.pattern(shown).fullmatch(shown)
    assert not pages.pattern(shown).fullmatch(printed)
