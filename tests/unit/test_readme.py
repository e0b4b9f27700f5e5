"""What the README quotes is what the example holds, and what it compiles to."""

from __future__ import annotations

import re
import textwrap

from cases import ROOT, VOCABULARY, WORDS

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_manifest_is_that_of_the_example() -> None:
    (quoted,) = re.findall(r"```yaml\n(apiVersion.*?)```", README, re.DOTALL)
    assert quoted == (ROOT / "examples/tenants/customer-b.yaml").read_text(encoding="utf-8")


def test_the_alert_is_what_it_compiles_to() -> None:
    (quoted,) = re.findall(r"```yaml\n(- alert.*?)```", README, re.DOTALL)
    rules = ROOT / "golden/examples/prometheus/rules/customer-b.yml"
    assert textwrap.indent(quoted, " " * 6) in rules.read_text(encoding="utf-8")


def test_so_is_its_explanation() -> None:
    explained = (ROOT / "tests/unit/explained/customer-b.txt").read_text(encoding="utf-8")
    (quoted,) = re.findall(r"\$ slo-compiler explain customer-b/.*\n((?:    .*\n|\n)+)", README)
    lines = [line for line in textwrap.dedent(quoted).splitlines() if line.strip() != "..."]
    assert lines
    for line in lines:
        assert f"{line}\n" in explained


def test_each_word_of_the_tables_has_its_manifest() -> None:
    rows = re.findall(r"(?m)^\| .* \| .* \| `([\w/-]+)` \|$", README)
    assert {*WORDS} - {*rows} <= {"lints"}  # the tables name all but that
    for word in rows:
        path = ROOT / word if "/" in word else VOCABULARY / "tenants" / f"{word}.yaml"
        assert path.exists(), word
