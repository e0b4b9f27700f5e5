"""A value of `by` that vanishes: who is notified, how far it looks back, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import compile_whole, tool

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import CompileError, Diagnostic, Report, Severity
from slo_compiler.duration import Duration
from slo_compiler.plan.routed import alerts_of
from slo_compiler.plan.vanished import look_back
from slo_compiler.proofs import run as prove
from slo_compiler.source import SourceFile

TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme}
spec:
  defaults: {objective: 99.9, DEFAULTS}
  channels: [{name: hook, webhook: {url: "http://hooks.internal/acme"}}]
  escalation: [{severity: page, notify: [hook]}, {severity: ticket, notify: [hook]}]
  policies:
    - name: patient
      no_data_for: 18h
      tiers:
        - {name: p, severity: page, budget_share: 2%, long_window: 1h, short_window: 5m}
        - {name: t, severity: ticket, budget_share: 10%, long_window: 6h, short_window: 30m}
  slos:
"""


def slo(number: int, by: str, more: str = "", service: str = "web") -> str:
    query = f"{{errors: e{number}_total, total: t{number}_total{by and f', by: [{by}]'}}}"
    return f"    - {{name: slo-{number}, service: {service}, {more}sli: {{ratio: {query}}}}}\n"


def planned(*slos: str, defaults: str = "period: 30d") -> pipeline.Planned:
    report = Report()
    text = TENANT.replace("DEFAULTS", defaults) + "".join(slos)
    settings = pipeline.read_project(None, report)
    source = SourceFile("acme.yaml", "acme.yaml", text.encode())
    return pipeline.plan_project(settings, [source], report)


def looks(*slos: str, defaults: str = "period: 30d") -> list[Duration | None]:
    (tenant,) = planned(*slos, defaults=defaults).plan.tenants
    return [look_back(one) for one in tenant.resolved.slos]


def errors(*slos: str) -> list[Diagnostic]:
    with pytest.raises(CompileError) as failed:
        planned(*slos)
    return [d for d in failed.value.diagnostics if d.severity is Severity.ERROR]


def test_look_back_is_a_day_for_live_slos_with_by_and_none_for_others() -> None:
    day = Duration.of(days=1)
    off = "alerting: {vanished: none}, "
    found = looks(
        slo(1, "zone"), slo(2, ""), slo(3, "zone", "stage: shadow, "), slo(4, "zone", off)
    )
    assert found == [day, None, None, None]


def test_look_back_is_inherited_and_the_nearest_wins() -> None:
    own = "alerting: {vanished: 2h}, "
    found = looks(slo(1, "zone"), slo(2, "zone", own), defaults="vanished: 7d")
    assert found == [Duration.of(days=7), Duration.of(hours=2)]
    assert looks(slo(1, "zone"), defaults="vanished: none") == [None]


def test_default_look_back_outlasts_the_wait_and_fits_the_period() -> None:
    patient = "alerting: {policy: patient}, "
    assert looks(slo(1, "zone", patient)) == [Duration.of(hours=36)]
    assert looks(slo(1, "zone", f"period: 1d, {patient}")) == [Duration.of(days=1)]


@pytest.mark.parametrize(
    ("more", "by", "message"),
    [
        ("alerting: {vanished: 10m}, ", "zone", "lengthen it: vanished: 1d"),
        ("period: 7d, alerting: {vanished: 8d}, ", "zone", "write vanished: 1d"),
        ("alerting: {vanished: 1d}, ", "", "remove vanished"),
    ],
)
def test_look_back_that_cannot_work_is_refused_with_what_to_write(
    more: str, by: str, message: str
) -> None:
    (error,) = errors(slo(1, "zone"), slo(2, by, more))
    assert (error.id, error.position.line) == ("vanished-look-back", 16)
    assert message in error.help


def test_look_back_that_is_no_span_is_refused() -> None:
    (error,) = errors(slo(1, "zone", "alerting: {vanished: never}, "))
    assert (error.id, error.position.line) == ("duration", 15)


SEVERAL = (
    slo(1, "zone"),
    slo(2, "zone", service="api"),
    slo(3, "zone", "alerting: {vanished: 2h}, "),
    slo(4, "zone, cell"),
    slo(5, "zone", "alerting: {vanished: none}, "),
    slo(6, "", "period: 7d, "),
    slo(7, "zone", "stage: shadow, "),
)


def test_vanished_alerts_are_one_for_each_labels_and_look_back_and_routed_for_their_slos() -> None:
    found = planned(*SEVERAL)
    rules = [rule for rule in found.rules[0].alerts if rule.name == naming.ALERT_VANISHED]
    tiers = [dict(rule.labels)[naming.TIER] for rule in rules]
    assert tiers == ["vanished-zone-1d", "vanished-zone-2h", "vanished-cell-zone-1d"]
    assert 'service="api",slo="slo-2",zone!=""}[1d]' in rules[0].expr
    routed = {
        (alert.tier, alert.identity.slo): {c.spec.name for s in alert.steps for c in s.channels}
        for alert in alerts_of(found.plan.tenants[0])
        if alert.name == naming.ALERT_VANISHED
    }
    assert routed == {
        ("vanished-zone-1d", "slo-1"): {"hook"},
        ("vanished-zone-1d", "slo-2"): {"hook"},
        ("vanished-zone-2h", "slo-3"): {"hook"},
        ("vanished-cell-zone-1d", "slo-4"): {"hook"},
    }


def test_slos_without_by_have_no_alert() -> None:
    rules = planned(slo(1, "")).rules[0].alerts
    assert naming.ALERT_VANISHED not in {rule.name for rule in rules}


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "forky"])
def test_proof_of_several_labels_and_look_backs_passes(suite: str, tmp_path: Path) -> None:
    report = Report()
    text = TENANT.replace("DEFAULTS", "period: 30d") + "".join(SEVERAL)
    source = SourceFile("acme.yaml", "acme.yaml", text.encode())
    result = compile_whole(pipeline.read_project(None, report), [source], report)
    for artefact in result.artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    test = tmp_path / naming.unit_test_file("acme", Duration.of(minutes=4))
    assert "still within 2h" in test.read_text(encoding="utf-8")
    assert prove.unit_job(tool(suite, "promtool"), test)().failures == ()
