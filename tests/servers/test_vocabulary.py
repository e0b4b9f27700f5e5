"""The vocabulary and severities: their rules load and their proofs hold, from 2.42 to 3.5."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import WORDS, compiled, tool

from slo_compiler.proofs import run as prove


@pytest.mark.parametrize("suite", ["bookworm", "forky"])
@pytest.mark.parametrize("word", [*WORDS, "severities"])
def test_the_proofs_of_each_word_of_the_vocabulary_hold(
    word: str, suite: str, tmp_path: Path
) -> None:
    for artefact in compiled(word).artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    work = prove.jobs(tmp_path, tool(suite, "promtool"), tool(suite, "amtool"))
    results = [*prove.run(work)]
    assert [failure for result in results for failure in result.failures] == []
    assert sum(result.checks for result in results if result.kind == "unit tests") > 0
