"""The licences of what the compiler is built on, as docs/supply-chain.md lists them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- licences -->\n", "<!-- end of licences -->\n"
# In the words of SPDX, of what packages say in words of their own.
_SPDX = {"BSD License": "BSD-3-Clause", "MIT License": "MIT", "The MIT License (MIT)": "MIT"}
ALLOWED = {"Apache-2.0", "BSD-3-Clause", "MIT", "PSF-2.0"}


def packages() -> list[str]:
    """Give the packages that an installed compiler needs, as they are locked."""
    lock = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    return re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)


def licence_of(package: str) -> str:
    """Read a package's licence: its expression, else its classifier, else the licence's title."""
    about = metadata.metadata(package)
    found = about.get("License-Expression") or next(_classified(about), "") or about.get("License")
    found = found or _title(package)
    return _SPDX.get(found, found)


def _classified(about: metadata.PackageMetadata) -> Iterator[str]:
    for classifier in about.get_all("Classifier") or ():
        if classifier.startswith("License ::"):
            yield classifier.rpartition(" :: ")[2]


def _title(package: str) -> str:
    for file in metadata.files(package) or ():
        if "licenses" in file.parts:
            return file.read_text(encoding="utf-8").strip().splitlines()[0]
    return "unknown"


def table() -> str:
    """Give the list as Markdown."""
    rows = [f"| {name} | {licence_of(name)} |\n" for name in packages()]
    return "".join(["| Package | Licence |\n", "|---|---|\n", *rows])


def filled(page: str) -> str:
    """Put the list into the page."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
