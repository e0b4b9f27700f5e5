"""The alerts that routes are planned and proved for are those that the rules fire."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
import yaml
from cases import CASES, compiled

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.plan.health import WatchdogAlert
from slo_compiler.plan.routed import alerts_of
from slo_compiler.resolve.steps import EscalationLevel
from slo_compiler.schema.channel import CHANNEL_KINDS
from slo_compiler.source import SourceFile

READ = (naming.SEVERITY, naming.TIER, naming.ESCALATION, naming.BUDGET_BELOW)
READ = (*READ, naming.EXHAUSTED_WITHIN, naming.LONG_WINDOW)


@pytest.mark.parametrize("case", CASES)
def test_alerts_of_each_case_carries_the_labels_that_its_rules_emit(case: str) -> None:
    result = compiled(case)
    for planned, rules in zip(result.plan.tenants, result.rules, strict=True):
        emitted = set()
        for rule in rules.alerts:
            own = dict(rule.labels)
            known = [(n, own[n]) for n in naming.IDENTITY if n in own]
            # Of alerts on budgets, that of one SLO names it, and that of several does not.
            if {naming.BUDGET_BELOW, naming.EXHAUSTED_WITHIN} & own.keys():
                known = []
            emitted.add((rule.name, *known, *((n, own[n]) for n in READ if n in own)))
        derived = set()
        for alert in alerts_of(planned):
            name, *labels = alert.labels
            # Health alerts get the identity of the SLO from their expression.
            from_rule = alert.burn is not None or alert.identity.service == naming.RULES_SERVICE
            derived.add((name[1], *(labels if from_rule else labels[3:])))
        assert derived == emitted


def test_alerts_of_a_level_has_the_steps_of_its_wait() -> None:
    (planned,) = compiled("escalation").plan.tenants
    targets = [a.target for a in alerts_of(planned) if isinstance(a.target, EscalationLevel)]
    levels = {(level.number, level.wait): level for level in targets}
    waits = sorted(key for key in levels if key[1] is not None)
    assert [number for number, _ in waits] == [*range(2, 2 + len(waits))]
    assert waits
    for key in waits:
        assert [step.spec.firing_for for step in levels[key].steps] == [key[1]]


def test_alerts_of_watchdog_has_no_steps() -> None:
    planned = compiled("escalation").plan.tenants[0]
    group = replace(planned.groups[-1], rules=(WatchdogAlert(),))
    (watchdog,) = alerts_of(replace(planned, groups=(group,)))
    assert (watchdog.severity, watchdog.steps) == (None, ())
    assert dict(watchdog.labels)[naming.SEVERITY] == naming.SEVERITY_HEARTBEAT


def tenant(slos: int = 1, channels: int = 1, **spec: Any) -> SourceFile:  # noqa: ANN401
    names = [f"c{number}" for number in range(channels)]
    page = {"severity": "page", "notify": ["c0"]}
    document = {
        "apiVersion": "slo-compiler/v1",
        "kind": "Tenant",
        "metadata": {"name": "acme", "owner": "acme"},
        "spec": {
            "channels": [{"name": n, "webhook": {"url": f"http://x/{n}"}} for n in names],
            "escalation": [page, {"severity": "ticket", "notify": ["c0"]}],
            "slos": [
                {
                    "name": f"slo-{number}",
                    "service": "web",
                    "objective": 99.9,
                    "sli": {"ratio": {"errors": f"e{number}_total", "total": f"t{number}_total"}},
                }
                for number in range(slos)
            ],
            **spec,
        },
    }
    return SourceFile("acme.yaml", "acme.yaml", yaml.safe_dump(document).encode())


def seconds_of_routing(count: int) -> float:
    """Measure resolving, planning of routes and expected routes with so many page steps."""
    steps = [
        *({"severity": "page", "notify": ["c0"], "firing_for": f"{n}m"} for n in range(1, count)),
        {"severity": "page", "notify": ["c0"]},
        {"severity": "ticket", "notify": ["c0"]},
    ]
    report = Report()
    settings = pipeline.read_project(None, report)
    source = tenant(escalation=steps)
    started = time.process_time()
    planned = pipeline.plan_project(settings, [source], report)
    for one in planned.plan.tenants:
        assert sum(1 for _ in alerts_of(one)) > count
    return time.process_time() - started


def test_routing_of_four_times_the_steps_takes_about_four_times_as_long() -> None:
    seconds_of_routing(50)
    few, many = (min(seconds_of_routing(n) for _ in range(3)) for n in (100, 400))
    assert many < 10 * few + 0.05


def test_check_escalation_steps_that_overlap_are_all_reported() -> None:
    steps = [
        {"severity": "page", "notify": ["c0"]},
        {"severity": "page", "notify": ["c1", "c0"], "hours": "business"},
        {"severity": "page", "notify": ["c2"], "hours": "business"},
        {"severity": "ticket", "notify": ["c0"], "hours": "business"},
        {"severity": "ticket", "notify": ["c0"]},
    ]
    report = Report()
    settings = pipeline.read_project(None, report)
    pipeline.resolve_project(settings, [tenant(channels=3, escalation=steps)], report)
    with pytest.raises(CompileError) as failed:
        report.raise_if_failed()
    assert sorted(d.id for d in failed.value.diagnostics) == [
        *["duplicate-step", "notified-twice", "notified-twice"]
    ]


def test_globals_name_fields_of_their_channel() -> None:
    for kind in CHANNEL_KINDS:
        assert {*kind.GLOBALS} <= {*kind.model_fields}
    assert {kind.KIND for kind in CHANNEL_KINDS if kind.GLOBALS} == {"email", "slack"}
