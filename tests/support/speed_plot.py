"""The plot of docs/speed.md, from the page's own table.

`python -m speed_plot docs` draws it; `make docs` does so.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from math import log10
from pathlib import Path

from plots import COLOURS, HEIGHT, LEFT, TOP, WIDTH, line, svg, text

# What is drawn, by its name in the table; all else of the table is read there.
CURVES = (
    "sloth generate",
    "rules and routes, cold",
    "with proofs, cold",
    "with proofs, one tenant changed",
)
_ROW = re.compile(r"^\| (\d+) x (\d+) \| ([^|]+) \| ([\d.]+) s \|", re.MULTILINE)
_RIGHT, _BOTTOM = WIDTH - 220, HEIGHT - 40  # of the axes; names of curves are to the right
_SLOS, _SECONDS = (1, 10_000), (0.01, 100)  # of the axes


def seconds(page: str) -> dict[str, Mapping[int, float]]:
    """Give the wall time of each curve by the number of SLOs, of repos of several tenants."""
    found: dict[str, dict[int, float]] = {name: {} for name in CURVES}
    for tenants, slos, what, wall in _ROW.findall(page):
        if what in found and tenants != "1":
            found[what][int(tenants) * int(slos)] = float(wall)
    return {**found}


def x(slos: float) -> float:
    """Place a number of SLOs; both axes are logarithmic."""
    return LEFT + _share(slos, *_SLOS) * (_RIGHT - LEFT)


def y(wall: float) -> float:
    """Place a time."""
    return _BOTTOM - _share(wall, *_SECONDS) * (_BOTTOM - TOP)


def _share(value: float, least: float, most: float) -> float:
    return log10(value / least) / log10(most / least)


def drawn(page: str) -> str:
    """Draw the curves, their names where they end, one below the other."""
    parts = [text(8, 20, "Wall time of a compile by the number of SLOs, both logarithmic")]
    for slos in (1, 10, 100, 1_000, 10_000):
        parts += [line([(x(slos), TOP), (x(slos), _BOTTOM)], "#dddddd")]
        parts += [text(x(slos) - 4 * len(str(slos)), _BOTTOM + 18, f"{slos:,}")]
    for wall in (0.01, 0.1, 1, 10, 100):
        parts += [line([(LEFT, y(wall)), (_RIGHT, y(wall))], "#dddddd")]
        parts += [text(LEFT - 50, y(wall) + 4, f"{wall:g} s")]
    curves = [
        ([(x(slos), y(wall)) for slos, wall in sorted(found.items())], name, colour)
        for (name, found), colour in zip(seconds(page).items(), COLOURS, strict=True)
    ]
    below = 0.0
    for points, name, colour in sorted(curves, key=lambda curve: curve[0][-1][1]):
        below = max(below + 15, points[-1][1] + 4)
        parts += [line(points, colour, 2), text(_RIGHT + 8, below, name, colour)]
    return svg(HEIGHT, parts)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    page = (folder / "speed.md").read_text(encoding="utf-8")
    (folder / "speed.svg").write_text(drawn(page), encoding="utf-8")
