"""Exclusions, shadows and renames: each mutant of their rules fails a proof of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from cases import compiled, tool
from test_mutation import Mutation, once

from slo_compiler import naming
from slo_compiler.proofs import run as prove

QUIET = r"(?s)(alert: %s\n.*?)\n +unless on \(tenant, service, slo\)\n[^\n]*"
MUTANTS: dict[tuple[str, str], Mutation] = {
    ("exclusions", "events-count"): once(r"== bool 0\)", ">= bool 0)", 0),
    ("exclusions", "errors-count"): once(r"== bool 0\)", ">= bool 0)", 1),
    ("exclusions", "anothers-are-taken"): once(
        r'active\{tenant="exclusions",service="search"', 'active{tenant="exclusions",service="x"', 0
    ),
    ("exclusions", "a-copy-of-another-tenant"): once(
        r'scheduled\{tenant="exclusions"', 'scheduled{tenant="x"', 0
    ),
    ("exclusions", "a-copy-of-no-exclusion"): once(
        'exclusion="weekly-patching",after', 'exclusion="x",after', 1
    ),
    ("exclusions", "a-copy-of-another-end"): once('after="1m15s"}', 'after="5m"}', 2),
    ("exclusions", "missing-data-is-told"): once(QUIET % naming.ALERT_NO_DATA, r"\1"),
    ("exclusions", "missing-data-is-never-told"): once(
        r'slo:exclusion:active\{tenant="exclusions"\}', 'slo_info{tenant="exclusions"}', 0
    ),
    ("shadow", "it-fires"): once("record: slo:shadow_alert:error_ratio", "alert: x", 0),
    ("shadow", "it-pages"): once(
        "record: slo:shadow_alert:error_ratio", f"alert: {naming.ALERT_BURN}", 0
    ),
    ("shadow", "threshold-lower"): once("> 0.144", "> 0.14", 0),
    ("shadow", "threshold-higher"): once("> 0.144", "> 0.15", 0),
    ("shadow", "missing-data-is-told"): once(QUIET % naming.ALERT_NO_DATA, r"\1"),
    ("shadow", "low-budget-is-told"): once(QUIET % naming.ALERT_BUDGET_LOW, r"\1"),
    ("renames", "events-forgotten"): once(
        r'(slo:events:increase10m\{[^}]*)slo="http-errors"', r'\1slo="x"'
    ),
    ("renames", "errors-forgotten"): once(
        r'(slo:errors:increase10m\{[^}]*)slo="http-errors"', r'\1slo="x"'
    ),
    ("renames", "a-page-window-forgets"): once(r'slo="http-errors"}\[59m\]', 'slo="x"}[59m]'),
    ("renames", "not-added-up"): once(
        r"(?s)(increase30d\n.*?)sum without \(formerly\)", r"\1max without (formerly)"
    ),
    ("by", "present-values-are-reported"): once(
        r"\n +unless on \(tenant, service, slo, region\)\n[^\n]*", ""
    ),
    ("by", "missing-data-is-reported-twice"): once(
        r"(?s)(SLOSeriesVanished.*?)\n +and on \(tenant, service, slo\)\n[^\n]*", r"\1"
    ),
    ("by", "series-of-before-are-reported"): once(r',region!=""', ""),
    ("by", "a-shorter-look-back"): once(r"\[1d\]", "[23h]"),
    ("by", "a-longer-look-back"): once(r"\[1d\]", "[25h]"),
    ("by", "an-slo-left-out"): once(r"availability\|monthly", "availability"),
    ("by", "labels-are-lost"): once(
        r"max by \(tenant, service, slo, region\)", "max by (tenant, service, slo)"
    ),
    ("by", "a-shorter-wait"): once(r"(?s)(SLOSeriesVanished.*?for: )10m", r"\1 8m"),
    ("by", "a-longer-wait"): once(r"(?s)(SLOSeriesVanished.*?for: )10m", r"\1 1h"),
}


OWN = {
    "exclusions": "an exclusion is active",
    "shadow": "checkout/latency",
    "renames": "old name",
    "by": "value of by",
}


@pytest.mark.parametrize(("word", "name"), MUTANTS)
def test_a_mutated_rule_fails_a_proof_of_its_word(word: str, name: str, tmp_path: Path) -> None:
    files = {artefact.path: artefact.text for artefact in compiled(word).artefacts}
    rules = files[naming.rules_file(word)]
    mutated = MUTANTS[word, name](rules)
    assert mutated != rules
    changed = {naming.rules_file(word): mutated}
    tests = []
    for path in (f"prometheus/tests/{word}_{evaluation}.yml" for evaluation in ("4m", "1m")):
        proofs = yaml.safe_load(files[path])
        proofs["tests"] = [test for test in proofs["tests"] if OWN[word] in test["name"]]
        if proofs["tests"]:
            tests.append(path)
            changed[path] = yaml.safe_dump(proofs)
    for path, text in changed.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    work = [prove.unit_job(tool("forky", "promtool"), tmp_path / test) for test in tests]
    assert any(job().failures for job in work), "it survives"
