"""The project chooses the severity of alerts on data and rules, so who gets them, and runbooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import CompileError, Report, Severity
from slo_compiler.plan.routed import alerts_of
from slo_compiler.source import SourceFile

PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  severities: {page: page, ticket: ticket, ops: platform}
  health: {severity: CHOICE}
"""
TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme}
spec:
  channels:
    - {name: chat, webhook: {url: "http://127.0.0.1:9/acme"}}
    - {name: infra, webhook: {url: "http://127.0.0.1:9/infra"}}
  escalation:
    - {severity: page, notify: [chat]}
    - {severity: ticket, notify: [chat]}
    - {budget_below: 10%, notify: [chat]}
MORE
  slos:
    - {name: ok, service: web, objective: 99.9, sli: {ratio: {errors: e_total, total: t_total}}}
"""
STEP = "    - {severity: ops, notify: [infra]}"


def planned(choice: str, step: str) -> pipeline.Planned:
    report = Report()
    text = PROJECT.replace("CHOICE", choice).encode()
    settings = pipeline.parse_project(SourceFile("p.yaml", "p.yaml", text), Path(), report)
    source = SourceFile("acme.yaml", "acme.yaml", TENANT.replace("MORE", step).encode())
    return pipeline.plan_project(settings, [source], report)


def test_health_severity_alerts_reach_its_steps_and_carry_its_label() -> None:
    found = planned("ops", STEP)
    (tenant,) = found.plan.tenants
    reached = {
        alert.name: ({c.spec.name for s in alert.steps for c in s.channels}, alert.labels)
        for alert in alerts_of(tenant)
    }
    assert reached[naming.ALERT_NO_DATA][0] == {"infra"}
    assert dict(reached[naming.ALERT_NO_DATA][1])[naming.SEVERITY] == "platform"
    assert reached[naming.ALERT_RULES_FAILING][0] == {"infra"}
    assert reached[naming.ALERT_BUDGET_LOW][0] == {"chat"}
    assert dict(reached[naming.ALERT_BUDGET_LOW][1])[naming.SEVERITY] == "ticket"
    emitted = {rule.name: dict(rule.labels) for rule in found.rules[0].alerts}
    assert emitted[naming.ALERT_NO_DATA][naming.SEVERITY] == "platform"
    assert emitted[naming.ALERT_BUDGET_LOW][naming.SEVERITY] == "ticket"


@pytest.mark.parametrize(
    ("choice", "step", "finding"), [("ops", "", "no-route"), ("opps", STEP, "undefined-severity")]
)
def test_health_severity_without_a_step_or_unknown_is_refused(
    choice: str, step: str, finding: str
) -> None:
    with pytest.raises(CompileError) as failed:
        planned(choice, step)
    errors = {d.id for d in failed.value.diagnostics if d.severity is Severity.ERROR}
    assert finding in errors


RUNBOOKS = "runbooks: 'https://wiki.example/alerts'"


def test_health_runbooks_give_each_alert_but_burns_a_link_to_its_section() -> None:
    rules = planned(f"ops, {RUNBOOKS}", STEP).rules[0].alerts
    links = {rule.name: dict(rule.annotations).get("runbook_url") for rule in rules}
    assert links.pop(naming.ALERT_BURN) is None
    assert {naming.ALERT_NO_DATA, naming.ALERT_BUDGET_LOW, naming.ALERT_WATCHDOG} <= {*links}
    page = "https://wiki.example/alerts"
    assert links == {name: f"{page}#{name.lower()}" for name in links}


def test_health_without_runbooks_has_no_links() -> None:
    rules = planned("ops", STEP).rules[0].alerts
    assert not [rule.name for rule in rules if "runbook_url" in dict(rule.annotations)]


@pytest.mark.parametrize(
    ("page", "finding"),
    [
        ("https://w.example/a#x", "url"),
        ("w.example", "url"),
        ("https://w.example/{{x", "template-in-text"),
    ],
)
def test_health_runbooks_that_are_no_plain_page_are_refused_at_the_line(
    page: str, finding: str
) -> None:
    with pytest.raises(CompileError) as failed:
        planned(f"ops, runbooks: '{page}'", STEP)
    assert [(d.id, d.position.line) for d in failed.value.diagnostics] == [(finding, 5)]
