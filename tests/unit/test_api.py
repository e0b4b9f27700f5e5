"""The public API: documented, complete, and lazy."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT

import slo_compiler
from slo_compiler import api

TENANT = (ROOT / "examples/vocabulary/tenants/availability.yaml").read_text(encoding="utf-8")


def test_api_docstring_example_prints_what_it_shows() -> None:
    failed, tried = doctest.testmod(api)
    assert (failed, tried) == (0, 5)


@pytest.mark.processes
def test_api_document_example_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.DOTALL
    )
    monkeypatch.chdir(ROOT / "examples")
    exec(example, {})  # noqa: S102  (our own document)
    assert "prometheus/rules/customer-b.yml " in capsys.readouterr().out


@pytest.mark.processes
def test_compile_text_several_files_gives_files_of_each() -> None:
    name = "availability"
    other = TENANT.replace("name: availability", "name: customer-x")
    result = slo_compiler.compile_text({"b.yaml": TENANT, "x.yaml": other})
    assert result.ok, result.diagnostics
    rules = {f"prometheus/rules/{tenant}.yml" for tenant in (name, "customer-x")}
    assert rules <= {*result.artefacts}
    assert {*result.tools, *result.skipped} == {"promtool", "amtool"}


def test_compile_text_bad_project_and_bad_manifest_gives_both_findings() -> None:
    project = "apiVersion: slo-compiler/v1\nkind: Project\nspec: {outptu: x}\n"
    result = slo_compiler.compile_text(TENANT.replace("99.9", "999"), project)
    assert not result.ok
    assert result.artefacts == {}
    errors = [d for d in result.diagnostics if d.severity == slo_compiler.Severity.ERROR]
    assert {(d.position.path, d.id) for d in errors} == {
        ("slo-compiler.yaml", "unknown-key"),
        ("manifest.yaml", "objective"),
    }


@pytest.mark.parametrize("text", ["", "{", "- 1", "a: [", "\x00", "kind: Tenant", "x: *y"])
def test_compile_text_anything_raises_nothing(text: str) -> None:
    assert not slo_compiler.compile_text(text).ok
    assert not slo_compiler.compile_text(TENANT, text or "x").ok


def test_compile_paths_missing_file_is_a_diagnostic(tmp_path: Path) -> None:
    result = slo_compiler.compile_paths([tmp_path / "gone.yaml"])
    assert [found.id for found in result.diagnostics] == ["unreadable"]


@pytest.mark.processes
def test_api_import_does_not_load_the_compiler() -> None:
    code = (
        "import sys, slo_compiler; print(sorted(m for m in sys.modules if 'slo_compiler' in m));"
        "slo_compiler.compile_text; print('slo_compiler.pipeline' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['slo_compiler']\nTrue\n"


def test_api_names_are_all_there() -> None:
    assert {*slo_compiler.__all__} <= {*dir(slo_compiler)}
    for name in slo_compiler.__all__:
        assert getattr(slo_compiler, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        slo_compiler.nothing  # noqa: B018


def test_compile_text_with_a_line_break_in_a_name_is_refused() -> None:
    (found,) = api.compile_text({"a\nb.yaml": "kind: Tenant"}).diagnostics
    assert (found.id, found.position.path) == ("file-name", "a\nb.yaml")


def test_compile_text_with_what_is_no_unicode_reports_it() -> None:
    (found,) = api.compile_text("owner: \ud800").diagnostics
    assert (found.id, found.position.column) == ("not-utf8", 8)
