"""SLOs without alerts: recorded, proved and explained, and no alert is about them."""

from __future__ import annotations

import pytest
from cases import ROOT, Whole, compile_whole, proofs_of
from linting import findings

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.source import SourceFile
from slo_compiler.view.resolved import resolved

TEXT = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
NAME = "    - name: availability\n"
RECORDED = TEXT.replace(NAME, NAME + "      alerting: none\n")
STEPS = TEXT[TEXT.index("  escalation:") : TEXT.index("  slos:")]
DEFAULTS = TEXT.replace("  slos:\n", "  defaults: {alerting: none}\n  slos:\n")


def compiled(text: str) -> Whole:
    report = Report()
    settings = pipeline.read_project(None, report)
    return compile_whole(settings, [SourceFile("a.yaml", "a.yaml", text.encode())], report)


def names(found: Whole) -> tuple[set[str], set[str]]:
    rules = [rule for tenant in found.rules for group in tenant.groups for rule in group.rules]
    alerts = {rule.name for rule in rules if rule.alert}
    return {rule.name for rule in rules} - alerts, alerts


@pytest.mark.processes
@pytest.mark.parametrize("text", [RECORDED, DEFAULTS], ids=["slo", "defaults"])
def test_alerting_none_keeps_all_records_and_no_alert_on_the_slo(text: str) -> None:
    recorded, alerts = names(compiled(text.replace(STEPS, "")))
    assert recorded == names(compiled(TEXT))[0]
    assert alerts == {naming.ALERT_RULES_FAILING, naming.ALERT_WATCHDOG}


@pytest.mark.processes
def test_alerting_none_is_a_stage_of_slo_info() -> None:
    (info,) = (
        rule
        for tenant in compiled(RECORDED).rules
        for group in tenant.groups
        for rule in group.rules
        if rule.name == naming.INFO
    )
    assert dict(info.labels)["stage"] == "recorded"


@pytest.mark.processes
@pytest.mark.parametrize("own", ["{}", "{min_errors: 3}"])
def test_slo_with_a_key_alerting_alerts_in_spite_of_the_defaults(own: str) -> None:
    text = DEFAULTS.replace(NAME, NAME + f"      alerting: {own}\n")
    assert naming.ALERT_BURN in names(compiled(text))[1]


@pytest.mark.processes
def test_proofs_of_a_recorded_slo_expect_no_alert_while_all_events_fail() -> None:
    tests = [test for file in proofs_of(compiled(RECORDED)).unit_tests for test in file.tests]
    checks = [check for test in tests for check in test.checks if "recorded only" in check.why]
    assert [check.samples for check in checks] == [()]
    assert not [test.name for test in tests if "page-fast" in test.name]


@pytest.mark.processes
def test_resolved_slo_has_alerting_none() -> None:
    (tenant,) = compiled(DEFAULTS).tenants
    assert [resolved(slo)["alerting"] for slo in tenant.slos] == ["none"]


def test_lint_names_those_that_inherit_it_once() -> None:
    found = [d for d in findings({"a.yaml": DEFAULTS}) if d.id == "recorded-only"]
    assert [d.message for d in found] == [
        "recorded only, by the tenant's defaults: web/availability"
    ]


@pytest.mark.parametrize(
    ("alerting", "message"),
    [
        ("nothing", 'expected keys such as policy, or none, found "nothing"'),
        ("[none]", "expected keys such as policy, or none, found a list"),
        ("false", "expected keys such as policy, or none, found false"),
    ],
)
def test_alerting_that_is_no_mapping_is_refused(alerting: str, message: str) -> None:
    with pytest.raises(CompileError) as raised:
        compiled(TEXT.replace(NAME, NAME + f"      alerting: {alerting}\n"))
    assert message in [d.message for d in raised.value.diagnostics]


def test_alerting_none_beside_stage_shadow_is_refused() -> None:
    with pytest.raises(CompileError) as raised:
        compiled(RECORDED.replace(NAME, NAME + "      stage: shadow\n"))
    found = next(d for d in raised.value.diagnostics if d.id == "stage")
    assert found.help == "remove one of the two"


def test_dependency_on_a_recorded_slo_is_refused() -> None:
    other = TEXT[TEXT.index(NAME) :].replace("availability", "other")
    other += "      depends_on: [web/availability]\n"
    with pytest.raises(CompileError) as raised:
        compiled(RECORDED + other)
    found = next(d for d in raised.value.diagnostics if d.id == "dependency")
    assert found.help == "depend on it once it alerts"
