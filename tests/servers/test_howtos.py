"""Each how-to page, followed in a fresh repo: its files, its commands, and what they print."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest
from cases import ROOT

HOWTOS = sorted(ROOT.glob("docs/howto-*.md"))


@pytest.mark.parametrize("path", HOWTOS, ids=lambda path: path.stem)
def test_howto_followed_in_a_fresh_repo_prints_what_it_shows(path: Path, tmp_path: Path) -> None:
    """To write what is printed: python -m pages docs/howto-*.md, with tests/support in the path."""
    page = path.read_text(encoding="utf-8")
    folder = tmp_path / "repo"
    done = pages.follow(page, folder, pages.repo(folder))
    assert (done.code, done.rest) == (0, ""), done
    assert done.printed
    pages.check(page, done)


def test_page_whose_command_fails_is_not_followed_to_its_end(tmp_path: Path) -> None:
    page = "```sh\necho a\nfalse\n```\n```text\na\n```\n```sh\necho b\n```\n"
    done = pages.follow(page, tmp_path, {"PATH": "/usr/bin:/bin"})
    assert (done.code, done.printed, done.rest) == (1, (), "a\n")


def test_page_that_leaves_a_program_running_fails(tmp_path: Path) -> None:
    done = pages.follow("```sh\nsleep 60 &\n```\n", tmp_path, {"PATH": "/usr/bin:/bin"})
    assert (done.code, done.rest) == (1, "")
