"""The proofs of SLI types, slices and composites notice one small mistake in their rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import compiled, tool
from test_mutation import Mutation, once

from slo_compiler import naming
from slo_compiler.proofs import run as prove

MUTANTS: dict[str, dict[str, Mutation]] = {
    "availability": {
        "up-is-down": once(
            r"count_over_time\((up.*)\)\n +-\n +sum_", r"sum_over_time(\1)\n-\n0*sum_"
        ),
        "down-is-counted-twice": once(r"(?<=\) )/ 4", "/ 2", 1),
        "samples-of-another-job": once(r'job="blackbox",', ""),
        "samples-of-another-target": once(r'target="website",', ""),
        "samples-of-all-tenants": once(r',tenant="availability"', ""),
        "region-aggregated-away": once(r"sum by \(region\)", "sum"),
    },
    "threshold": {
        "bound-is-bad": once(r"> bool 300", ">= bool 300"),
        "bound-is-higher": once(r"> bool 300", "> bool 330"),
        "better-is-worse": once(r"> bool 300", "< bool 300"),
        "samples-of-another-queue": once(r'queue="mail",', ""),
        "samples-are-seconds": once(r"(?<=\) )/ 4", "* 1"),
    },
    "raw": {
        "no-event": once(r"\) \+ 1", ")"),
        "ratio-of-another-mesh": once(r'mesh="prod",', ""),
    },
    "composite": {
        "another-weight": once(r"(?m)^( +\+ )5 \*", r"\1 4 *"),
        "weight-of-errors-only": once(r"0\.5 \* sum\(slo:errors", "1 * sum(slo:errors"),
        "a-part-left-out": once(r"(?m)^ +\+ 5 \* sum\(slo:events.*\n", ""),
        "errors-of-another-part": once(
            r'(slo:errors:rate\{tenant="composite",service=)"search"', r'\1"payment"'
        ),
    },
    "timeslices": {
        "bound-is-higher": once(r"0\.050000001", "0.06"),
        "bound-is-bad": once(r"0\.050000001", "0.0499"),
        "idle-is-good-and-not-left-out": once(r"> bool 0\n", ">= bool 0\n"),
        "idle-is-good-and-not-bad": once(r"== bool 0", "!= bool 0"),
        "bad-is-good": once(r"> bool\n", "< bool\n"),
        "longer-slices": once(r"/ 300", "/ 60"),
        "errors-read-as-events": once(r'code=~"5..",', ""),
    },
}


@pytest.mark.parametrize(
    ("word", "name"), [(word, name) for word in MUTANTS for name in MUTANTS[word]]
)
def test_a_mutated_rule_fails_a_unit_test(word: str, name: str, tmp_path: Path) -> None:
    for artefact in compiled(word).artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    rules = tmp_path / naming.rules_file(word)
    original = rules.read_text(encoding="utf-8")
    mutated = MUTANTS[word][name](original)
    assert mutated != original
    rules.write_text(mutated, encoding="utf-8")
    tests = [tmp_path / "prometheus" / "tests" / f"{word}_{at}.yml" for at in ("4m", "1m")]
    work = [prove.unit_job(tool("forky", "promtool"), test) for test in tests]
    assert any(job().failures for job in work), f"{name} survives"
