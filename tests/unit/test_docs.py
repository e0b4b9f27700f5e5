"""README and docs: quotes are the compiler's output, documents compile, links lead somewhere."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml
from cases import EXAMPLES, ROOT, VOCABULARY, WORDS, compiled
from click.testing import CliRunner

from slo_compiler import naming
from slo_compiler.cli import document as commands
from slo_compiler.cli import main
from slo_compiler.schema import document as keys
from slo_compiler.schema.json_schema import KINDS, json_schema

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), ROOT / "docker/README.md"])
FOLDERS = {"AlertPolicy": "policies", "SLOTemplate": "templates", "Tenant": "tenants"}
TENANT = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
PROJECT = {"apiVersion": "slo-compiler/v1", "kind": "Project"}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def documents() -> list[tuple[str, str]]:
    """Give each whole document of docs/, by its page and kind."""
    return [
        (f"{page.stem}-{re.findall(r'(?m)^kind: (.*)$', block)[0]}", block)
        for page in sorted(DOCS.glob("*.md"))
        for block in re.findall(r"(?s)```yaml\n(apiVersion: slo-compiler.*?)```", text_of(page))
    ]


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"(?m)^#+ (.*)$", re.sub(r"(?s)```.*?```", "", text_of(page)))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Give the links of a page that lead to no file or to no heading."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        goal = (page.parent / path).resolve() if path else page
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            broken.append(link)
    return broken


def test_readme_manifest_is_that_of_the_example() -> None:
    (quoted,) = re.findall(r"```yaml\n(apiVersion.*?)```", text_of(README), re.DOTALL)
    assert quoted == text_of(ROOT / "examples/tenants/customer-b.yaml")


def test_readme_alert_is_in_the_compiled_rules() -> None:
    (quoted,) = re.findall(r"```yaml\n(- alert.*?)```", text_of(README), re.DOTALL)
    path = naming.rules_file("customer-b")
    (rules,) = (a.text for a in compiled(EXAMPLES).artefacts if a.path == path)
    assert textwrap.indent(quoted, " " * 6) in rules


def test_readme_error_is_the_compilers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (quoted,) = re.findall(r"\n((?:    .*\n)+)\n## More", text_of(README))
    source = text_of(ROOT / "examples/tenants/customer-b.yaml")
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants/customer-b.yaml").write_text(
        source.replace("objective: 99.9\n", "objective: 0.999\n"), encoding="utf-8"
    )
    for path in ("slo-compiler.yaml", "alertmanager/base.yml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text_of(ROOT / "examples" / path), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert textwrap.dedent(quoted) in CliRunner().invoke(main, ["check"]).stderr


def test_readme_length_is_about_120_lines() -> None:
    assert len(text_of(README).splitlines()) <= 125


def test_explain_page_quotes_the_explanation() -> None:
    explained = text_of(ROOT / "tests/unit/explained/customer-b.txt")
    pattern = r"\$ slo-compiler explain customer-b/.*\n((?:    .*\n|\n)+)"
    (quoted,) = re.findall(pattern, text_of(DOCS / "explain.md"))
    lines = [line for line in textwrap.dedent(quoted).splitlines() if line.strip() != "..."]
    assert lines
    for line in lines:
        assert f"{line}\n" in explained


def test_manifest_page_names_the_example_of_each_feature() -> None:
    rows = re.findall(r"(?m)^\| .* \| .* \| `([\w/-]+)` \|$", text_of(DOCS / "manifest.md"))
    assert {*WORDS} - {*rows} <= {"lints"}  # the tables name all but that
    for word in rows:
        path = ROOT / word if "/" in word else VOCABULARY / "tenants" / f"{word}.yaml"
        assert path.exists(), word


@pytest.mark.processes
@pytest.mark.parametrize(
    "block", [b for _, b in documents()], ids=[name for name, _ in documents()]
)
def test_document_in_docs_compiles(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = yaml.safe_load(block)["kind"]
    folder = FOLDERS[kind]
    spec = {} if kind == "Tenant" else {folder: [f"{folder}/"]}
    (tmp_path / "slo-compiler.yaml").write_text(yaml.safe_dump({**PROJECT, "spec": spec}))
    for path, text in (("tenants/other.yaml", TENANT), (f"{folder}/page.yaml", block)):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["check"])
    assert (done.exit_code, "error[" in done.stderr) == (0, False), done.stderr


def test_documents_in_docs_are_of_each_kind_that_users_write() -> None:
    assert {name.split("-")[-1] for name, _ in documents()} == {*FOLDERS}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_of_page_lead_to_files_and_headings(page: Path) -> None:
    assert broken_links(page) == []


def test_link_to_a_missing_heading_is_broken(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b`: c\n[x](#a-b-c) [y](#other) [z](none.md) [w](https://example.org/)\n")
    assert broken_links(page) == ["#other", "none.md"]


def test_index_lists_every_page_of_docs() -> None:
    listed = re.findall(r"\]\(([\w-]+\.md)\)", text_of(DOCS / "index.md"))
    assert sorted(listed) == sorted(p.name for p in DOCS.glob("*.md") if p.name != "index.md")


def test_index_groups_pages_by_what_a_reader_wants() -> None:
    groups = re.findall(r"(?m)^## (.*)$", text_of(DOCS / "index.md"))
    assert groups == ["Tutorial", "How-to", "Reference", "Explanation"]


def test_paths_in_pages_exist() -> None:
    for page in PAGES:
        for path in re.findall(r"`((?:tests|slo_compiler|templates)/[\w/.-]+)`", text_of(page)):
            assert (ROOT / path).exists(), (page.name, path)


def test_commands_page_is_what_help_prints() -> None:
    """To write it: make docs."""
    assert text_of(ROOT / "docs" / "commands.md") == commands.markdown()
    shown = (
        CliRunner()
        .invoke(main, ["compile", "--help"], prog_name="slo-compiler", terminal_width=100)
        .stdout
    )
    assert "\n".join(map(str.rstrip, shown.strip().splitlines())) in commands.markdown()


def test_keys_page_is_what_the_models_are() -> None:
    """To write it: make docs."""
    assert text_of(DOCS / "manifest-keys.md") == keys.markdown()


def test_keys_page_has_each_key_of_each_mapping() -> None:
    page = text_of(DOCS / "manifest-keys.md")
    sections = dict(re.findall(r"(?ms)^## (\w+)\n(.*?)(?=^## |\Z)", page))
    for kind in KINDS:
        for name, part in json_schema(kind)["$defs"].items():
            rows = re.findall(r"(?m)^\| `(\w+)` \|", sections[name])
            assert {*part.get("properties", {})} <= {*rows}, name
