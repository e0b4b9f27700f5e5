"""The numbers in a burn alert's annotations, as promtool evaluates them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from cases import compiled, tool

from slo_compiler import naming
from slo_compiler.render import Rule
from slo_compiler.templating import promql_string

SUITES = ("bookworm", "forky")  # 2.42 and 3.5
REGION = 'eu "1"'
SLO = {"tenant": "by", "service": "web", "slo": "availability", "region": REGION}
NUMBERS = ("burn_rate", "budget_remaining", "time_to_exhaustion", "summary", "series")
FAILED = "of events failed in 1h; page-fast fires above 1.44%"


def _page_fast() -> Rule:
    (tenant,) = compiled("by").rules
    wanted = {("slo", "availability"), ("tier", "page-fast")}
    return next(rule for rule in tenant.alerts if wanted <= {*rule.labels})


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    ("ratio", "remaining", "expected"),
    [
        # 1.59 % is 15.9 budgets of 0.1 %; 30d * 0.5 / 15.9 is 81509 s.
        ("0.0159", "0.5", ("15.90", "50%", "22h 38m 29s", "Burning 15.9x too fast: 1.59%")),
        # Printed as 1e-05, a hundredth of the budget's pace: 30d * 0.025 / 0.01 is 75d.
        ("0.00001", "0.025", ("0.01", "2.5%", "75d 0h 0m 0s", "Burning 0.0x too fast: 0.001%")),
        ("0.0159", "-2", ("15.90", "-200%", "0s", "Burning 15.9x too fast: 1.59%")),
        ("0.0159", None, ("15.90", "unknown", "unknown", "Burning 15.9x too fast: 1.59%")),
    ],
    ids=["burning", "tiny", "spent", "no-budget"],
)
def test_burn_annotations_with_a_quoted_by_value_are_computed_from_the_alerts_value(
    suite: str, ratio: str, remaining: str | None, expected: tuple[str, ...], tmp_path: Path
) -> None:
    """The alert's rule alone is loaded, so that no recorded burn rate can be read."""
    rule = _page_fast()
    shown = {key: value for key, value in rule.annotations if key in NUMBERS}
    alert = {
        "alert": rule.name,
        "expr": rule.expr.replace("> 0.0144", "> 0"),
        "annotations": shown,
    }
    rules = {"groups": [{"name": "burn", "rules": [alert]}]}
    of = ",".join(f"{name}={promql_string(value)}" for name, value in SLO.items())
    values = {"slo:error_ratio:rate1h": ratio, "slo:error_ratio:rate5m": ratio}
    if remaining is not None:
        values[naming.BUDGET_REMAINING] = remaining
    *numbers, summary = expected
    texts = (*numbers, f"{summary} {FAILED}", f"region={REGION}")
    wanted = {"exp_labels": SLO, "exp_annotations": dict(zip(NUMBERS, texts, strict=True))}
    test = {
        "interval": "1m",
        "input_series": [
            {"series": f"{name}{{{of}}}", "values": f"{value}x5"} for name, value in values.items()
        ],
        "alert_rule_test": [
            {"eval_time": "3m", "alertname": rule.name, "exp_alerts": [wanted]},
        ],
    }
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    (tmp_path / "test.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [test]}), encoding="utf-8"
    )
    done = subprocess.run(
        [tool(suite, "promtool"), "test", "rules", "test.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
