"""The report as HTML: one file that needs no network, and that runs no script but its own.

Everything from manifests is escaped: by Jinja in the HTML, and as `\\u003c` in the JSON. The
policy of the page allows the one style and the one script by their digests, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from slo_compiler.catalogue.expense import Expenses
from slo_compiler.catalogue.facts import ReportFacts
from slo_compiler.catalogue.live import NOT_RECORDED
from slo_compiler.diagnostics import Severity
from slo_compiler.templating import environment, template_folder

_SCRIPTS = ("dom.js", "charts.js", "trees.js", "detail.js", "app.js")
# What could end a script's element, or a line of JavaScript.
_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_SEVERITIES = [*map(str, Severity)]  # the worst first
_LONGEST = 1e12  # sorts after all times


def page(facts: ReportFacts, live: dict[str, Any] | None = None) -> str:
    """Render the report.

    Args:
        facts: what it shows; the same facts give the same bytes.
        live: what a Prometheus has recorded, if one was queried.
    """
    values = asdict(replace(facts, expenses=Expenses(facts.expenses.target)))
    findings = values.pop("findings")
    del values["expenses"]  # are a table in the HTML
    data = json.dumps({**values, "live": live}, separators=(",", ":"), ensure_ascii=False)
    html = environment().overlay(autoescape=True).get_template("report/page.html.j2")
    return html.render(
        tenants=facts.tenants,
        findings=_findings(findings),
        number=len(findings),
        expenses=facts.expenses,
        live=live,
        rows=[_row(facts, slo, live) for slo in facts.slos],
        filters=_filters(facts, live),
        policy=_policy(),
        style=Markup(_style()),  # noqa: S704  (a file of ours)
        script=Markup(_script()),  # noqa: S704  (files of ours)
        data=Markup(data.translate(_ESCAPES)),  # noqa: S704  (no `<` is left in it)
    )


def _row(facts: ReportFacts, slo: dict[str, Any], live: dict[str, Any] | None) -> dict[str, Any]:
    budget, tiers = facts.budgets[slo["budget"]], facts.tiers[slo["tiers"]]
    name = f"{slo['tenant']}/{slo['service']}/{slo['slo']}"
    fastest = min(
        (tier for tier in tiers if tier["curve"]),
        key=lambda tier: tier["curve"][-1][1],
        default=None,
    )
    notified = [
        channel
        for alert in facts.audiences[slo["audience"]]
        if fastest and alert["tier"] == fastest["tier"] and not alert["wait"]
        for channels, _ in alert["notifies"]
        for channel in channels
    ]
    return {
        **slo,
        "description": slo.get("description", ""),
        "link": "/".join(quote(part, safe="!'()*~") for part in name.split("/")),
        "objective": budget["objective"],
        "period": budget["period"],
        "outage": budget["outage"],
        "seconds": budget["seconds"],
        "first": fastest["fires_at_full_outage"] if fastest else "–",  # noqa: RUF001
        "first_seconds": fastest["curve"][-1][1] if fastest else _LONGEST,
        "channels": ", ".join(dict.fromkeys(notified)),
        "live": live["slos"].get(name, NOT_RECORDED) if live else None,
    }


def _findings(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join findings that differ in their place alone, the most severe first."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for each in found:
        key = (each["severity"], each["id"], each["message"], each["help"])
        groups.setdefault(key, []).append(each["at"])
    keys = ("severity", "id", "message", "help")
    joined = [dict(zip(keys, key, strict=True)) | {"at": at} for key, at in groups.items()]
    return sorted(joined, key=lambda each: _SEVERITIES.index(str(each["severity"])))


def _filters(facts: ReportFacts, live: dict[str, Any] | None) -> list[dict[str, Any]]:
    channels = {
        channel
        for audience in facts.audiences
        for alert in audience
        for channels, _ in alert["notifies"]
        for channel in channels
    }
    found = [
        ("Tenant", "tenant", {slo["tenant"] for slo in facts.slos}),
        ("Channel", "channel", channels),
        ("Policy", "policy", {slo["policy"] for slo in facts.slos}),
        ("Type", "type", {slo["type"] for slo in facts.slos}),
    ]
    if live:
        states = {state["state"] for state in live["slos"].values()} | {NOT_RECORDED["state"]}
        found.append(("State", "state", states))
    return [{"title": title, "key": key, "values": sorted(some)} for title, key, some in found]


@cache
def _style() -> str:
    return _file("style.css")


@cache
def _script() -> str:
    start = 'const data = JSON.parse(document.getElementById("data").textContent);\n'
    return '"use strict";\n' + start + "\n".join(map(_file, _SCRIPTS))


def _file(name: str) -> str:
    return (template_folder() / "report" / name).read_text(encoding="utf-8")


def _policy() -> str:
    return (
        f"default-src 'none'; style-src {_digest(_style())}; script-src {_digest(_script())}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
