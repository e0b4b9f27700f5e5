"""Completion: names of tenants and SLOs, IDs of findings; through click's own variable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT

from slo_compiler.cli import completion, lint_ids
from slo_compiler.cli.names import Sources
from slo_compiler.lint import RULES
from slo_compiler.lint.errors import errors

PROJECT = "apiVersion: slo-compiler/v1\nkind: Project\nspec:\n  sources: [tenants/]\n"
SLOS = """\
  slos:
    - {name: web, service: cart, objective: 99, sli: {ratio: {errors: a, total: b}}}
    - {name: api, service: cart, objective: 99, sli: {ratio: {errors: a, total: b}}}
    - {name: web, service: login, objective: 99, sli: {ratio: {errors: a, total: b}}}
"""


def tenant(name: str, slos: str = SLOS) -> str:
    return f"apiVersion: slo-compiler/v1\nkind: Tenant\nmetadata: {{name: {name}}}\nspec:\n{slos}"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "tenants").mkdir()
    both = f"{tenant('shop')}---\n{tenant('shop-eu')}"
    (tmp_path / "tenants/a.yaml").write_text(both, encoding="utf-8")
    (tmp_path / "tenants/b.yaml").write_text(tenant("bank"), encoding="utf-8")
    return tmp_path


def run(folder: Path, words: str, shell: str = "bash", **more: str) -> tuple[int, list[str], str]:
    """Complete the last of some words, as a shell does; gives exit code, lines and stderr."""
    number = str(words.count(" "))
    environment = {**os.environ, "COMP_WORDS": words, "COMP_CWORD": number, **more}
    environment[completion.VARIABLE] = f"{shell}_complete"
    binary = Path(sys.executable).parent / "slo-compiler"
    done = subprocess.run(
        [binary], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def completed(folder: Path, words: str) -> list[str]:
    """Complete with bash; nothing may be on stderr."""
    code, lines, stderr = run(folder, words)
    assert (code, stderr) == (0, "")
    return [line.removeprefix("plain,") for line in lines if line]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("explain ", ["bank", "shop", "shop-eu"]),
        ("explain shop", ["shop", "shop-eu"]),
        (
            "explain b",
            [
                *("bank", "bank/cart", "bank/login"),
                *("bank/cart/web", "bank/cart/api", "bank/login/web"),
            ],
        ),
        ("explain shop/l", ["shop/login", "shop/login/web"]),
        ("explain nothing", []),
        ("test --tenant s", ["shop", "shop-eu"]),
        ("test --slo ", ["bank/", "shop/", "shop-eu/"]),
        ("test --slo shop/cart/", ["shop/cart/web", "shop/cart/api"]),
        ("lints latency-u", ["latency-unit"]),
        ("lints undefined-te", ["undefined-template"]),
        ("check ten", ["file,ten"]),
        ("explain shop ten", ["file,ten"]),
    ],
)
def test_completion_gives_what_the_word_can_be(repo: Path, words: str, expected: list[str]) -> None:
    assert completed(repo, f"slo-compiler {words}") == expected


@pytest.mark.processes
def test_completion_reads_the_project_that_the_line_names(repo: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "other.yaml").write_text(PROJECT.replace("tenants/", "own.yaml"), encoding="utf-8")
    (elsewhere / "own.yaml").write_text(tenant("own", "  slos: []\n"), encoding="utf-8")
    assert completed(elsewhere, "slo-compiler explain ") == ["bank", "shop", "shop-eu"]
    assert completed(elsewhere, "slo-compiler explain --project other.yaml ") == ["own"]
    assert repo == tmp_path


@pytest.mark.processes
def test_completion_fills_in_templates() -> None:
    assert completed(ROOT / "examples/vocabulary", "slo-compiler explain templates/") == [
        "templates/checkout",
        "templates/cart",
        "templates/checkout/availability",
        "templates/cart/availability",
        "templates/checkout/latency-300ms",
    ]


@pytest.mark.processes
def test_completion_offers_no_word_that_a_shell_would_run(repo: Path) -> None:
    hostile = SLOS.replace("name: web, service: cart", "name: '$(id)', service: cart").replace(
        "name: api", "name: 'a b'"
    )
    (repo / "tenants/c.yaml").write_text(tenant("'`id`'"), encoding="utf-8")
    (repo / "tenants/d.yaml").write_text(tenant("dark", hostile), encoding="utf-8")
    assert completed(repo, "slo-compiler explain ") == ["bank", "dark", "shop", "shop-eu"]
    assert completed(repo, "slo-compiler test --slo dark/") == ["dark/login/web"]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tenants/bad.yaml", b"kind: Tenant\nmetadata: {name: [\n"),
        ("tenants/bad.yaml", b"kind: Tenant\n\xff\xfe\x00"),
        ("tenants/bad.yaml", b"kind: Tenant\nmetadata: " + b"[" * 50_000),
        ("tenants/bad.yaml", b"kind: Tenant\nmetadata: &a {name: *a, ? [x] : y}\n"),
        ("tenants/bad.yaml", b"kind: Tenant\nmetadata: Tenant\nspec: {slos: 5}\n"),
    ],
)
def test_completion_of_broken_manifests_gives_the_others_and_prints_nothing_else(
    repo: Path, name: str, content: bytes
) -> None:
    (repo / name).write_bytes(content)
    assert completed(repo, "slo-compiler explain ") == ["bank", "shop", "shop-eu"]


@pytest.mark.processes
@pytest.mark.parametrize("content", ["", "spec: 5\n", "spec: {sources: 5}\n", "[", "\0"])
def test_completion_with_a_broken_project_prints_no_finding(repo: Path, content: str) -> None:
    (repo / "slo-compiler.yaml").write_text(content, encoding="utf-8")
    code, lines, stderr = run(repo, "slo-compiler explain s")
    assert (code, stderr) == (0, "")
    assert all(line.startswith("plain,shop") for line in lines)


@pytest.mark.processes
def test_completion_without_a_project_gives_nothing(tmp_path: Path) -> None:
    assert completed(tmp_path, "slo-compiler explain ") == []


@pytest.mark.processes
def test_completion_without_its_variables_prints_nothing(tmp_path: Path) -> None:
    binary = Path(sys.executable).parent / "slo-compiler"
    environment = {**os.environ, completion.VARIABLE: "bash_complete"}
    done = subprocess.run(
        [binary], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.processes
def test_completion_of_ids_in_zsh_and_fish_shows_severity_and_meaning(tmp_path: Path) -> None:
    code, lines, stderr = run(tmp_path, "slo-compiler lints raw-", "zsh")
    assert (code, stderr) == (0, "")
    assert lines[:2] == ["plain", "raw-unweighted"]
    assert lines[2].startswith("warning: ")
    _, lines, _ = run(tmp_path, "slo-compiler lints", "fish", COMP_CWORD="raw-")
    assert any("raw-unweighted" in line for line in lines)


@pytest.mark.processes
def test_completion_script_of_bash_completes_in_a_shell(repo: Path) -> None:
    binary = Path(sys.executable).parent
    script = f"""
        PATH={binary}:$PATH
        eval "$({completion.VARIABLE}=bash_source slo-compiler)"
        COMP_WORDS=(slo-compiler explain shop/c) COMP_CWORD=2
        _slo_compiler_completion slo-compiler shop/c explain
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script], cwd=repo, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["shop/cart", "shop/cart/web", "shop/cart/api"]


def test_completion_ids_are_those_of_the_registry() -> None:
    lints = [(rule.id, str(rule.severity), rule.summary) for rule in RULES]
    found = [*lint_ids.entries()]
    assert [each for each in found if each[0] not in errors()] == sorted(lints)
    assert {id_ for id_, _, _ in found} == {rule.id for rule in RULES} | {*errors()}


@pytest.mark.processes
def test_completion_imports_neither_schema_nor_lints(repo: Path) -> None:
    """What makes it fast: those take most of the time of a command."""
    script = (
        "import sys; from pathlib import Path; from slo_compiler.cli import main, lint_ids; "
        "from slo_compiler.cli.names import Sources; "
        f"found = Sources.of(Path({str(repo / 'slo-compiler.yaml')!r})); "
        "print(found.tenants(), len(found.slos('shop')), len([*lint_ids.entries()]) > 100); "
        "print(sorted(m for m in sys.modules if m in ('pydantic', 'slo_compiler.lint', "
        "'slo_compiler.schema', 'jinja2', 'promql_parser')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["['bank', 'shop', 'shop-eu'] 3 True", "[]"]


def test_sources_of_a_large_project_are_read_up_to_the_names(tmp_path: Path) -> None:
    """A thousand tenants: after the name, even what is no YAML any more is not looked at."""
    (tmp_path / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "tenants").mkdir()
    for number in range(1000):
        text = tenant(f"t{number:04}") + "  }}} not read\n"
        (tmp_path / f"tenants/{number:04}.yaml").write_text(text, encoding="utf-8")
    names = Sources.of(tmp_path / "slo-compiler.yaml").tenants()
    assert names == [f"t{number:04}" for number in range(1000)]
