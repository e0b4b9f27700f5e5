"""The site of the documentation: `make site` builds it from these pages, with search."""
# ruff: noqa: INP001 - Sphinx reads this file by its path

from __future__ import annotations

import re
from importlib import metadata

from sphinx.application import Sphinx

project = "slo-compiler"
release = version = metadata.version("slo-compiler")
author = copyright = "the authors of slo-compiler"  # noqa: A001  (Sphinx' name)
extensions = ["myst_parser"]
root_doc = "index"
nitpicky = True
html_theme = "furo"
html_title = f"slo-compiler {version}"
html_show_sphinx = False
html_copy_source = False
html_last_updated_fmt = None
myst_heading_anchors = 4  # links such as policies.md#guards are checked, as all links are
myst_enable_extensions = ["colon_fence"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"

_SECTION = re.compile(r"^(?:## )?(\w[^\n]*)\n((?:- [^\n]*\n)+)", re.MULTILINE)
_PAGE = re.compile(r"\]\((\w[\w-]*)\.md\)")
_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+\.md)\)")  # pages of the repo, not of the site


def _with_navigation(_app: Sphinx, name: str, source: list[str]) -> None:
    """Make the site's navigation from the lists of the index, so that there is one list."""
    source[0] = _OUTSIDE.sub(r"\1 (`\2`)", source[0])
    if name != root_doc:
        return
    for section, pages in _SECTION.findall(source[0]):
        names = "\n".join(_PAGE.findall(pages))
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {section}\n\n{names}\n```\n"


def setup(app: Sphinx) -> None:
    """Connect what Sphinx calls while it builds."""
    app.connect("source-read", _with_navigation)
