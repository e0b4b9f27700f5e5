"""The benchmarks run, and what that of evaluation counts is what the documentation has."""

from __future__ import annotations

import importlib
import json
import re
import runpy
import sys
from pathlib import Path

import pytest
from cases import ROOT, tool

FOLDER = ROOT / "benchmarks"


def run(monkeypatch: pytest.MonkeyPatch, script: str, *arguments: str) -> None:
    """Run a script as make does; what it imports from beside it is forgotten again."""
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    for path in FOLDER.glob("*.py"):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    runpy.run_path(str(FOLDER / script), run_name="__main__")


@pytest.fixture
def tools() -> None:
    tool("forky", "prometheus")
    tool("forky", "promtool")


@pytest.mark.usefixtures("tools")
def test_a_day_of_two_series_costs_fewer_samples_than_the_peers_shapes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    drawn = tmp_path / "cost.svg"
    small = ("--series", "2", "--days", "1", "--rounds", "1", "--slos", "0")
    run(monkeypatch, "eval.py", *small, "--plot", str(drawn))
    first, *others = capsys.readouterr().out.split("\n\n")
    head, _, *rows = first.splitlines()
    columns = [cell.strip() for cell in head.strip("|").split("|")]
    table = {
        cells[0]: dict(zip(columns, cells, strict=True))
        for cells in ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    }
    own, *peers, of_ten, of_fifty = table.values()
    assert [*table] == [
        "slo_compiler, 2 series",
        "Sloth's shape, 2 series",
        "Pyrra's shape, 2 series",
        "slo_compiler, 1 of 10, 2 series",
        "slo_compiler, 1 of 50, 2 series",
    ]
    # By hand: 3 series over 9h35m in five windows, over a day, and over the whole day's 2881
    # scrapes in place of three; the ratios of that day twice; 13 samples of other recorded series.
    expected = 3 * (575 * 2 + 2880 + 2881) + 2 * 2881 + 13
    assert count(peers[0]["samples"]) == expected
    assert count(own["samples"]) * 5 < count(peers[0]["samples"])
    assert count(of_fifty["samples"]) <= count(of_ten["samples"]) <= count(own["samples"])
    for peer in peers:
        assert count(peer["x samples/30s"]) > 1
        assert count(peer["ms/30s"]) > 0
    assert drawn.read_text(encoding="utf-8").count("<rect") == 1 + len(table)
    (parts,) = (other.splitlines() for other in others if "| sums of the period" in other)
    samples = [count(row.split("|")[2]) for row in parts[2:]]
    assert sum(samples) == pytest.approx(count(of_ten["samples/30s"]), abs=len(samples) / 2)
    (levels,) = (other for other in others if "| two levels, 1 of 50, 2 series " in other)
    assert len(levels.splitlines()) == 2 + 4 * 3


@pytest.mark.usefixtures("tools")
def test_an_hour_of_few_seconds_reads_all_tiles(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "readings.json"
    few = ("--slos", "4", "--tenants", "2", "--series", "2")
    short = ("--minutes", "0.2", "--every", "6", "--settle", "6", "--json", str(log))
    run(monkeypatch, "hour.py", *few, *short)
    shown = capsys.readouterr().out
    assert "| 4 SLOs, 2 tenants, 0.2 minutes " in shown
    assert re.search(r"Afterwards: \d+ iterations missed, 0 evaluations failed, \d of 2", shown)
    assert "read 4,320 tiles" in shown
    _, *readings = map(json.loads, log.read_text("utf-8").splitlines())
    assert len(readings) == 2
    assert readings[-1]["series in memory"] > 4 * 2
    assert readings[-1]["scrapes that failed"] == 0


def test_blocks_are_cut_as_a_server_would_have_merged_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 62 h from a multiple of 54 h: at 54 h in all, 54 + 6 + 2; at 6 h, ten of 6 and 2."""
    monkeypatch.syspath_prepend(FOLDER)
    blocks = importlib.import_module("blocks")
    start, end = 540 * 3600, 602 * 3600
    hours = {
        retention: [(b - a) // 3600 for a, b in blocks.cut(start, end, retention)]
        for retention in (60, 3)
    }
    assert hours == {60: [54, 6, 2], 3: [*[6] * 10, 2]}


def test_without_the_tools_it_prints_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(tmp_path))
    with pytest.raises(SystemExit, match="forky is missing: run make tools-all"):
        run(monkeypatch, "eval.py", "--series", "2", "--days", "1", "--slos", "0")


@pytest.mark.usefixtures("tools")
def test_the_proofs_of_a_small_repo_are_timed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "proofs.py", "--repo", "2x1")
    printed = capsys.readouterr().out
    assert "| 2 x 1 |" in printed
    assert "unit tests" in printed
    assert " 0 failed" in printed


def count(cell: str) -> float:
    """Read a number of the table."""
    return float(cell.replace(",", ""))
