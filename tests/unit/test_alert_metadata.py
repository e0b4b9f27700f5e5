"""Names, labels and annotations of alerts: which word wins, and what is emitted of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import Whole, compile_whole, compiled, proofs_of, tool

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.render import Rule
from slo_compiler.schema.annotation import filled
from slo_compiler.source import SourceFile
from slo_compiler.view.resolved import as_yaml

RATIO = {"errors": "errors_total", "total": "events_total", "by": ["cluster"]}


def compile_slos(
    *alertings: Mapping[str, object],
    defaults: Mapping[str, object] | None = None,
    project: Mapping[str, object] | None = None,
    steps: tuple[Mapping[str, object], ...] = (),
) -> Whole:
    """Compile a tenant with an SLO for each of these words about its alerts."""
    report = Report()
    document = {
        "apiVersion": "slo-compiler/v1",
        "kind": "Project",
        "spec": {"defaults": {"objective": 99.9, **(project or {})}},
    }
    file = SourceFile("slo-compiler.yaml", "slo-compiler.yaml", json.dumps(document).encode())
    settings = pipeline.parse_project(file, Path(), report)
    spec = {
        "defaults": defaults or {},
        "channels": [{"name": "hook", "webhook": {"url": "http://hooks.internal/acme"}}],
        "escalation": [
            {"severity": "page", "notify": ["hook"]},
            {"severity": "ticket", "notify": ["hook"]},
            *steps,
        ],
        "slos": [
            {"name": f"slo-{n}", "service": "web", "sli": {"ratio": RATIO}, "alerting": alerting}
            for n, alerting in enumerate(alertings, start=1)
        ],
    }
    tenant = {
        "apiVersion": "slo-compiler/v1",
        "kind": "Tenant",
        "metadata": {"name": "acme", "owner": "acme"},
        "spec": spec,
    }
    source = SourceFile("acme.yaml", "acme.yaml", json.dumps(tenant).encode())
    return compile_whole(settings, [source], report)


def alerts(whole: Whole, slo: str = "slo-1") -> dict[str, Rule]:
    """Give the alerts that are about one SLO, by their tiers."""
    (tenant,) = whole.rules
    own = [rule for rule in tenant.alerts if dict(rule.labels).get("slo") == slo]
    return {dict(rule.labels)["tier"]: rule for rule in own}


def names(whole: Whole, slo: str = "slo-1") -> dict[str, str]:
    return {tier: rule.name for tier, rule in alerts(whole, slo).items()}


@pytest.mark.processes
def test_name_of_a_tier_wins_over_its_severitys_and_that_over_the_slos() -> None:
    whole = compile_slos(
        {
            "name": "All",
            "severities": {"page": {"name": "Pages"}},
            "tiers": {"page-slow": {"name": "SlowPages"}},
        }
    )
    assert names(whole) == {
        "page-fast": "Pages",
        "page-slow": "SlowPages",
        "ticket-fast": "All",
        "ticket-slow": "All",
    }


@pytest.mark.processes
def test_name_of_an_slo_wins_over_any_of_its_tenant_and_that_over_any_of_the_project() -> None:
    whole = compile_slos(
        {"name": "Own"},
        {},
        defaults={"name": "Tenants", "severities": {"page": {"name": "TenantPages"}}},
        project={"tiers": {"page-fast": {"name": "ProjectPages"}}},
    )
    assert {*names(whole).values()} == {"Own"}
    assert names(whole, "slo-2")["page-fast"] == "TenantPages"
    assert names(whole, "slo-2")["ticket-fast"] == "Tenants"


@pytest.mark.processes
def test_labels_and_annotations_add_up_and_the_nearest_of_each_wins() -> None:
    whole = compile_slos(
        {
            "labels": {"team": "web"},
            "annotations": {"a": "slo"},
            "severities": {"page": {"labels": {"wakes": "us"}, "annotations": {"b": "page"}}},
            "tiers": {"page-fast": {"labels": {"team": "web-oncall"}, "annotations": {"c": "t"}}},
        },
        defaults={"annotations": {"a": "tenant", "c": "tenant"}},
        project={"annotations": {"d": "project"}, "labels": {"site": "one"}},
    )
    found = alerts(whole)
    fast, ticket = found["page-fast"], found["ticket-fast"]
    assert {"team": "web-oncall", "wakes": "us", "site": "one"}.items() <= dict(fast.labels).items()
    wanted = {"a": "slo", "b": "page", "c": "t", "d": "project"}
    assert wanted.items() <= dict(fast.annotations).items()
    assert dict(ticket.labels)["team"] == "web"
    assert "wakes" not in dict(ticket.labels)
    assert dict(ticket.annotations)["c"] == "tenant"


@pytest.mark.processes
def test_labels_of_alerts_are_not_on_slo_info() -> None:
    (tenant,) = compile_slos({"labels": {"team": "web"}}).rules
    infos = [rule for group in tenant.groups for rule in group.rules if rule.name == naming.INFO]
    assert infos
    assert all("team" not in dict(rule.labels) for rule in infos)


@pytest.mark.processes
def test_guard_of_a_tier_is_kept_where_the_slo_gives_the_tier_a_name() -> None:
    whole = compile_slos(
        {"tiers": {"page-fast": {"name": "Pages"}}},
        defaults={"tiers": {"page-fast": {"min_errors": 5}}},
    )
    assert dict(alerts(whole)["page-fast"].annotations)["guard"] == "at least 5 errors in 1h"


@pytest.mark.processes
def test_budget_alert_of_most_slos_is_one_rule_and_that_of_the_others_theirs() -> None:
    whole = compile_slos(
        {}, {}, {"name": "Own"}, steps=({"budget_below": "10%", "notify": ["hook"]},)
    )
    (tenant,) = whole.rules
    low = [rule for rule in tenant.alerts if naming.BUDGET_BELOW in dict(rule.labels)]
    assert [(rule.name, dict(rule.labels).get("slo")) for rule in low] == [
        (naming.ALERT_BUDGET_LOW, None),
        ("Own", "slo-3"),
    ]
    assert "unless on (tenant, service, slo)\n" in low[0].expr
    assert low[0].expr.endswith('{tenant="acme",service="web",slo="slo-3"}')
    assert low[1].expr.startswith(f'{naming.BUDGET_REMAINING}{{tenant="acme",service="web",slo="s')


@pytest.mark.processes
def test_budget_alerts_under_names_that_all_slos_have_is_one_rule() -> None:
    whole = compile_slos(
        {}, {}, defaults={"name": "Own"}, steps=({"budget_below": "10%", "notify": ["hook"]},)
    )
    (tenant,) = whole.rules
    low = [rule for rule in tenant.alerts if naming.BUDGET_BELOW in dict(rule.labels)]
    assert [rule.name for rule in low] == ["Own"]
    assert low[0].expr == f'{naming.BUDGET_REMAINING}{{tenant="acme"}} < 0.1'


@pytest.mark.processes
def test_health_alerts_keep_their_names_and_labels() -> None:
    plain, named = compile_slos({}), compile_slos({"name": "Own", "labels": {"team": "web"}})
    health = [
        [
            (r.name, r.labels)
            for r in one.rules[0].alerts
            if naming.LONG_WINDOW not in dict(r.labels)
        ]
        for one in (plain, named)
    ]
    assert health[0] == health[1]


@pytest.mark.processes
def test_expected_routes_have_the_names_that_alerts_fire_under() -> None:
    routes = proofs_of(compiled("alert-names")).routes
    found = {dict(r.labels)["alertname"] for r in routes if "long_window" in dict(r.labels)}
    assert found == {"CheckoutPages", "CheckoutBurnsBudget", naming.ALERT_BURN}


def test_tiers_of_one_slo_inhibit_each_other_under_different_names() -> None:
    routes = {
        dict(r.labels)["tier"]: r
        for r in proofs_of(compiled("alert-names")).routes
        if ("service", "checkout") in r.labels and ("slo", "availability") in r.labels
    }
    assert routes["ticket-slow"].is_inhibited_by(routes["page-fast"])
    assert not routes["page-fast"].is_inhibited_by(routes["ticket-slow"])


@pytest.mark.processes
def test_resolved_slos_are_input_that_compiles_to_the_same_alerts() -> None:
    words: dict[str, Any] = {
        "name": "Own",
        "tiers": {"ticket-fast": {"labels": {"x": "y"}, "min_errors": 3}},
    }
    defaults = {
        "severities": {"page": {"name": "Pages", "annotations": {"a": "{{ $labels.cluster }}"}}},
        "tiers": {"page-fast": {"min_errors": 5, "name": "Fast"}},
        "labels": {"plan": "gold"},
    }
    first = compile_slos(words, {}, defaults=defaults)
    written = yaml.safe_load(as_yaml(first.tenants[0].slos))
    again = compile_slos(
        *(slo["alerting"] for slo in written), defaults={"labels": {"plan": "gold"}}
    )
    for slo in ("slo-1", "slo-2"):
        one, two = alerts(first, slo), alerts(again, slo)
        assert {t: (r.name, r.labels) for t, r in one.items()} == {
            t: (r.name, r.labels) for t, r in two.items()
        }
        assert [dict(r.annotations).get("a") for r in one.values()] == [
            dict(r.annotations).get("a") for r in two.values()
        ]


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_references_are_filled_in_and_escaped_in_links_by_each_promtool(
    suite: str, tmp_path: Path
) -> None:
    constants = {"severity": "page"}
    link = filled(
        "https://dash.example/{x}?c={{ $labels.cluster }}&s={{$labels.severity}}",
        constants,
        escaped=True,
    )
    text = filled("in {{ $labels.cluster }} at {{ $value }}, a {{ $labels.severity }}", constants)
    rule = {"alert": "A", "expr": "up > 0", "annotations": {"link": link, "text": text}}
    series = 'up{cluster="eu 1+&/?#{{ $value }}\\""}'
    wanted = {
        "exp_labels": {"cluster": 'eu 1+&/?#{{ $value }}"'},
        "exp_annotations": {
            "link": "https://dash.example/{x}?c=eu%201%2B%26%2F%3F%23"
            "%7B%7B%20%24value%20%7D%7D%22&s=page",
            "text": 'in eu 1+&/?#{{ $value }}" at 1, a page',
        },
    }
    test = {
        "interval": "1m",
        "input_series": [{"series": series, "values": "1x5"}],
        "alert_rule_test": [{"eval_time": "3m", "alertname": "A", "exp_alerts": [wanted]}],
    }
    rules = {"groups": [{"name": "g", "rules": [rule]}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    (tmp_path / "test.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [test]}), encoding="utf-8"
    )
    done = subprocess.run(
        [tool(suite, "promtool"), "test", "rules", "test.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
