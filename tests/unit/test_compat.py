"""Series under the names of other tools: documented, recorded after what they copy, proved."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import ROOT, compiled, tool
from loading import loaded

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.source import SourceFile

CASE = "compat"
WINDOW = re.compile(r"(?<=rate)\d+[smhdwy]\w*$")
RULES, TESTS = naming.rules_file("shop"), "prometheus/tests/shop_1m.yml"


def text_of(path: str) -> str:
    (text,) = (each.text for each in compiled(CASE).artefacts if each.path == path)
    return text


def rules(path: str = RULES) -> list[dict[str, Any]]:
    return [rule for group in loaded(text_of(path))["groups"] for rule in group["rules"]]


def recorded() -> set[str]:
    """Give the names of the case's series that are of other tools."""
    return {
        rule["record"]
        for rule in rules()
        if "record" in rule
        and (
            rule["record"].startswith(("slo:sli_error", "slo:period_", "sloth", "pyrra"))
            or rule["record"] in (naming.SLOTH_DAYS, naming.SLOTH_CURRENT_BURN)
            or ":burnrate" in rule["record"]
        )
        and "period_elapsed" not in rule["record"]
    }


@pytest.mark.processes
def test_each_series_of_another_tool_is_in_the_documentation() -> None:
    page = (ROOT / "docs/compat.md").read_text(encoding="utf-8")
    tables = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    documented = {*re.findall(r"`([a-z_<>][\w:<>]*)`", tables)}
    found = {WINDOW.sub("<window>", name) for name in recorded()}
    found = {re.sub(r"(?<=pyrra_)(\w+):rate<window>", r"\1:rate5m", name) for name in found}
    found = {re.sub(r"^.*(?=:burnrate)", "<metric>", name) for name in found}
    assert len(found) == 12
    assert found <= documented


@pytest.mark.parametrize(
    ("slo", "labels"),
    [
        ("availability", {"sloth_id": "web-availability", "sloth_service": "web"}),
        ("latency", {"sloth_id": "web-latency@slo-compiler", "sloth_service": "web@slo-compiler"}),
        ("jobs", {}),
        ("plain", {}),
    ],
)
def test_objective_has_the_labels_of_sloth_where_its_readers_need_them(
    slo: str, labels: dict[str, str]
) -> None:
    named = [r["labels"] for r in rules() if r.get("record") == naming.OBJECTIVE]
    (own,) = (each for each in named if each["slo"] == slo)
    sloth = {key: value for key, value in own.items() if key.startswith("sloth")}
    assert sloth == {**labels, **({"sloth_slo": labels["sloth_id"][4:]} if labels else {})}


def test_slo_with_by_has_no_generic_series_of_pyrra() -> None:
    of_probes = [r for r in rules() if r.get("labels", {}).get("slo") == "probes"]
    names = {rule["record"] for rule in of_probes if "record" in rule}
    assert "probe_success:burnrate5m" in names
    assert not {name for name in names if name.startswith("pyrra")}


@pytest.mark.processes
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(1 - slo:error_budget_remaining:ratio", "(0 + slo:error_budget_remaining:ratio"),
        ('slo!=""}', 'slo=""}'),
        ("1 - slo:error_ratio:rate30d", "slo:error_ratio:rate30d"),
        ("slo:error_ratio:rate28d", "slo:error_ratio:rate30d"),
        (
            "/ on (tenant, service, slo) group_left\n          slo:error_budget",
            "* slo:error_budget",
        ),
        ("avg_over_time(slo:errors:rate", "avg_over_time(slo:events:rate"),
        ('slo: "mail@slo-compiler"', 'slo: "mail"'),
        ('sloth_slo: "availability"', 'sloth_slo: "other"'),
    ],
)
def test_proofs_fail_on_a_wrong_copy(right: str, wrong: str, tmp_path: Path) -> None:
    text = text_of(RULES)
    start = text.index("record: slo:sli_error") if ": " not in right else 0
    assert right in text[start:]
    mutated = text[:start] + text[start:].replace(right, wrong)
    for path, content in ((RULES, mutated), (TESTS, _compat_alone(text_of(TESTS)))):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    done = subprocess.run(
        [tool("forky", "promtool"), "test", "rules", tmp_path / TESTS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "FAILED" in done.stdout + done.stderr
    assert "expression" not in done.stderr.split("FAILED", maxsplit=1)[0]  # the mutant loads


def _compat_alone(text: str) -> str:
    """Keep the tests of names for other tools."""
    data = loaded(text)
    data["tests"] = [test for test in data["tests"] if "readers of other tools" in test["name"]]
    assert data["tests"]
    written: str = yaml.safe_dump(data, sort_keys=False)
    return written


@pytest.mark.processes
def test_vmalert_evaluates_a_copy_after_what_it_copies() -> None:
    text = (ROOT / f"tests/support/manifests/{CASE}.yaml").read_text(encoding="utf-8")
    project = "apiVersion: slo-compiler/v1\nkind: Project\nspec: {targets: [victoriametrics]}\n"
    report = Report()
    file = SourceFile("p.yaml", "p.yaml", project.encode())
    settings = pipeline.parse_project(file, ROOT, report)
    done = pipeline.compile_project(
        settings, [SourceFile("t.yaml", "t.yaml", text.encode())], report
    )
    (rules_file,) = (a for a in done.artefacts if a.path.endswith("shop.yml"))
    groups = loaded(rules_file.text)["groups"]
    offset_of = {
        rule["record"]: int(group.get("eval_offset", "0s").removesuffix("s"))
        for group in groups
        if group["interval"] != "30s"
        for rule in group["rules"]
        if "record" in rule
    }
    for copy, copied in (
        (naming.SLOTH_REMAINING, naming.BUDGET_REMAINING),
        (naming.PYRRA_AVAILABILITY, "slo:error_ratio:rate30d"),
        (naming.SLOTH_PERIOD_BURN, naming.SLOTH_INFO),
    ):
        assert offset_of[copy] > offset_of[copied]


def test_compat_of_the_nearest_wins() -> None:
    found = {slo.identity.slo: slo.foreign for t in compiled(CASE).plan.tenants for slo in t.slos}
    assert found["plain"] is None
    assert found["availability"] is not None
    assert (found["availability"].tool, found["availability"].slo) == ("sloth", "availability")
    assert found["mail"] is not None
    assert (found["mail"].tool, found["mail"].slo) == ("pyrra", "mail@slo-compiler")
