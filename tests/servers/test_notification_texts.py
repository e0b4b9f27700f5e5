"""What a notification reads like, as amtool renders the texts of a compiled configuration."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import compiled, tool

from slo_compiler import naming

SUITES = ("bookworm", "trixie", "forky")  # 0.25, 0.28 and 0.33
GROUP = {"tenant": "shop", "service": "checkout", "slo": "availability"}
BURN = {
    "title": "Error budget burns too fast",
    "series": "cluster=eu-1",
    "summary": "Burning 15.9x too fast: 1.59% of events failed in 1h; page-fast fires above 1.44%",
    "description": "Promised: 99.9% over 30d: Requests answered without a server error",
    "burn_rate": "15.90",
    "error_ratio": "1.59%",
    "threshold": "0.0144 over 1h and 5m (burn rate 14.4)",
    "budget_remaining": "50%",
    "time_to_exhaustion": "22h 38m 29s",
    "objective": "99.9% over 30d",
    "depends_on": "platform/ingress/availability",
    "runbook_url": "https://runbooks.example/checkout",
    "dashboard_url": "https://dashboards.example/checkout",
    "manifest": "tenants/shop.yaml sha256:0",
}


def texts(case: str = "channels") -> dict[str, str]:
    """Give the title and text that a compiled configuration has for Slack."""
    (config,) = (a for a in compiled(case).artefacts if a.path == naming.ALERTMANAGER_FILE)
    receivers = yaml.safe_load(config.text)["receivers"]
    slack = next(r["slack_configs"][0] for r in receivers if "slack_configs" in r)
    return {key: slack[key] for key in ("title", "text")}


def rendered(
    suite: str,
    folder: Path,
    *alerts: Mapping[str, Any],
    of: Mapping[str, str] | None = None,
    files: str = "/dev/null",
    **common: str,
) -> list[str]:
    """Render title and text of a notification about these alerts."""
    firing = any(alert["status"] == "firing" for alert in alerts)
    data = {
        "status": "firing" if firing else "resolved",
        "alerts": alerts,
        "groupLabels": GROUP,
        "commonLabels": {"severity": "page"},
        "commonAnnotations": common,
    }
    (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
    found = []
    for text in (of or texts()).values():
        done = subprocess.run(
            [
                tool(suite, "amtool"),
                *("template", "render", f"--template.glob={files}"),
                f"--template.text={text}",
                f"--template.data={folder / 'data.json'}",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(done.stdout.strip())
    return found


def alert(annotations: Mapping[str, str], status: str = "firing") -> dict[str, Any]:
    return {"status": status, "labels": {"tier": "page-fast"}, "annotations": annotations}


@pytest.mark.parametrize("suite", SUITES)
def test_text_of_a_burn_alert_says_what_is_wrong_then_what_is_left_then_where_to_go(
    suite: str, tmp_path: Path
) -> None:
    title, text = rendered(suite, tmp_path, alert(BURN), title=BURN["title"])
    assert title == "[FIRING:1] shop/checkout/availability: Error budget burns too fast (page)"
    assert text.splitlines() == [
        f"cluster=eu-1: {BURN['summary']}",
        "Error budget left: 50%; at this pace it is spent in 22h 38m 29s",
        "Promised: 99.9% over 30d: Requests answered without a server error",
        "Depends on: platform/ingress/availability",
        "Runbook: https://runbooks.example/checkout",
        "Dashboard: https://dashboards.example/checkout",
    ]


@pytest.mark.parametrize("suite", SUITES)
def test_text_with_users_annotations_keeps_the_evidence_and_shows_them(
    suite: str, tmp_path: Path
) -> None:
    own = {"summary": "Checkout is down", "description": "Call the desk", "first_step": "drain it"}
    shown = {**BURN, "evidence": BURN["summary"], "time_to_exhaustion": "0s", **own}
    _, text = rendered(suite, tmp_path, alert(shown))
    assert text.splitlines() == [
        "cluster=eu-1: Checkout is down",
        BURN["summary"],
        "Error budget left: 50%; it is spent",
        "Call the desk",
        "Promised: 99.9% over 30d",
        "Depends on: platform/ingress/availability",
        "Runbook: https://runbooks.example/checkout",
        "Dashboard: https://dashboards.example/checkout",
        "first_step: drain it",
    ]


@pytest.mark.parametrize("suite", SUITES)
def test_text_of_a_resolved_alert_names_what_is_over_without_the_numbers_of_then(
    suite: str, tmp_path: Path
) -> None:
    title, text = rendered(suite, tmp_path, alert(BURN, "resolved"), title=BURN["title"])
    assert title == "[RESOLVED] shop/checkout/availability: Error budget burns too fast (page)"
    assert text == "Resolved: cluster=eu-1: Error budget burns too fast (page-fast)"


@pytest.mark.parametrize("suite", SUITES)
def test_text_of_an_alert_on_data_has_no_line_about_a_budget(suite: str, tmp_path: Path) -> None:
    shown = {"title": "No data", "summary": "No events are measured any more", "manifest": "x"}
    _, text = rendered(suite, tmp_path, alert(shown))
    assert text == "No events are measured any more"


@pytest.mark.parametrize("suite", SUITES)
def test_named_templates_render_to_the_texts_that_are_written_out_otherwise(
    suite: str, tmp_path: Path
) -> None:
    alerts = (alert(BURN), alert({**BURN, "series": "cluster=us-1"}, "resolved"))
    _, text = rendered(suite, tmp_path, *alerts)
    title, named = rendered(
        suite, tmp_path, *alerts, of=named_texts(), files=template_file(tmp_path)
    )
    assert named == text
    assert title == "[FIRING:1] shop/checkout/availability (page)"


@pytest.mark.parametrize("suite", SUITES)
def test_named_template_that_a_later_file_defines_again_is_replaced(
    suite: str, tmp_path: Path
) -> None:
    files = template_file(tmp_path)
    (tmp_path / "z-own.tmpl").write_text(
        '{{ define "slo.title" }}SLO {{ .GroupLabels.slo }}{{ end }}', encoding="utf-8"
    )
    title, text = rendered(suite, tmp_path, alert(BURN), of=named_texts(), files=files)
    assert title == "SLO availability"
    assert text.startswith("cluster=eu-1: Burning 15.9x too fast")


def named_texts() -> dict[str, str]:
    """Give the title and text of a configuration with a file of templates."""
    return texts("notification-templates")


def template_file(folder: Path) -> str:
    """Write the file of templates; return a pattern for it and what users add."""
    whole = compiled("notification-templates")
    (file,) = (a for a in whole.artefacts if a.path == naming.TEMPLATES_FILE)
    (folder / "slo.tmpl").write_text(file.text, encoding="utf-8")
    return str(folder / "*.tmpl")
