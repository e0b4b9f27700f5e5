"""Every window of every tier: one half as long, double as long, or the next one, fails a proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import compiled, tool
from test_mutation import Mutation, once

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.proofs import run as prove

TENANT = "customer-b"
RULES = naming.rules_file(TENANT)
# Each tier's windows, and the evaluation interval of the file that shows when it fires.
TIERS = {
    "page-fast": ("1h", "5m", "1m"),
    "page-slow": ("6h", "30m", "5m"),
    "ticket-fast": ("1d", "2h", "1h"),
    "ticket-slow": ("3d", "6h", "1h"),
}
RECORDED = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


def scaled(range_: str, factor: float) -> str:
    """Scale a range, and leave the millisecond that it lacks."""
    ms = Duration.parse(range_).ms
    whole = -(-ms // 1000) * 1000
    return str(Duration(int(whole * factor) - (whole - ms)))


def ranges_scaled(record: str, factor: float) -> Mutation:
    """Scale the ranges of a recording rule."""

    def mutate(text: str) -> str:
        rule = re.compile(rf"(- record: {record}\n.*?)(?=\n      - |\n  - |\Z)", re.DOTALL)
        return rule.sub(
            lambda found: re.sub(
                r"\[(\w+?)((?::\w+)?)\]",
                lambda span: f"[{scaled(span[1], factor)}{span[2]}]",
                found[1],
            ),
            text,
        )

    return mutate


def mutants() -> Iterator[tuple[str, str, Mutation]]:
    """Give the name of each mutant, the evaluation interval of the file to fail, and the mutant."""
    for tier, (long, short, evaluation) in TIERS.items():
        for word, factor in (("half", 0.5), ("double", 2)):
            for window in (long, short):
                record = naming.error_ratio(Duration.parse(window))
                change = ranges_scaled(record, factor)
                yield f"{word}-the-{window}-of-{tier}", evaluation, change
        for side, window in (("long", long), ("short", short)):
            place = RECORDED.index(window)
            for other in (*RECORDED[max(0, place - 1) : place], *RECORDED[place + 1 : place + 2]):
                yield (
                    f"{other}-for-the-{side}-{window}-of-{tier}",
                    evaluation,
                    in_alert(tier, window, other),
                )
    for tile, evaluation in (("2m30s", "1h"), ("10m", "4m")):
        for counted in ("events", "errors"):
            for word, factor in (("half", 0.5), ("double", 2)):
                record = naming.increase(counted, Duration.parse(tile))
                change = ranges_scaled(record, factor)
                yield f"{word}-the-{counted}-of-a-tile-of-{tile}", evaluation, change


def in_alert(tier: str, window: str, other: str) -> Mutation:
    """Let the first alert of a tier read another window."""

    def mutate(text: str) -> str:
        alerts = re.split(r"(?=\n      - alert: )", text)
        place = next(n for n, alert in enumerate(alerts) if f'tier: "{tier}"' in alert)
        alerts[place] = once(rf"rate{window}(?={{)", f"rate{other}")(alerts[place])
        return "".join(alerts)

    return mutate


MUTANTS = {name: (evaluation, mutate) for name, evaluation, mutate in mutants()}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_proof_with_another_window_fails(name: str, tmp_path: Path) -> None:
    evaluation, mutate = MUTANTS[name]
    proof = f"prometheus/tests/{TENANT}_{evaluation}.yml"
    files = {a.path: a.text for a in compiled("examples").artefacts if a.path in (RULES, proof)}
    mutated = mutate(files[RULES])
    assert mutated != files[RULES]
    for path, text in (files | {RULES: mutated}).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert prove.unit_job(tool("forky", "promtool"), tmp_path / proof)().failures, "it survives"
