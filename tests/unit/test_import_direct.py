"""Files of other tools that a manifest imports: the same rules, findings at their lines."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import test_import_openslo as openslo
import test_import_pyrra as pyrra
import test_import_sloth as sloth
import yaml
from click.testing import CliRunner
from pydantic.fields import FieldInfo

from slo_compiler import compile_paths
from slo_compiler.cli import main
from slo_compiler.diagnostics import Severity
from slo_compiler.importing import formats
from slo_compiler.schema.tenant import ForeignFiles

FILES = {
    "sloth": (sloth.FILE, sloth.RESOURCE),
    "pyrra": (pyrra.SLO,),
    "openslo": (openslo.FILE, openslo.ALPHA),
}
PROJECT = "apiVersion: slo-compiler/v1\nkind: Project\nspec: {sources: [tenants]}\n"
MANIFEST = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: shop, owner: shop-sre}
spec:
  import:
    - {format: sloth, files: ["slos/*.yml"]}
  channels:
    - {name: alerts, webhook: {url_file: /etc/alertmanager/secrets/shop/webhook}}
  escalation:
    - {severity: page, notify: [alerts]}
    - {severity: ticket, notify: [alerts]}
"""


def project(folder: Path, manifest: str = MANIFEST, files: tuple[str, ...] = (sloth.FILE,)) -> Path:
    """Write a project whose tenant imports files."""
    (folder / "tenants/slos").mkdir(parents=True)
    (folder / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "tenants/shop.yaml").write_text(manifest, encoding="utf-8")
    for number, text in enumerate(files):
        (folder / f"tenants/slos/{number}.yml").write_text(text, encoding="utf-8")
    return folder


def found(folder: Path) -> list[tuple[str, int, int, str]]:
    """Give the places and IDs of errors."""
    return [
        (Path(d.position.path).name, d.position.line, d.position.column, d.id)
        for d in compile_paths(project=folder / "slo-compiler.yaml").diagnostics
        if d.severity is Severity.ERROR
    ]


def rules(folder: Path) -> str:
    """Give the tenant's rules, without the files that they are made of."""
    result = compile_paths(project=folder / "slo-compiler.yaml")
    assert result.ok, result.diagnostics
    return re.sub(r"manifest: .*(\n {8,}.*)*", "", result.artefacts["prometheus/rules/shop.yml"])


def test_schema_names_the_formats_of_one_tenant() -> None:
    field: FieldInfo = ForeignFiles.model_fields["format"]
    assert field.annotation is not None
    known = [each.name for each in formats.FORMATS if not each.says_tenant]
    assert {*field.annotation.__args__} == {*known} - {"rules"} == {*FILES}


@pytest.mark.processes
@pytest.mark.parametrize("name", [*FILES])
def test_file_gives_the_same_rules_as_its_import(name: str, tmp_path: Path) -> None:
    manifest = MANIFEST.replace("format: sloth", f"format: {name}")
    if name == "openslo":  # of one without alerts, the windows are those of the default
        manifest = manifest.replace("spec:\n", "spec:\n  defaults: {policy: pages}\n")
        manifest = manifest.replace("    - {severity: ticket, notify: [alerts]}\n", "")
    direct = project(tmp_path / "direct", manifest, FILES[name])
    line = ["import", name, str(direct / "tenants/slos"), "--tenant", "shop"]
    done = CliRunner().invoke(main, [*line, "--project", str(direct / "slo-compiler.yaml")])
    assert done.exit_code == 0, done.output
    text = re.sub(r"owner: .*", "owner: shop-sre", done.stdout)
    imported = project(tmp_path / "imported", text, ())
    assert rules(direct) == rules(imported)
    assert "alert: SLOErrorBudgetBurn" in rules(direct) or "alert: ShopErrors" in rules(direct)


@pytest.mark.processes
def test_file_and_slos_of_the_manifest_are_both_compiled(tmp_path: Path) -> None:
    own = """\
  slos:
    - name: own
      service: cart
      objective: 99
      sli: {ratio: {errors: e_total, total: t_total}}
"""
    text = rules(project(tmp_path, MANIFEST + own))
    assert 'slo: "own"' in text
    assert 'slo: "availability"' in text


@pytest.mark.processes
def test_policy_of_an_entry_is_that_of_its_slos(tmp_path: Path) -> None:
    text = MANIFEST.replace("format: sloth", "format: sloth, policy: sre-workbook-7d")
    assert rules(project(tmp_path / "a", text)) != rules(project(tmp_path / "b"))
    text = MANIFEST.replace("format: sloth", "format: sloth, policy: sre")
    (error,) = found(project(tmp_path / "c", text))
    assert error == ("shop.yaml", 6, 31, "undefined-policy")


@pytest.mark.processes
def test_period_of_an_entry_is_that_of_the_run(tmp_path: Path) -> None:
    text = MANIFEST.replace("format: sloth", "format: sloth, period: 28d")
    assert "0.01344" in rules(project(tmp_path / "a", text))
    text = text.replace("sloth", "pyrra")
    assert found(project(tmp_path / "b", text, (pyrra.SLO,))) == [
        ("shop.yaml", 6, 23, "import-refused")
    ]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("objective: 99.9", "objective: 101", (6, 16, "objective")),
        ("objective: 99.9", "objektive: 99.9", (6, 5, "import-unknown-key")),
        ('{code=~"5.."}', '{code=~"5.."', (10, 62, "promql-syntax")),
        ('{code=~"5.."}', '{tenant="other"}', (10, 59, "other-tenant")),
        ("[{{ .window  }}]", "[{{ .windw }}]", (11, 51, "import-refused")),
        ("version: prometheus/v1", "version: prometheus/v2", (1, 10, "import-refused")),
        ("service: shop", "service: [", (4, 1, "yaml-syntax")),
    ],
)
def test_finding_is_at_the_line_of_the_file(
    old: str, new: str, place: tuple[int, int, str], tmp_path: Path
) -> None:
    """Of the format, the schema, the parser of PromQL, and isolation alike."""
    text = sloth.FILE.replace(old, new)
    assert text != sloth.FILE
    places = found(project(tmp_path, files=(text,)))
    assert ("0.yml", *place) in places
    assert {file for file, *_ in places} == {"0.yml"}


def test_lint_is_at_the_line_of_the_file(tmp_path: Path) -> None:
    result = compile_paths(project=project(tmp_path, files=(sloth.RESOURCE,)) / "slo-compiler.yaml")
    (at,) = [d.position for d in result.diagnostics if d.id == "raw-unweighted"]
    assert (Path(at.path).name, at.line) == ("0.yml", 9)


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("../../outside.yml", "file-outside"),
        ("/etc/passwd", "file-outside"),
        ("link.yml", "symlink-outside"),
        ("folder/0.yml", "symlink-outside"),
        ("slos/pipe.yml", "unreadable"),
        ("slos/missing.yml", "unreadable"),
        ("slos", "unreadable"),
        ("none/*.yml", "import-files"),
        ("*/0.yml", "import-files"),
        ("../*.yml", "file-outside"),
    ],
)
def test_file_outside_of_the_project_or_missing_is_an_error_at_its_name(
    name: str, id_: str, tmp_path: Path
) -> None:
    folder = project(tmp_path / "p", MANIFEST.replace("slos/*.yml", name))
    (tmp_path / "outside.yml").write_text(sloth.FILE, encoding="utf-8")
    (tmp_path / "0.yml").write_text(sloth.FILE, encoding="utf-8")
    (folder / "tenants/link.yml").symlink_to(tmp_path / "outside.yml")
    (folder / "tenants/folder").symlink_to(tmp_path)
    os.mkfifo(folder / "tenants/slos/pipe.yml")
    text = PROJECT.replace("[tenants]", "[tenants/shop.yaml]")
    (folder / "slo-compiler.yaml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "--project", str(folder / "slo-compiler.yaml")])
    assert done.exit_code == 1
    errors = re.findall(r"(\w+\.ya?ml):(\d+):\d+: error\[([a-z-]+)\]", done.stderr)
    assert errors == [("shop.yaml", "6", id_)], done.stderr


@pytest.mark.processes
def test_changed_file_is_a_changed_input_and_version(tmp_path: Path) -> None:
    folder = project(tmp_path)
    options = ["--project", str(folder / "slo-compiler.yaml"), "-o", str(folder / "out")]
    for _ in range(2):
        assert CliRunner().invoke(main, ["compile", *options]).exit_code == 0
    assert CliRunner().invoke(main, ["compile", "--check", *options]).exit_code == 0
    lock = (folder / "out/slo-compiler.lock.json").read_text(encoding="utf-8")
    assert "tenants/slos/0.yml" in yaml.safe_load(lock)["inputs"]
    before = (folder / "out/prometheus/rules/shop.yml").read_text(encoding="utf-8")
    path = folder / "tenants/slos/0.yml"
    path.write_text(path.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    assert CliRunner().invoke(main, ["compile", "--check", *options]).exit_code != 0
    assert CliRunner().invoke(main, ["compile", *options]).exit_code == 0
    after = (folder / "out/prometheus/rules/shop.yml").read_text(encoding="utf-8")
    versions = [set(re.findall(r"slos/0\.yml sha256:(\w+)", text)) for text in (before, after)]
    assert [len(each) for each in versions] == [1, 1]
    assert versions[0] != versions[1]


def test_explain_names_the_line_of_the_file(tmp_path: Path) -> None:
    folder = project(tmp_path)
    line = ["explain", "shop/shop/availability", "--project", str(folder / "slo-compiler.yaml")]
    done = CliRunner().invoke(main, line)
    assert done.exit_code == 0, done.output
    assert "slos/0.yml:5" in done.output
