"""The gate on coverage: what it reports, and that it looks at files that exist."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from coverage import Coverage
from covered import AREAS, files, missed

ONE_SIDED = """\
def sign(number):
    found = "+"
    if number < 0:
        found = "-"
    return found
"""


def measured(folder: Path, *calls: int) -> tuple[Coverage, list[str]]:
    """Run sign() under a coverage of its own, which gives a path its data."""
    path = folder / "sign.py"
    path.write_text(ONE_SIDED, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("sign", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    inner = Coverage(data_file=None, branch=True, config_file=False, include=[str(path)])
    with inner.collect():
        spec.loader.exec_module(module)
        for number in calls:
            module.sign(number)
    return inner, [str(path)]


def test_missed_with_both_branches_run_is_empty(tmp_path: Path) -> None:
    assert missed(*measured(tmp_path, -1, 1)) == ""


def test_missed_with_one_branch_run_names_it(tmp_path: Path) -> None:
    """All five lines run with -1; that the condition may be false, nothing shows: 3 to 5."""
    table = missed(*measured(tmp_path, -1))
    assert "3->5" in table
    assert "sign.py" in table


def test_missed_with_a_line_not_run_names_it(tmp_path: Path) -> None:
    assert missed(*measured(tmp_path, 1)).splitlines()[2].split()[-1] == "4"


def test_files_of_each_area_exist_and_are_of_one_area() -> None:
    listed = [path for patterns in AREAS.values() for path in files(patterns)]
    assert len(listed) == len({*listed})


def test_files_of_a_pattern_that_has_none_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "here.py").touch()
    assert files(["*.py"], tmp_path) == [str(tmp_path / "here.py")]
    with pytest.raises(FileNotFoundError, match=r"gone\.py: correct AREAS"):
        files(["here.py", "gone.py"], tmp_path)
