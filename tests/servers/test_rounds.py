"""Proofs of many SLOs that count the same events stay few, and say what they start from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cases import Whole, compile_whole, proofs_of, tool

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.proofs.generate.subject import MAX_BATCHES
from slo_compiler.proofs.model import UnitTest
from slo_compiler.source import SourceFile

MORE = 5
HEAD = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: sre}
spec:
  channels: [{name: chat, webhook: {url: "http://chat.internal/"}}]
  escalation: [{severity: page, notify: [chat]}, {severity: ticket, notify: [chat]}]
  slos:
"""
LINE = (
    "    - {{name: s{0}, service: web, objective: 99, sli: {{ratio: {{errors: e, total: t}}}}}}\n"
)


@pytest.fixture(scope="module")
def done() -> Whole:
    text = HEAD + "".join(LINE.format(number) for number in range(MAX_BATCHES + MORE))
    report = Report()
    source = SourceFile("acme.yaml", "acme.yaml", text.encode())
    settings = pipeline.read_project(None, report)
    return compile_whole(settings, [source], report)


def steady(done: Whole) -> list[UnitTest]:
    tests = (test for file in proofs_of(done).unit_tests for test in file.tests)
    return [test for test in tests if ": nothing fires at" in test.name]


def test_those_that_are_left_start_from_the_base_pair_in_one_run(done: Whole) -> None:
    *counted, last = steady(done)
    assert len(counted) == MAX_BATCHES
    assert all(test.name.startswith(f"web/s{n}:") for n, test in enumerate(counted))
    left = ", ".join(f"web/s{MAX_BATCHES + n}" for n in range(MORE))
    assert last.name.startswith(f"{left}:")
    assert "starts from the base pair" in last.why
    assert not any("base pair" in why for test in counted for why in test.why)


def test_a_check_names_the_few_that_burn_or_the_few_that_do_not(done: Whole) -> None:
    first, *_, last = (test.checks[0].expr for test in steady(done))
    assert first.endswith(' and on (service, slo) (slo_info{tenant="acme",service="web",slo="s0"})')
    assert "slo_info" not in last


def test_they_hold(done: Whole, tmp_path: Path) -> None:
    for file in done.artefacts:
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_text(file.text, encoding="utf-8")
    tests = tmp_path / "prometheus" / "tests" / "acme_5m.yml"
    run = f"^web/s({MAX_BATCHES - 1}:|{MAX_BATCHES},)"
    command = [str(tool("forky", "promtool")), "test", "rules", "--run", run, str(tests)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.count("SUCCESS")) == (0, 1), ran.stdout + ran.stderr
