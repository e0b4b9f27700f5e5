"""What an SLO leaves out comes from its tenant, then from the project."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.resolve.inherit import Sourced, SourceLevel, inherit
from slo_compiler.schema import SLO, Defaults, Tenant


def tenant(defaults: dict[str, object], slo: dict[str, object]) -> Tenant:
    query = {"ratio": {"errors": "errors_total", "total": "events_total"}}
    return Tenant.model_validate(
        {
            "apiVersion": "slo-compiler/v1",
            "kind": "Tenant",
            "metadata": {"name": "acme", "owner": "sre", "labels": {"plan": "gold", "zone": "eu"}},
            "spec": {
                "defaults": defaults,
                "slos": [{"name": "availability", "service": "checkout", "sli": query, **slo}],
            },
        }
    )


def one(found: Tenant) -> SLO:
    return found.spec.slos[0]


def test_the_nearest_wins() -> None:
    mine = tenant(
        {"objective": Decimal("99.5"), "min_errors": 5, "min_events": 50, "policy": "own"},
        {"objective": Decimal("99.9"), "alerting": {"min_errors": 9}},
    )
    project = Defaults.model_validate(
        {"objective": 95, "period": "7d", "min_events": 1, "min_errors": 1, "policy": "theirs"}
    )
    found = inherit(one(mine), mine, project)
    assert found.sourced == {
        "objective": Sourced(Decimal("99.9"), SourceLevel.SLO),
        "period": Sourced(Period(Duration.of(days=7)), SourceLevel.PROJECT),
        "policy": Sourced("own", SourceLevel.TENANT),
        "min_errors": Sourced(9, SourceLevel.SLO),
        "min_events": Sourced(50, SourceLevel.TENANT),
    }
    assert (found.alerting.policy, found.alerting.min_errors) == ("own", 9)
    assert found.alerting.runbook is None


def test_what_no_level_sets_is_builtin() -> None:
    mine = tenant({}, {})
    found = inherit(one(mine), mine, Defaults())
    assert found.objective is None
    assert found.sourced == {
        "period": Sourced(Period(Duration.of(days=30)), SourceLevel.BUILTIN),
        "policy": Sourced("sre-workbook", SourceLevel.BUILTIN),
    }


def test_labels_add_up_and_of_one_the_nearest_wins() -> None:
    mine = tenant({"labels": {"zone": "us", "team": "shop"}}, {"labels": {"team": "cart"}})
    project = Defaults(labels={"plan": "free", "team": "all", "site": "x"})
    found = inherit(one(mine), mine, project)
    assert found.labels == {
        "plan": Sourced("gold", SourceLevel.TENANT),
        "site": Sourced("x", SourceLevel.PROJECT),
        "team": Sourced("cart", SourceLevel.SLO),
        "zone": Sourced("us", SourceLevel.TENANT),
    }


def test_links_of_the_defaults_name_each_slo() -> None:
    mine = tenant({"dashboard": "https://d.example/?var-slo={slo}"}, {})
    project = Defaults(runbook="https://runbooks.example/{tenant}/{service}#{slo}")
    found = inherit(one(mine), mine, project).alerting
    assert found.runbook == "https://runbooks.example/acme/checkout#availability"
    assert found.dashboard == "https://d.example/?var-slo=availability"
