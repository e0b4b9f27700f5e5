"""Numbers that SLOs share are those that each would have alone."""

from __future__ import annotations

from typing import Any

import pytest
from cases import ROOT, compile_whole, proofs_of

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.proofs.generate import burst, figures, steady
from slo_compiler.proofs.model import UnitTestFile
from slo_compiler.source import SourceFile

TEXT = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
HEAD, SLO = TEXT[: TEXT.index("    - name:")], TEXT[TEXT.index("    - name:") :]
SHARING = (figures, "_figures"), (burst, "_moments"), (burst, "stretch"), (steady, "stretch")
KINDS = ("99.9", "30d"), ("99.9", "30d"), ("95", "30d"), ("99.9", "7d"), ("80", "30d")


def unit_tests() -> tuple[UnitTestFile, ...]:
    """Give the unit tests of SLOs of which some are alike but for their names."""
    slos = [
        SLO.replace("name: availability\n", f"name: slo-{number}\n      period: {period}\n")
        .replace("99.9", objective)
        .replace("http_requests", f"http_{number}")
        for number, (objective, period) in enumerate(KINDS)
    ]
    report = Report()
    settings = pipeline.read_project(None, report)
    text = HEAD + "".join(slos)
    whole = compile_whole(settings, [SourceFile("a.yaml", "a.yaml", text.encode())], report)
    return tuple(proofs_of(whole).unit_tests)


@pytest.mark.processes
def test_unit_tests_with_shared_numbers_are_those_with_none_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = unit_tests()
    for module, name in SHARING:
        function: Any = getattr(module, name)
        monkeypatch.setattr(module, name, function.__wrapped__)
    assert unit_tests() == shared
