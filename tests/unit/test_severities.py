"""An organisation's severities: what alerts carry, which inhibits which, and what editors read."""

from __future__ import annotations

from cases import compiled
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler import naming
from slo_compiler.lint import page_muted
from slo_compiler.lint.base import Context
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.routing import Config, inhibited_by
from slo_compiler.schema.json_schema import json_schema

LEVELS = ("critical", "warning", "info")
WINDOWS = ("1h", "6h", "1d", "3d")


def alert(severity: str, window: str) -> Pairs:
    identity = (("tenant", "acme"), ("service", "web"), ("slo", "availability"))
    return (*identity, ("severity", severity), ("long_window", window))


def model() -> Config:
    artefacts = compiled("severities").artefacts
    return Config.load(next(a.text for a in artefacts if a.path == naming.ALERTMANAGER_FILE))


def test_alerts_carry_the_labels_of_their_severity_and_no_others() -> None:
    seen = set()
    for rule in compiled("severities").rules[0].alerts:
        labels = dict(rule.labels)
        found = tuple(labels.get(n) for n in ("severity", "priority", "team_queue"))
        if rule.name in (naming.ALERT_BURN, naming.ALERT_BUDGET_LOW, naming.ALERT_NO_DATA):
            seen.add((labels[naming.TIER], *found))
    assert seen == {
        ("fast", "critical", "P1", "oncall"),
        ("late", "critical", "P1", "oncall"),
        ("slow", "warning", None, None),
        ("trend", "info", "P4", None),
        ("page-fast", "critical", "P1", "oncall"),
        ("page-slow", "critical", "P1", "oncall"),
        ("ticket-fast", "warning", None, None),
        ("ticket-slow", "warning", None, None),
        ("budget-10", "info", "P4", None),  # of the least urgent severity
        ("no-data", "critical", "P1", "oncall"),  # of the most urgent one
    }


@given(st.sampled_from(LEVELS), st.sampled_from(WINDOWS), st.sampled_from(LEVELS), st.data())
def test_a_severity_quietens_longer_windows_of_its_own_urgency_or_less(
    source: str, window: str, target: str, data: st.DataObject
) -> None:
    other = data.draw(st.sampled_from(WINDOWS))
    # The windows that tiers of each severity have.
    has = {"critical": ("1h", "6h", "3d"), "warning": ("1d", "3d"), "info": ("3d",)}
    if window not in has[source] or other not in has[target]:
        return
    one, two = alert(source, window), alert(target, other)
    inhibited = inhibited_by(model(), two, [one, two]) is not None
    longer = WINDOWS.index(other) > WINDOWS.index(window)
    assert inhibited == (longer and LEVELS.index(target) >= LEVELS.index(source))


def test_the_schema_allows_text_or_a_mapping_and_any_name_of_a_severity() -> None:
    project = json_schema("Project")
    severities = project["$defs"]["ProjectSpec"]["properties"]["severities"]
    (kinds,) = severities["patternProperties"].values()
    text, mapping = kinds["oneOf"]
    assert text["type"] == "string"
    assert mapping == {"$ref": "#/$defs/SeveritySpec"}
    assert severities["default"] == {"page": "page", "ticket": "ticket"}
    step = json_schema("Tenant")["$defs"]["Step"]["properties"]["severity"]
    assert "enum" not in str(step)


def test_the_lint_on_muted_pages_reads_the_most_urgent_severity() -> None:
    done = compiled("severities")
    context = Context(done.settings.spec, None, done.tenants)
    found = [f for tenant in done.tenants for f in page_muted.check(tenant, context)]
    assert found == []  # the info step has hours, pages have not
