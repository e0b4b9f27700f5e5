"""docs/alerts.md describes for each alert what to do."""

from __future__ import annotations

import re

from cases import ROOT

from slo_compiler import naming


def test_alerts_page_has_a_section_for_each_alert_and_no_other() -> None:
    text = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    alerts = {value for name, value in vars(naming).items() if name.startswith("ALERT_")}
    assert {*re.findall(r"(?m)^## (\w+)$", text)} == alerts
