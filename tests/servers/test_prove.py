"""`slo-compiler test`: what is run, what is known already, and what a damaged folder gives."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from cases import ROOT, tool
from click.testing import CliRunner, Result

from slo_compiler import naming
from slo_compiler.cli import main
from slo_compiler.proofs.run.cache import FOLDER, ProofCache
from slo_compiler.proofs.run.wanted import Wanted

MANIFEST = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  sources: [tenants/]
  alertmanager: {heartbeat: {webhook: {url: "http://deadman.internal/slo"}}}
"""
FORKY, TRIXIE = (str(tool(suite, "promtool").parent) for suite in ("forky", "trixie"))
UNIT = "generated/prometheus/tests/acme_1m.yml"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tenants of one SLO each, compiled once."""
    folder = tmp_path_factory.mktemp("repo")
    (folder / "tenants").mkdir()
    (folder / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
    for name in ("acme", "zeta"):
        text = MANIFEST.replace("acme", name)
        (folder / "tenants" / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SLO_COMPILER_TOOLS", FORKY)
        done = CliRunner().invoke(main, ["compile"], catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
    return folder


@pytest.fixture
def repo(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(compiled, tmp_path / "repo")
    monkeypatch.chdir(tmp_path / "repo")
    monkeypatch.setenv("SLO_COMPILER_TOOLS", FORKY)
    return tmp_path / "repo"


def prove(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["test", *arguments], catch_exceptions=False)


def line(done: Result, kind: str) -> str:
    (found,) = (text for text in done.stdout.splitlines() if text.startswith(f"{kind}  "))
    return " ".join(found.split())


def test_filters_run_the_proofs_that_they_name(repo: Path) -> None:
    routes = prove("--only", "routes")
    assert routes.exit_code == 0, routes.output
    assert "unit tests" not in routes.stdout
    one = prove("--tenant", "acme", "--only", "routes")
    assert line(one, "routes").startswith("routes 1 proof 10 checks 0 failed")
    assert "isolation" not in one.stdout
    slo = prove("--slo", "acme/web/availability", "--only", "routes")
    assert line(slo, "routes").startswith("routes 1 proof 8 checks 0 failed")
    assert (repo / FOLDER / ".gitignore").read_text() == "*\n"


def test_filter_of_an_slo_runs_its_unit_tests_against_the_rules_in_the_output(repo: Path) -> None:
    path = repo / UNIT
    text = path.read_text(encoding="utf-8")
    other = text[text.index("  - name:") :].replace('"web/availability:', '"other/slo:')
    other = re.sub(r"&v\d+ ", "", other)  # an anchor is defined once
    path.write_text(text + other, encoding="utf-8")
    for name in ("acme_1h.yml", "acme_4m.yml", "acme_5m.yml"):
        (path.parent / name).unlink()
    own = text.count("      - expr:")
    done = prove("--slo", "acme/web/availability", "--only", "unit")
    assert done.exit_code == 0, done.output
    assert line(done, "unit tests").startswith(f"unit tests 1 proof {own} checks 0 failed")
    rules = repo / "generated/prometheus/rules/acme.yml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("> 0.0144", "> 0.9"))
    assert prove("--slo", "acme/web/availability", "--only", "unit").exit_code == 1


def test_what_passed_is_not_run_again_unless_something_changed(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (repo / UNIT).parent.glob("*"):
        if path != repo / UNIT:
            path.unlink()
    first = prove()
    assert (first.exit_code, "proved before" in first.stdout) == (0, False), first.output
    again = prove()
    assert again.exit_code == 0
    assert line(again, "unit tests").endswith("1 proved before")
    assert line(again, "routes").endswith("2 proved before")
    assert "proved before" not in prove("--all", "--only", "routes").stdout
    monkeypatch.setenv("SLO_COMPILER_TOOLS", TRIXIE)
    assert "proved before" not in prove("--only", "routes").stdout
    monkeypatch.setenv("SLO_COMPILER_TOOLS", FORKY)
    rules = repo / "generated/prometheus/rules/acme.yml"
    good = rules.read_text(encoding="utf-8")
    rules.write_text(good.replace("> 0.0144", "> 0.9"), encoding="utf-8")
    for _ in range(2):  # what fails is never kept
        failed = prove("--only", "unit")
        assert (failed.exit_code, "proved before" in failed.stdout) == (1, False)
    rules.write_text(good, encoding="utf-8")
    assert line(prove("--only", "unit"), "unit tests").endswith("1 proved before")
    shutil.rmtree(repo / FOLDER)
    assert "proved before" not in prove("--only", "routes").stdout


def test_without_written_proofs_they_are_made_and_run_against_the_output(repo: Path) -> None:
    shutil.rmtree(repo / "generated/prometheus/tests")
    (repo / naming.ROUTES_FILE).unlink(missing_ok=True)
    (repo / "generated" / naming.ROUTES_FILE).unlink()
    text = PROJECT + "  targets: [prometheus, alertmanager]\n"
    (repo / "slo-compiler.yaml").write_text(text, encoding="utf-8")
    before = sorted((repo / "generated").rglob("*"))
    done = prove("--tenant", "acme")
    assert done.exit_code == 0, done.output
    assert "generated holds no proofs: they were made from the manifests" in done.stderr
    assert re.match(r"unit tests 6 proofs \d+ checks 0 failed", line(done, "unit tests"))
    assert sorted((repo / "generated").rglob("*")) == before
    rules = repo / "generated/prometheus/rules/acme.yml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("> 0.0144", "> 0.9"))
    assert prove("--tenant", "acme", "--only", "unit").exit_code == 1


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        (naming.ROUTES_FILE, b"hello", "the document: "),
        (naming.ROUTES_FILE, b"routes: 5", "routes: input should be a valid list"),
        (naming.ROUTES_FILE, b"routes: [{labels: {a: 1}}]", "routes.0.labels.a: "),
        (naming.ROUTES_FILE, b"\xff", "byte 0xff is not UTF-8"),
        (naming.ROUTES_FILE, b"a: [", "it is not valid YAML: "),
        (naming.ROUTES_FILE, b"[" * 100_000, ""),
        (naming.ROUTES_FILE, None, "cannot read it: No such file"),
        (naming.ALERTMANAGER_FILE, b"route: 5", "route is not a mapping"),
        (naming.ALERTMANAGER_FILE, b"hello", ""),
        (naming.ALERTMANAGER_FILE, b"", ""),
        (naming.ALERTMANAGER_FILE, b"\xff", "byte 0xff is not UTF-8"),
        (naming.ALERTMANAGER_FILE, None, "cannot read it: No such file"),
        ("prometheus/tests/acme_1m.yml", b"tests: {}", "rule_files: "),
        ("prometheus/tests/acme_1m.yml", b"\xff\x00", "byte 0xff is not UTF-8"),
        ("prometheus/tests/acme_1m.yml", b"", "the document: "),
        ("prometheus/rules/acme.yml", None, "the rules that it tests are missing: "),
    ],
)
def test_damaged_file_is_a_finding(
    repo: Path, path: str, content: bytes | None, message: str
) -> None:
    if content is None:
        (repo / "generated" / path).unlink()
    else:
        (repo / "generated" / path).write_bytes(content)
    done = prove()
    assert done.exit_code == 1
    assert "error[damaged-output] " + message in done.stderr
    assert done.stdout == ""


def test_folder_without_proofs_and_names_that_it_lacks_are_findings(repo: Path) -> None:
    (repo / "empty").mkdir()
    assert "empty:1:1: error[no-proofs] it holds no proofs\n" in prove("empty").stderr
    assert "error[no-proofs] it holds no such proofs\n" in prove("--tenant", "acne").stderr
    assert prove("--slo", "acme/web").exit_code == 2
    bad = prove("--junit", "absent/results.xml")
    assert bad.exit_code == 2
    assert "--junit: cannot write absent/results.xml: No such file or directory" in bad.stderr


def test_cache_is_bounded_and_damage_in_it_is_no_matter(tmp_path: Path) -> None:
    cache = ProofCache.beside(tmp_path)
    keys = [cache.key([str(number)]) for number in range(10)]
    for key in keys:
        cache.passed(key, 3)
    assert [cache.checks(key) for key in keys] == [3] * 10
    (entry,) = tmp_path.glob(f"{FOLDER}/proofs/*/{keys[0]}")
    for content in (b"", b"[]", b'{"checks": "3"}', b"\xff", json.dumps({"checks": 3}).encode()):
        entry.write_bytes(content)
        assert cache.checks(keys[0]) is None
    cache.trim(4)
    assert sum(path.is_file() for path in tmp_path.glob(f"{FOLDER}/proofs/*/*")) == 4
    assert cache.key(["ab", "c"]) != cache.key(["a", "bc"])


def test_cache_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file\n")
    cache = ProofCache.beside(tmp_path)
    assert cache.folder is None
    cache.passed(cache.key([]), 1)
    assert cache.checks(cache.key([])) is None


def test_a_test_that_does_not_name_all_of_its_slos_is_run_for_each() -> None:
    wanted = Wanted(slo="acme/web/availability")
    assert wanted.test("web/availability: fires")
    assert wanted.test("a/a, b/b and 12 more: fires")
    assert not wanted.test("a/a, b/b: fires")
