"""What all formats of `slo-compiler import` have in common."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import test_import_compose as compose
import test_import_openslo as openslo
import test_import_pyrra as pyrra
import test_import_rules as rules
import test_import_sloth as sloth
import yaml
from cases import ROOT
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from importing import imported

from slo_compiler import compile_text, pipeline
from slo_compiler.cli import importing as command
from slo_compiler.cli import main
from slo_compiler.diagnostics import CompileError, Report, Severity
from slo_compiler.importing import formats
from slo_compiler.importing.manifest import import_files
from slo_compiler.importing.model import Options
from slo_compiler.source import SourceFile

# Files that are imported whole, by format.
FILES = {
    "sloth": (sloth.FILE, sloth.RESOURCE),
    "pyrra": (pyrra.SLO, pyrra.with_indicator("bool_gauge: {metric: up}").replace("answers", "up")),
    "openslo": (openslo.FILE, openslo.ALPHA),
    "compose": (
        compose.SERVICE,
        compose.COMPOSE.replace("checkout:", "cart:").replace("http_req", "cart_req"),
    ),
    "rules": (rules.INLINE.replace("Burns", "ShopErrors"), rules.pyrra_rules(rules.PYRRA_GAUGE)),
}
NAMES = [each.name for each in formats.FORMATS]


def test_command_names_all_formats() -> None:
    assert list(command.FORMATS) == NAMES == [*FILES]
    with_period = [each.name for each in formats.FORMATS if each.takes_period]
    assert list(command.WITH_PERIOD) == with_period
    with_tenants = [each.name for each in formats.FORMATS if each.says_tenant]
    assert list(command.WITH_TENANTS) == with_tenants
    done = CliRunner().invoke(main, ["import", "--help"])
    for name in NAMES:
        assert f"slo-compiler import {name} " in done.stdout


@pytest.mark.parametrize("name", sorted({*NAMES} - {*command.WITH_PERIOD}))
def test_period_of_a_format_that_names_it_is_refused(name: str, tmp_path: Path) -> None:
    done = imported(tmp_path, name, FILES[name][0], "--period", "28d")
    assert done.exit_code == 2
    assert f"--period: {name} names the period of each SLO itself" in done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("name", NAMES)
def test_manifest_of_an_import_passes_check(name: str, tmp_path: Path) -> None:
    done = imported(tmp_path, name, "---\n".join(FILES[name]))
    assert done.exit_code == 0, done.output
    result = compile_text(done.stdout)
    assert result.ok, result.diagnostics
    found = {d.id for d in result.diagnostics if d.severity is not Severity.INFO}
    assert found <= {"heartbeat-unrouted", "raw-unweighted"}


@pytest.mark.processes
@pytest.mark.parametrize("name", sorted({*NAMES} - {*command.WITH_TENANTS}))
def test_migration_works_step_by_step(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of docs/migrate-*.md, in its order."""
    page = (ROOT / f"docs/migrate-{name}.md").read_text(encoding="utf-8")
    (first,) = re.findall(r"(?m)^    slo-compiler (import .*)$", page)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slos").mkdir()
    for number, text in enumerate(FILES[name]):
        (tmp_path / f"slos/{number}.yml").write_text(text, encoding="utf-8")
    assert CliRunner().invoke(main, first.split()).exit_code == 0
    manifest = tmp_path / "tenants/checkout.yaml"
    text = manifest.read_text(encoding="utf-8")
    assert "/etc/alertmanager/secrets/checkout/webhook" in text
    assert CliRunner().invoke(main, ["check", "tenants"]).exit_code == 0
    if "stage: shadow" not in page:
        return
    shadowed = re.sub(r"(?m)^(    service: .*)$", r"\1\n    stage: shadow", text)
    for stage in (shadowed, text):
        manifest.write_text(stage, encoding="utf-8")
        done = CliRunner().invoke(main, ["compile", "tenants", "-o", "out"])
        assert done.exit_code == 0, done.output
        rules = (tmp_path / "out/prometheus/rules/checkout.yml").read_text(encoding="utf-8")
        burning = re.search(r"alert: (ShopErrors|SLOErrorBudgetBurn)\b", rules) is not None
        assert burning == (stage is text)


Change = Callable[[Any], Any]
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        [
            "{{",
            "{{.window}}",
            "$window",
            "4w",
            "1M",
            "0d",
            "999999999y",
            "x{",
            "up",
            "a b",
            "9" * 90,
        ]
    ),
    st.lists(st.sampled_from(["region", "le", "tenant", "", "a-b"]), max_size=3),
    st.dictionaries(st.sampled_from(["metric", "name", "query", "kind"]), st.text(max_size=3)),
)


def places(value: Any, loc: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401
    """Give the path of each value of a document."""
    inner = value.items() if isinstance(value, dict) else []
    inner = enumerate(value) if isinstance(value, list) else inner
    return [loc, *(place for key, each in inner for place in places(each, (*loc, key)))]


@st.composite
def broken(draw: st.DrawFn, text: str) -> str:
    """Change some values and keys of documents: wrong types, missing keys, unknown ones."""
    documents = list(yaml.safe_load_all(text))
    for _ in range(draw(st.integers(1, 4))):
        *above, last = draw(st.sampled_from(places(documents)[1:]))
        parent: Any = documents
        for step in above:
            parent = parent[step]
        kind = draw(st.sampled_from(["value", "value", "key", "copy", "delete"]))
        if kind == "delete" and len(documents) > 1:
            del parent[last]
        elif kind == "key" and isinstance(parent, dict):
            parent[draw(st.sampled_from(["x", "1", "spec", "owner", ""]))] = parent.pop(last)
        elif kind == "copy" and isinstance(parent, list):
            parent.append(parent[last])
        else:
            parent[last] = draw(JUNK)
    return yaml.safe_dump_all(documents)


@pytest.mark.processes
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(data=st.data())
def test_import_of_broken_files_raises_nothing_but_findings(name: str, data: st.DataObject) -> None:
    """What is left of a broken file is a manifest that compiles; an error is at a line."""
    format_ = next(each for each in formats.FORMATS if each.name == name)
    text = data.draw(broken("---\n".join(FILES[name])))
    report = Report()
    project = pipeline.read_project(None, report)
    options = Options("shop", project)
    shared = pipeline.read_shared(project, report).environment.shared
    file = SourceFile("a.yml", "a.yml", text.encode())
    try:
        written = import_files(format_, [file], options, report, shared)
    except CompileError:
        assert report.failed
        return
    assert all(found.position.line for found in report.diagnostics)
    if written.text is None:
        assert report.failed
    else:
        result = compile_text(written.text)
        assert result.ok, (text, result.diagnostics)
