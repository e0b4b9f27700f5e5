"""`slo-compiler explain`: what is shown is what is compiled."""

from __future__ import annotations

import json
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import CASES, EXAMPLES, ROOT, VOCABULARY, compiled, proofs_of
from click.testing import CliRunner, Result
from linting import wrapped

from slo_compiler import naming, pipeline
from slo_compiler.cli import main
from slo_compiler.cli.states import resolved
from slo_compiler.diagnostics import Report, Severity
from slo_compiler.documents import read_documents
from slo_compiler.plan import Plan, PlannedTenant
from slo_compiler.plan.build import build
from slo_compiler.render import tenant_rules
from slo_compiler.resolve.inherit import inherit
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import Defaults, Tenant
from slo_compiler.source import SourceFile
from slo_compiler.view import explain
from slo_compiler.view.resolved import as_yaml

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def run(folder: Path, *arguments: str) -> Result:
    project = ["--project", str(folder / "slo-compiler.yaml")]
    return CliRunner().invoke(
        main, ["explain", *arguments, *project], prog_name="slo-compiler", catch_exceptions=False
    )


def test_an_slo_is_explained_in_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / EXAMPLES)
    done = run(Path(), "customer-b/checkout/availability")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "tests/unit/explained/customer-b.txt").read_text(encoding="utf-8")


def test_a_template_is_explained_with_the_place_of_each_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(VOCABULARY)
    done = run(Path(), "templates/cart", "tenants/templates.yaml")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == [
        "templates/cart/availability",
        "(tenants/templates.yaml:17,",
        "made",
        "of",
        "http-availability)",
    ]
    assert ["objective", "99.5%", "SLO", "tenants/templates.yaml:18"] in lines
    assert ["min_errors", "10", "SLO", "tenants/templates.yaml:20"] in lines
    assert ["min_events", "100", "tenant", "tenants/templates.yaml:7"] in lines
    assert ["period", "30d", "builtin"] in lines
    done = run(Path(), "templates/checkout/availability", "tenants/templates.yaml")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["objective", "99.9%", "template", "templates/http.yaml:8"] in lines
    assert ["min_errors", "5", "template", "templates/http.yaml:18"] in lines


@pytest.mark.parametrize("case", CASES)
def test_what_is_shown_is_what_is_compiled(case: str) -> None:
    result = compiled(case)
    rules = {
        (r.name, dict(r.labels).get("service"), dict(r.labels).get("slo"), tier): r
        for tenant in result.rules
        for group in tenant.groups
        for r in group.rules
        for tier in [dict(r.labels).get("tier")]
    }
    for tenant in result.tenants:
        found = [(tenant, [*tenant.slos])]
        for explained in explain.explain(
            found, result.tenants, result.settings.spec, None, Report(), NOW
        ):
            name, service, slo = explained.slo.split("/")
            assert name == tenant.name
            for tier in explained.tiers:
                rule = naming.SHADOW_ALERT if explained.shadow else tier.alert
                alert = rules[rule, service, slo, tier.tier]
                assert f"> {tier.threshold}" in alert.expr
                assert f"rate{tier.long_window}{{" in alert.expr
            budget = rules["slo:error_budget:ratio", service, slo, None]
            assert budget.expr == f"vector({explained.budget_ratio})"
            expected = {
                (receiver, dict(e.labels)["tier"])
                for e in proofs_of(result).routes
                if (name, service, slo)
                == tuple(dict(e.labels)[key] for key in ("tenant", "service", "slo"))
                for receiver in e.receivers
            }
            notified = {
                (audience.receiver, alert.split(" ")[0])
                for audience in explained.notified
                for alert in audience.alerts
            }
            assert notified == expected


def test_times_are_those_of_the_workbook() -> None:
    """At 99.9% over 30d, page-fast's 1h x 0.0144 is 51.84 s; 5m less 5m x 0.0144 is 4m55.68s."""
    tenant = next(t for t in compiled(EXAMPLES).tenants if t.name == "customer-b")
    (explained,) = explain.explain(
        [(tenant, [tenant.slos[0]])],
        compiled(EXAMPLES).tenants,
        compiled(EXAMPLES).settings.spec,
        None,
        Report(),
        NOW,
    )
    fast = explained.tiers[0]
    assert (fast.fires_at_full_outage, fast.fires_at_ten_times, fast.ends) == ("52s", "6m", "4m56s")
    assert (explained.budget_outage, explained.budget_events) == ("43m12s", "1 in 1000")
    assert Fraction(explained.budget_ratio) == Fraction(1, 1000)


def replanned(case: str) -> tuple[Plan, Plan]:
    """Plan a case, and plan it again with each SLO replaced by its resolved YAML."""
    result = compiled(case)
    spec, at = result.settings.spec, result.settings.at()
    report = Report()
    sources = []
    for tenant in result.tenants:
        (document,) = [
            d
            for d in read_documents(tenant.source.path, tenant.source.content, Report())
            if d.data["metadata"]["name"] == tenant.name and d.data["kind"] == "Tenant"
        ]
        data: Any = json.loads(json.dumps(document.data, default=str))
        data["metadata"].pop("labels", None)
        data["spec"].pop("defaults", None)
        data["spec"].pop("slos")
        text = yaml.safe_dump(data) + "  slos:\n"
        text += "".join(f"  {line}\n" for line in as_yaml(tenant.slos).splitlines())
        sources.append(SourceFile(f"{tenant.name}.yaml", tenant.source.name, text.encode()))
    bare = spec.model_copy(update={"defaults": type(spec.defaults)()})
    settings = replace(result.settings, spec=bare)
    again = pipeline.resolve_project(settings, sources, report)
    assert [d for d in report.diagnostics if d.severity is not Severity.INFO] == []
    return result.plan, build(again, spec, at, report)


@pytest.mark.parametrize("case", CASES)
def test_resolved_slos_compile_to_the_same_rules(case: str) -> None:
    first, second = replanned(case)

    def rules(plan: Plan) -> list[object]:
        return [
            (r.name, r.expr, r.labels, [a for a in r.annotations if a[0] != "manifest"], r.for_)
            for tenant in map(tenant_rules, plan.tenants)
            for group in tenant.groups
            for r in group.rules
        ]

    assert rules(first) == rules(second)


def test_json_has_what_the_text_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / EXAMPLES)
    done = run(Path(), "customer-b", "--format", "json")
    (explained,) = json.loads(done.stdout)
    assert explained["slo"] == "customer-b/checkout/availability"
    assert explained["tiers"][0]["threshold"] == "0.0144"
    assert explained["values"][0] == {
        "key": "objective",
        "value": "99.9%",
        "said_by": "SLO",
        "at": "tenants/customer-b.yaml:24",
    }


TENANTS = (*(f"customer-{letter}" for letter in "abcdef"), "internal-api")


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("customer-b/chekout", "; did you mean customer-b/checkout?"),
        ("customer-b/checkout/availabilty", "; did you mean customer-b/checkout/availability?"),
        ("nobody-at-all", f": expected one of: {', '.join(TENANTS)}"),
        ("customer", "; did you mean customer-f or customer-e or customer-d?"),
    ],
)
def test_an_unknown_slo_is_a_wrong_use(
    wanted: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / EXAMPLES)
    done = run(Path(), wanted)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f'Error: no SLO "{wanted}"{hint}'


def test_resolved_text_that_looks_like_something_else_stays_text() -> None:
    """Also where YAML 1.1 and 1.2 disagree on what it looks like."""
    tenant = next(t for t in compiled(EXAMPLES).tenants if t.name == "customer-b")
    odd = [
        "1e3",
        "no",
        "null",
        "~",
        "<<",
        "0123",
        "12:30",
        "",
        "2026-01-01",
        "a: b",
        "# x",
        "=",
        "%",
    ]
    data = deepcopy(tenant.document.data)
    data["spec"]["slos"][0]["labels"] = {f"l{n}": text for n, text in enumerate(odd)}
    data["spec"]["slos"][0]["description"] = "two\nlines"
    data["spec"]["slos"][0]["objective"] = Decimal("99.90")
    model = Tenant.model_validate(data)
    inherited = inherit(model.spec.slos[0], model, Defaults())
    document = replace(tenant.document, data=data)
    slo = replace(tenant.slos[0], document=document, inherited=inherited)
    (read,) = read_documents("x", as_yaml([slo]).encode(), Report())
    assert [read.data[0]["labels"][f"l{n}"] for n in range(len(odd))] == odd
    assert read.data[0]["description"] == "two\nlines"
    assert read.data[0]["objective"] == Decimal("99.9")
    assert yaml.safe_load(as_yaml([slo]))[0]["labels"] == read.data[0]["labels"]


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        # 60 % of the 5 events of 1h are 3 errors; 10 % of the 30 of 6h; 2.5 % of the 120 of 1d are
        # below the threshold of 3 %, which counts: 1d x 0.03 = 43m12s.
        ("99", [("36m", ""), ("36m", "1h"), ("43m12s", "2h24m"), ("43m12s", "7h12m")]),
        # At ten times 1.44 %, an hour has less than one error.
        ("99.9", [("36m", "never"), ("36m", "never"), ("36m", "20h"), ("36m", "2d12h")]),
    ],
)
def test_times_to_fire_wait_for_the_errors_of_a_guard_where_traffic_is_declared(
    tmp_path: Path, objective: str, expected: list[tuple[str, str]]
) -> None:
    fragment = (
        f"objective: {objective}\ntraffic: {{events_per_day: 120}}\nalerting: {{min_errors: 3}}\n"
    )
    for name, text in wrapped(fragment).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    manifest = str(tmp_path / "customer-b.yaml")
    (facts,) = json.loads(run(tmp_path, "customer-b", manifest, "--format", "json").stdout)
    found = [(t["fires_at_full_outage"], t["fires_at_ten_times"]) for t in facts["tiers"]]
    assert found == expected


def test_tenant_that_others_depend_on_is_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    plan_tenant = explain.plan_tenant

    def counted(tenant: ResolvedTenant, *rest: Any) -> PlannedTenant:  # noqa: ANN401  (as it is)
        seen.append(tenant.name)
        return plan_tenant(tenant, *rest)

    monkeypatch.setattr(explain, "plan_tenant", counted)
    with ExitStack() as stack:
        state = resolved(None, VOCABULARY / "slo-compiler.yaml", stack)
        assert state is not None
        assert state.explain()
    assert len(seen) == len({*seen}) > 20
