"""The benchmarks run, and what that of evaluation counts is what the documentation has."""

from __future__ import annotations

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
        assert count(peer["x ms/30s"]) > 0
    assert drawn.read_text(encoding="utf-8").count("<rect") == 1 + len(table)
    (parts,) = (other.splitlines() for other in others if "| sums of the period" in other)
    samples = [count(row.split("|")[2]) for row in parts[2:]]
    assert sum(samples) == pytest.approx(count(of_ten["samples/30s"]), abs=len(samples) / 2)
    (levels,) = (other for other in others if "| two levels, 1 of 50, 2 series " in other)
    assert len(levels.splitlines()) == 2 + 4 * 3


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
