"""CONTRIBUTING's recipe for an SLI type, followed on a copy of the repo with a toy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT

from slo_compiler.schema.sli.base import BasePair, Term

TOY = '''\
"""Requests that were refused."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from slo_compiler.schema.sli.base import BasePair, Measure, Missing, Query, Second, SLIType, Term


class Refusals(SLIType):
    """Share of requests that were refused."""

    KIND: ClassVar = "refusals"

    requests: Query = Field(description="Selector of the counter of all requests.")
    refused: Query = Field(description="Selector of the counter of refused requests.")

    def base_pair(self) -> BasePair:
        """Count the refused requests as errors."""
        return BasePair(
            Term("requests"),
            Term("refused"),
            Second.ERRORS,
            Missing.ZERO,
            Measure.REQUESTS,
            events_template="events",
            errors_template="errors_refused",
        )
'''
MANIFEST = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: refusals, owner: sre}
spec:
  channels: [{name: hook, webhook: {url: "http://hooks.internal/refusals"}}]
  escalation:
    - {severity: page, notify: [hook]}
    - {severity: ticket, notify: [hook]}
  slos:
    - name: accepted
      service: gate
      description: Requests are let in
      objective: 99
      sli: {refusals: {requests: gate_requests_total, refused: gate_refused_total, by: [zone]}}
      alerting: {runbook: "https://runbooks.example/gate"}
"""


def run(folder: Path, *arguments: str, cwd: Path | None = None) -> str:
    tools = os.environ.get("SLO_COMPILER_TOOLS", f"{ROOT}/.tools")
    environment = {**os.environ, "PYTHONPATH": str(folder), "SLO_COMPILER_TOOLS": tools}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd or folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "generated", ".*")
    for part in ("slo_compiler", "templates", "examples", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_recipe_sli_type_toy_compiles_and_its_proofs_hold(scratch: Path) -> None:
    sli = scratch / "slo_compiler/schema/sli"
    (sli / "refusals.py").write_text(TOY, encoding="utf-8")
    templates = scratch / "templates/promql/sli"
    shutil.copy(templates / "errors.promql.j2", templates / "errors_refused.promql.j2")
    registry = (sli / "__init__.py").read_text(encoding="utf-8")
    registry = registry.replace(
        "\nSLI_TYPES:", "from slo_compiler.schema.sli.refusals import Refusals\n\nSLI_TYPES:"
    ).replace("    Composite,\n)", "    Composite,\n    Refusals,\n)")
    (sli / "__init__.py").write_text(registry, encoding="utf-8")
    case = scratch / "examples/vocabulary/tenants/refusals.yaml"
    case.write_text(MANIFEST, encoding="utf-8")

    command = "from slo_compiler.cli import main; main()"
    project = scratch / "examples/vocabulary"
    run(scratch, "-c", command, "compile", "--strict", str(case), "-o", "out", cwd=project)
    rules = (project / "out/prometheus/rules/refusals.yml").read_text(encoding="utf-8")
    assert 'gate_refused_total{tenant="refusals"}' in rules
    proved = run(scratch, "-c", command, "test", "out", cwd=project)
    assert re.search(r"unit tests +[1-9][0-9]* proofs +[1-9][0-9]* checks +0 failed", proved), (
        proved
    )
    tests = ["tests/unit/test_layers.py", "tests/unit/test_schema.py"]
    chosen = "import or description or refusals"
    found = run(scratch, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", chosen)
    assert "passed" in found


def test_base_pair_without_its_meaning_is_refused() -> None:
    with pytest.raises(TypeError, match=r"counts.*missing.*measure"):
        BasePair(Term("a"), Term("b"), events_template="events", errors_template="errors")  # type: ignore[call-arg]
