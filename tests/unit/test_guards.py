"""Which guard applies to an alert: the nearest, for errors and for events by itself."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from cases import MANIFESTS, compile_whole, compiled
from linting import findings, wrapped

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.render import Rule
from slo_compiler.source import SourceFile


def _alerts() -> dict[tuple[str, str], Rule]:
    (tenant,) = compiled("low-traffic").rules
    burning = (rule for rule in tenant.alerts if rule.name == naming.ALERT_BURN)
    return {(dict(r.labels)["slo"], dict(r.labels)["tier"]): r for r in burning}


@pytest.mark.parametrize(
    ("slo", "tier", "bounds", "annotation"),
    [
        ("invoices", "page", {"errors": "4.5"}, "at least 5 errors in 6h"),
        (
            "invoices",
            "ticket",
            {"errors": "2.5", "events": "49.5"},
            "at least 3 errors and 50 events in 3d",
        ),
        (
            "reports",
            "page",
            {"errors": "1.5", "events": "19.5"},
            "at least 2 errors and 20 events in 6h",
        ),
        ("exports", "page", {"errors": "9.5"}, "at least 10 errors in 6h"),
        (
            "exports",
            "ticket",
            {"errors": "1.5", "events": "49.5"},
            "at least 2 errors and 50 events in 3d",
        ),
    ],
)
def test_the_nearest_guard_wins_and_is_in_the_annotation(
    slo: str, tier: str, bounds: dict[str, str], annotation: str
) -> None:
    """The SLO's word on the tier, then its word on all tiers, then the policy's."""
    rule = _alerts()[slo, tier]
    found = re.findall(r"slo:(events|errors):increase.* > ([0-9.]+)", rule.expr)
    assert dict(found) == bounds
    assert dict(rule.annotations)["guard"] == annotation


def _recorded(text: str) -> dict[str, str]:
    settings = pipeline.read_project(None, report := Report())
    file = SourceFile("one.yaml", "one.yaml", text.encode())
    (tenant,) = compile_whole(settings, [file], report).rules
    rules = [rule for group in tenant.groups for rule in group.rules]
    names = [rule.name for rule in rules if ":errors:" in rule.name and "increase" in rule.name]
    assert len(names) == len({*names}), "a name is recorded twice"
    lines = [line for rule in rules if rule.alert for line in rule.expr.splitlines()]
    read = [line.split("{")[0] for line in lines if line.endswith("> 4.5")]
    return {name: rule.expr for rule in rules if (name := rule.name) in read}


def test_a_guards_count_is_recorded_once_before_its_alerts_in_their_group() -> None:
    (tenant,) = compiled("low-traffic").rules
    for group in tenant.groups:
        recorded: set[str] = set()
        for rule in group.rules:
            if rule.name == naming.ALERT_BURN:
                assert {*re.findall(r"slo:\w+:increase\w+", rule.expr)} <= recorded
            recorded.add(rule.name)


@pytest.mark.processes
def test_a_guards_count_as_long_as_a_tile_has_a_name_of_its_own() -> None:
    """A quarter is summed of tiles of 1h, which the tiles' group records: page-fast has 1h, too."""
    text = (MANIFESTS / "ratio-errors.yaml").read_text(encoding="utf-8")
    plain = text.replace("      sli:\n", "      alerting: {min_errors: 5}\n      sli:\n")
    assert "slo:errors:increase1h" in _recorded(plain)
    quarter = "      period: {calendar: quarter}\n      alerting: {min_errors: 5}\n      sli:\n"
    found = _recorded(text.replace("      sli:\n", quarter))
    assert "slo:errors:guard_increase1h" in found
    assert "slo:errors:increase1h" not in found


@pytest.mark.parametrize("events", [1, 7, 37, 47, 100, 300, 1200, 5000])
@pytest.mark.parametrize("guards", [{}, {"min_errors": 50}, {"min_events": 400}])
def test_advice_on_guards_and_traffic_is_followed_to_an_end(
    events: int, guards: dict[str, int]
) -> None:
    alerting: dict[str, object] = {"runbook": "https://runbooks.example/checkout", **guards}
    tiers: dict[str, dict[str, int]] = {}
    alerting["tiers"] = tiers
    advised: list[str] = []
    while True:
        fragment = f"traffic: {{events_per_day: {events}}}\nalerting: {json.dumps(alerting)}\n"
        found = [
            each
            for each in findings(wrapped(fragment))
            if each.id in ("guard-out-of-reach", "one-error-breaks-objective")
        ]
        advice = [re.search(r"alerting: (\{.*\})", each.help) for each in found]
        step = next((match[1] for match in advice if match), None)
        if step is None:
            break
        assert step not in advised, "what was written as advised is refused"
        advised.append(step)
        written = yaml.safe_load(step)
        for tier, values in written.pop("tiers", {}).items():
            tiers.setdefault(tier, {}).update(values)
        alerting |= written
    # What is left has too few events for any guard: the advice names no value to write.
    assert all(
        "policy" in each.help or "period" in each.help or "budget" in each.help for each in found
    )
    assert not (found and events >= 1200), "there are enough events for a guard"
