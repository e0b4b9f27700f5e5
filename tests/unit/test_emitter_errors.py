"""Every error of an emitter is shown by a script of bad_input, or here, and has a way out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import ROOT
from click.testing import CliRunner

from slo_compiler.cli import main

SCRIPTS = ROOT / "tests/unit/bad_input"
# Where errors come from that only some targets have: emitters, and groups that Mimir does not hold.
SOURCES = (*sorted((ROOT / "slo_compiler/emit").rglob("*.py")), ROOT / "slo_compiler/plan/split.py")
HERE = {"object-too-large"}  # whose manifests are too large for a script; a Secret: test_engines.py
# That an expression of ours does not parse is a fault of the compiler, which no manifest has shown.
GUARDS = {"emitted-expression"}


def errors() -> Iterator[tuple[str, ast.Call]]:
    """Yield all calls of `report.error` with the ID that they report."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "report.error":
                assert isinstance(node.args[1], ast.Constant), f"{path}:{node.lineno}"
                yield str(node.args[1].value), node


def test_every_error_of_an_emitter_is_shown_by_a_manifest() -> None:
    shown = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS.glob("*.txt"))
    found = {id_ for id_, _ in errors()}
    assert len(found) > 10
    assert {id_ for id_ in found if f"error[{id_}]" not in shown} == HERE | GUARDS


def test_every_error_of_an_emitter_says_what_to_write_instead() -> None:
    without = [f"{id_}, line {call.lineno}" for id_, call in errors() if len(call.args) < 4]
    assert without == []


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def slo(number: int) -> str:
    return f"""\
    - name: availability
      service: s{number}
      objective: 99.9
      sli:
        ratio:
          errors: requests_total{{job="s{number}", code=~"5.."}}
          total: requests_total{{job="s{number}"}}
"""


def manifest(slos: int) -> str:
    return f"""\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: shop, owner: sre}}
spec:
  channels:
    - {{name: chat, webhook: {{url: "http://chat.internal/shop"}}}}
  escalation:
    - {{severity: page, notify: [chat]}}
    - {{severity: ticket, notify: [chat]}}
  slos:
{"".join(map(slo, range(slos)))}"""


PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  targets: [operator]
  alertmanager: {heartbeat: {webhook: {url: "http://deadman.internal/slo"}}}
"""


GROUP = """\
shop.yaml:3:18: error[object-too-large] the group slo-shop-base-1 has N bytes, and a \
PrometheusRule holds 524,288
    3 | metadata: {name: shop, owner: sre}
                         ^^^^
      = split the tenant, or its SLOs over several periods and policies
"""


def test_a_group_too_large_for_an_object_of_the_operator_is_an_error(
    repo: Path,
) -> None:
    (repo / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
    (repo / "tenants").mkdir()
    (repo / "tenants/shop.yaml").write_text(manifest(300), encoding="utf-8")
    environment = {"SLO_COMPILER_TOOLS": str(repo / "none"), "PATH": ""}
    done = CliRunner().invoke(main, ["check"], env=environment)
    assert done.exit_code == 1
    assert GROUP in re.sub(r"has [\d,]+ bytes", "has N bytes", done.stderr)
