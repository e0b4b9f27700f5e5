"""How `slo-compiler test` prints failures: by cause, and not hundreds of the same one."""

from __future__ import annotations

import pytest

from slo_compiler.cli.words import proved
from slo_compiler.proofs.run import Failure, ProofResult


def test_proved_many_failures_of_one_cause_prints_five_and_their_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failures = (
        *(Failure("inhibition", f"pair {n}", "a.yaml:3", "inhibit_rules[0]") for n in range(600)),
        Failure("inhibition", "another"),
    )
    proved([ProofResult("inhibition", "routes", ("inhibition",), 601, 1.0, failures, "601 pairs")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["a.yaml:3: failed inhibition: inhibition", "      pair 0"]
    assert lines[10:14] == [
        "      and 595 more of inhibition",
        "      because of inhibit_rules[0]",
        "failed inhibition: inhibition",
        "      another",
    ]
    assert lines[14].startswith("routes  1 proof  601 checks  601 failed")
    assert lines[15:] == ["601 pairs"]
