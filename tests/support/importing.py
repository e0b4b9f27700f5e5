"""`slo-compiler import` in tests: run it, and read what it printed and what its rules alert on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from loading import loaded

from slo_compiler import compile_text
from slo_compiler.cli import main


def imported(folder: Path, format_: str, text: str, *options: str) -> Result:
    """Import a file for the tenant shop."""
    (folder / f"{format_}.yml").write_text(text, encoding="utf-8")
    line = ["import", format_, str(folder / f"{format_}.yml"), "--tenant", "shop", *options]
    return CliRunner().invoke(main, line)


def findings(done: Result) -> list[tuple[int, int, str]]:
    """Give the lines, columns and IDs of errors and warnings."""
    found = re.findall(r"yml:(\d+):(\d+): (?:error|warning)\[([a-z-]+)\]", done.stderr)
    return [(int(line), int(column), id_) for line, column, id_ in found]


def slos_of(done: Result) -> list[dict[str, Any]]:
    """Give the SLOs of the manifest that was printed."""
    slos: list[dict[str, Any]] = loaded(done.stdout)["spec"]["slos"]
    return slos


@cache
def rules_of(manifest: str) -> list[dict[str, Any]]:
    """Give the rules that a manifest compiles to, without an error."""
    result = compile_text(manifest)
    assert result.ok, result.diagnostics
    rules = loaded(result.artefacts["prometheus/rules/shop.yml"])
    return [rule for group in rules["groups"] for rule in group["rules"]]


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """What an alert on a burn rate compares, and how long it waits."""

    threshold: str
    long: str
    short: str
    wait: str
    labels: dict[str, str]
    name: str


def burn_alerts(manifest: str, slo: str) -> dict[str, BurnAlert]:
    """Give the burn alerts of an SLO, by tier, as they are in its rules."""
    found = {}
    for rule in rules_of(manifest):
        if "alert" not in rule or rule.get("labels", {}).get("slo") != slo:
            continue
        bounds = re.findall(r"slo:error_ratio:rate(\w+)\{[^}]*\} > ([0-9.e-]+)", rule["expr"])
        if bounds and "tier" in rule["labels"]:
            (long, above), (short, also) = bounds
            assert above == also
            labels = rule["labels"]
            alert = BurnAlert(above, long, short, rule.get("for", ""), labels, rule["alert"])
            found[labels["tier"]] = alert
    return found


def recorded(manifest: str, name: str) -> str:
    """Give the query of the first rule that records a series, on one line."""
    rule = next(rule for rule in rules_of(manifest) if rule.get("record") == name)
    text = " ".join(rule["expr"].split())
    return re.sub(r"([({]) | (?=[)}])", lambda m: m[1] or "", text)
