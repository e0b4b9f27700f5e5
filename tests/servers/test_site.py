"""The documentation as a site: built by Sphinx, where each warning is an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT

pytestmark = pytest.mark.slow


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build a site as `make site` does."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "dirhtml"]
    return subprocess.run(
        [*command, str(source), str(site)], capture_output=True, text=True, check=False
    )


def test_site_of_docs_has_each_page_in_its_navigation_and_in_the_search(tmp_path: Path) -> None:
    built = build(ROOT / "docs", tmp_path)
    assert (built.returncode, built.stdout + built.stderr) == (0, "")

    start = (tmp_path / "index.html").read_text(encoding="utf-8")
    search = (tmp_path / "searchindex.js").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        if page.stem != "index":
            assert f'class="reference internal" href="{page.stem}/"' in start
            assert f'"{page.stem}"' in search


def test_link_that_leads_nowhere_fails_the_site(tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    (source / "conf.py").write_bytes((ROOT / "docs" / "conf.py").read_bytes())
    (source / "index.md").write_text(
        "# Documentation\n\nUse it\n- [One](one.md): a page\n", encoding="utf-8"
    )
    (source / "one.md").write_text("# One\n\n[two](two.md) [part](#none)\n", encoding="utf-8")
    built = build(source, tmp_path / "site")
    assert built.returncode != 0
    assert "one.md:3" in built.stderr
    assert "two" in built.stderr
    assert "none" in built.stderr
