"""One evaluation that failed or was missed fires no alert; rules that go on failing do."""

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
  defaults: {objective: 99.9, policy: own}
  channels: [{name: hook, webhook: {url: "http://hooks.internal/acme"}}]
  escalation: [{severity: page, notify: [hook]}, {severity: ticket, notify: [hook]}]
  policies:
    - name: own
      no_data_for: NO_DATA_FOR
      tiers:
        - {name: p, severity: page, budget_share: 2%, long_window: 1h, short_window: 5m}
        - {name: t, severity: ticket, budget_share: 10%, long_window: 6h, short_window: 30m}
  slos:
    - {name: ok, service: web, sli: {ratio: {errors: e_total, total: t_total}}}
"""
COUNTERS = ("evaluation_failures_total", "group_iterations_missed_total")


@pytest.mark.processes
@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize(
    ("no_data_for", "values", "fires_from"),
    [
        ("1m", "0x40 1x200", None),
        ("2m", "0x40 1x200", None),
        ("1m", "0x40 1+1x200", 16),
        ("10m", "0x40 1+1x200", 21),
    ],
)
def test_alert_is_about_rules_that_go_on_failing(
    no_data_for: str, values: str, fires_from: int | None, counter: str, tmp_path: Path
) -> None:
    done = compile_text(MANIFEST.replace("NO_DATA_FOR", no_data_for))
    assert done.ok, [found.message for found in done.diagnostics]
    (rules,) = (file for file in done.artefacts if file.endswith("rules/acme.yml"))
    (tmp_path / "rules.yml").write_text(done.artefacts[rules], encoding="utf-8")
    series = f'prometheus_rule_{counter}{{rule_group="/etc/rules.yml;slo-acme-base-1"}}'
    firing = 'ALERTS{alertname="SLORuleGroupFailing",alertstate="firing"}'
    test = {
        "interval": "15s",
        "input_series": [{"series": series, "values": values}],
        "promql_expr_test": [
            {
                "expr": f"count({firing})",
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": 1}] * (minute >= (fires_from or 60)),
            }
            for minute in range(8, 50)
        ],
    }
    file = tmp_path / "test.yml"
    whole = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    command = [tool("forky", "promtool"), "test", "rules", file]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
