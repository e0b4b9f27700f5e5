"""One check for what several SLOs must have: each of them must have it, and no other SLO may."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from cases import tool

from slo_compiler.api import compile_text

MANIFEST = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme}
spec:
  defaults: {objective: 99.9}
  channels: [{name: hook, webhook: {url: "http://hooks.internal/acme"}}]
  escalation: [{severity: page, notify: [hook]}, {severity: ticket, notify: [hook]}]
  slos:
    - {name: a, service: web, sli: {ratio: {errors: ae_total, total: at_total}}}
    - {name: b, service: web, sli: {ratio: {errors: be_total, total: bt_total}}}
"""
THIRD = """\
    - {name: c, service: web, objective: 99.8, sli: {ratio: {errors: ce_total, total: ct_total}}}
"""
RATIO = "slo:error_ratio:rate5m"
ANOTHER = {"record": RATIO, "expr": f'{RATIO}{{slo="a"}}', "labels": {"slo": "other"}}
NONE = {"record": RATIO, "expr": f'{RATIO}{{slo="a"}} > 1', "labels": {"slo": "other"}}


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "forky"])
@pytest.mark.parametrize(("rule", "code"), [(NONE, 0), (ANOTHER, 1)])
def test_check_of_all_slos_fails_where_another_has_the_value(
    suite: str, rule: dict[str, object], code: int, tmp_path: Path
) -> None:
    ran = proof(suite, tmp_path, MANIFEST, [rule])
    assert ran.returncode == code, ran.stderr
    assert (f"abs({RATIO} / " in ran.stderr) is (code == 1)


@pytest.mark.processes
@pytest.mark.parametrize("slo", ["a", "b", "c"])
def test_check_fails_where_one_of_the_slos_has_another_value(slo: str, tmp_path: Path) -> None:
    ran = proof("forky", tmp_path, MANIFEST + THIRD, [], wrong=slo)
    assert ran.returncode == 1
    assert f"abs({RATIO}" in ran.stderr


def proof(
    suite: str, folder: Path, manifest: str, more: list[dict[str, object]], wrong: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the tests of the tier page-fast with more rules, or with a ratio that is 1 % too high."""
    files = compile_text(manifest).artefacts
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    rules = folder / "prometheus/rules/acme.yml"
    content = yaml.safe_load(rules.read_text(encoding="utf-8"))
    for group in content["groups"]:
        if any(rule.get("record") == RATIO for rule in group["rules"]):
            group["rules"] += more
            for rule in group["rules"]:
                if wrong and rule.get("record") == RATIO:
                    ratio, its = f"({rule['expr']})", f'on (slo) slo_info{{slo="{wrong}"}}'
                    rule["expr"] = f"({ratio} unless {its}) or ({ratio} * 1.01 and {its})"
    rules.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    command = [tool(suite, "promtool"), "test", "rules", folder / "prometheus/tests/acme_1m.yml"]
    return subprocess.run(command, capture_output=True, text=True, check=False)
