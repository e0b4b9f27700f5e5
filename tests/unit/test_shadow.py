"""SLOs on trial: no one is notified of them, and one line is all there is to delete."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import ROOT, Whole, compile_whole, proofs_of, tool

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.proofs import run as prove
from slo_compiler.source import SourceFile

TEXT = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
SHADOW = "    - name: availability\n      stage: shadow\n"
ALONE = TEXT.replace("    - name: availability\n", SHADOW)
STEPS = TEXT[TEXT.index("  escalation:") : TEXT.index("  slos:")]


def compiled(*texts: str) -> Whole:
    report = Report()
    settings = pipeline.read_project(None, report)
    files = [SourceFile(f"{n}.yaml", f"{n}.yaml", text.encode()) for n, text in enumerate(texts)]
    return compile_whole(settings, files, report)


def texts(found: Whole) -> dict[str, str]:
    return {artefact.path: artefact.text for artefact in found.artefacts}


def alerts(found: Whole) -> set[str]:
    return {rule.name for tenant in found.rules for rule in tenant.alerts}


@pytest.mark.processes
def test_a_tenant_of_shadows_needs_no_steps_and_its_alerts_notify_no_one() -> None:
    found = compiled(ALONE.replace(STEPS, ""))
    assert naming.ALERT_BURN not in alerts(found)
    assert {naming.ALERT_RULES_FAILING, naming.ALERT_WATCHDOG} <= alerts(found)
    reached = {each.receivers for each in proofs_of(found).routes}
    assert reached == {(naming.RECEIVER_SHADOW,), (naming.RECEIVER_HEARTBEAT,)}


@pytest.mark.processes
def test_a_tenant_of_shadows_may_have_its_steps_already() -> None:
    found = compiled(ALONE)
    (failing,) = (
        each
        for each in proofs_of(found).routes
        if each.labels[0] == ("alertname", naming.ALERT_RULES_FAILING)
    )
    assert failing.receivers == ("slo/acme/page",)


@pytest.mark.processes
def test_a_shadow_is_promoted_by_deleting_one_line() -> None:
    promoted = compiled(ALONE.replace("      stage: shadow\n", ""))
    assert texts(promoted) == texts(compiled(TEXT))


def test_a_shadow_without_steps_is_not_promoted_into_silence() -> None:
    with pytest.raises(CompileError) as caught:
        compiled(TEXT.replace(STEPS, ""))
    assert "no-route" in {d.id for d in caught.value.diagnostics}


@pytest.mark.processes
def test_a_shadow_that_would_page_does_not_make_health_alerts_pages() -> None:
    policies = """\
  policies:
    - name: slow
      tiers:
        - {name: t, severity: ticket, budget_share: 10%, long_window: 1d, short_window: 2h}
"""
    live = TEXT[TEXT.index("    - name: availability") :].replace("availability", "speed")
    mixed = ALONE.replace("  slos:\n", policies + "  slos:\n") + live
    found = compiled(mixed + "      alerting: {policy: slow}\n")
    (rule,) = (r for r in found.rules[0].alerts if r.name == naming.ALERT_NO_DATA)
    assert dict(rule.labels)[naming.SEVERITY] == "ticket"


@pytest.mark.processes
def test_tenants_of_shadows_beside_others_are_proved(tmp_path: Path) -> None:
    others = [TEXT.replace("acme", name) for name in ("live", "too")]
    shadows = [ALONE.replace(STEPS, "").replace("acme", name) for name in ("one", "two")]
    for artefact in compiled(*others, *shadows).artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    work = prove.jobs(tmp_path, tool("forky", "promtool"), tool("forky", "amtool"))
    results = [*prove.run(work)]
    assert [failure for result in results for failure in result.failures] == []
    assert {result.kind for result in results} >= {"unit tests", "routes"}
