"""Dashboards: valid for Grafana, the same bytes each time, and each query a query."""

from __future__ import annotations

import json
import re
import warnings
from functools import cache
from itertools import combinations
from typing import Any

import promql_parser as pp
import pytest
from cases import CASES, compiled
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from linting import wrapped
from loading import loaded

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.emit import grafana
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.dashboards.overview import uid_of
from slo_compiler.emit.emitter import ProjectContext, TenantContext
from slo_compiler.source import SourceFile

Json = dict[str, Any]
IDENTITY = re.compile(r"\$(service|slo)\b")


@cache
def files(case: str) -> dict[str, Artefact]:
    whole, report = compiled(case), Report()
    found = [
        grafana.tenant(TenantContext(planned, rules, whole.settings.spec, whole.tenants), report)
        for planned, rules in zip(whole.plan.tenants, whole.rules, strict=True)
    ]
    context = ProjectContext(whole.settings.spec, whole.settings.at("spec"))
    found.append(grafana.project([each.facts for each in found], context, report))
    assert not report.diagnostics
    return {a.path: a for emission in found for a in emission.artefacts}


def dashboards(case: str) -> dict[str, Json]:
    return {path: json.loads(artefact.text) for path, artefact in files(case).items()}


def targets(board: Json) -> list[Json]:
    return [target for panel in board["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("case", CASES)
def test_each_tenant_has_a_dashboard_and_all_have_one(case: str) -> None:
    names = {tenant.name for tenant in compiled(case).plan.tenants}
    assert set(files(case)) == {"grafana/slos.json", *(f"grafana/slo-{n}.json" for n in names)}
    uids = [board["uid"] for board in dashboards(case).values()]
    assert len(set(uids)) == len(uids)
    assert all(len(uid) <= 40 for uid in uids)


@pytest.mark.parametrize("case", CASES)
def test_dashboard_keeps_all_of_its_keys_in_grafanas_own_model(case: str) -> None:
    for board in dashboards(case).values():
        assert lost(board, through_the_model(board)) == []


def through_the_model(board: Json) -> object:
    """Read and write a dashboard by Grafana's own model of the classic schema."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # in favour of version 2
        from grafana_foundation_sdk.models.dashboard import Dashboard  # noqa: PLC0415

        return json.loads(JSONEncoder().encode(Dashboard.from_json(board)))


def lost(ours: object, known: object, path: str = "") -> list[str]:
    """What of ours the model has dropped or changed; it may add defaults."""
    if isinstance(ours, dict) and isinstance(known, dict):
        return [
            where
            for key, value in ours.items()
            for where in (
                lost(value, known[key], f"{path}.{key}") if key in known else [f"{path}.{key}"]
            )
        ]
    if isinstance(ours, list) and isinstance(known, list) and len(ours) == len(known):
        pairs = zip(ours, known, strict=True)
        return [each for n, (a, b) in enumerate(pairs) for each in lost(a, b, f"{path}[{n}]")]
    return [] if ours == known else [path]


@pytest.mark.parametrize("case", CASES)
def test_panels_fit_the_grid_and_do_not_overlap(case: str) -> None:
    for board in dashboards(case).values():
        places = [panel["gridPos"] for panel in board["panels"]]
        assert all(p["x"] + p["w"] <= 24 for p in places)
        for one, two in combinations(places, 2):
            apart = (
                one["x"] + one["w"] <= two["x"]
                or two["x"] + two["w"] <= one["x"]
                or one["y"] + one["h"] <= two["y"]
                or two["y"] + two["h"] <= one["y"]
            )
            assert apart, (one, two)
        assert len({panel["id"] for panel in board["panels"]}) == len(places)


@pytest.mark.parametrize("case", CASES)
def test_queries_are_what_promtool_checks_and_name_declared_variables_only(case: str) -> None:
    for path, artefact in files(case).items():
        board = json.loads(artefact.text)
        declared = {variable["name"] for variable in board["templating"]["list"]}
        used = set(re.findall(r"\$\{?(\w+)", " ".join(t["expr"] for t in targets(board))))
        assert used <= declared, path
        (group,) = loaded(artefact.checked)["groups"]
        checked = {rule["expr"] for rule in group["rules"]}
        assert all(pp.parse(expr) for expr in checked)
        assert len(checked) == len({target["expr"] for target in targets(board)})
        assert "$" not in artefact.checked


@pytest.mark.parametrize("case", CASES)
def test_dashboard_reads_recorded_series_of_its_own_tenant_only(case: str) -> None:
    recorded = {
        rule.name
        for tenant in compiled(case).rules
        for group in tenant.groups
        for rule in group.rules
        if not rule.alert
    }
    for path, board in dashboards(case).items():
        tenant = path.removeprefix("grafana/slo-").removesuffix(".json")
        for target in targets(board):
            for name, inside in selectors(target["expr"]):
                assert name == "ALERTS" or name in recorded, (path, target["expr"])
                if path != "grafana/slos.json":
                    assert f'tenant="{tenant}"' in inside


def selectors(expr: str) -> list[tuple[str, str]]:
    """Each metric that a query reads, and its matchers; of a regex, each of its alternatives."""
    found = []
    for name, inside in re.findall(r"((?:slo[:_]|ALERTS)[\w:]*)(?:\{(.*?)\})?", expr):
        found.append((name, inside))
    for names, inside in re.findall(r'\{__name__=~"(.*?)",?(.*?)\}', expr):
        found = [each for each in found if each[0] not in names.split("|")]
        found += [(name, inside) for name in names.split("|")]
    return found


def board_of(fragment: str) -> Json:
    report = Report()
    settings = pipeline.with_overrides(
        pipeline.read_project(None, report), {"targets": ["grafana"]}
    )
    source = SourceFile("b.yaml", "b.yaml", wrapped(fragment)["customer-b.yaml"].encode())
    done = pipeline.compile_project(settings, [source], report)
    (text,) = (a.text for a in done.artefacts if a.path == "grafana/slo-customer-b.json")
    board: Json = json.loads(text)
    return board


def legends(board: Json, title: str) -> list[str]:
    (panel,) = (panel for panel in board["panels"] if panel["title"] == title)
    return [target["legendFormat"] for target in panel["targets"]]


@pytest.mark.processes
def test_burn_rates_have_a_line_for_each_tier_of_the_policy() -> None:
    assert legends(board_of("objective: 99.9\n"), "Burn rate, and where tiers fire") == [
        "over 1h",
        "over 6h",
        "over 1d",
        "over 3d",
        "page-fast fires above",
        "page-slow fires above",
        "ticket-fast fires above",
        "ticket-slow fires above",
    ]


@pytest.mark.processes
def test_slo_that_only_records_has_its_windows_and_no_lines_of_tiers() -> None:
    found = legends(board_of("alerting: none\n"), "Burn rate, and where tiers fire")
    assert found == ["over 1h", "over 6h", "over 1d", "over 3d"]


@pytest.mark.processes
def test_calendar_budget_is_shown_beside_even_spending() -> None:
    board = board_of("period: {calendar: month}\n")
    assert legends(board, "Error budget left") == ["left", "even spending"]


@pytest.mark.processes
def test_by_labels_are_variables_of_which_all_are_shown_at_first() -> None:
    board = board_of(
        "ratio: {errors: 'x_total{code=\"5\"}', total: x_total, by: [region, service_region]}\n"
    )
    variables = {v["name"]: v for v in board["templating"]["list"]}
    assert set(variables) == {"datasource", "service", "slo", "by_region", "by_service_region"}
    assert variables["by_region"]["current"]["value"] == ["$__all"]
    assert legends(board, "Error budget left") == ["left {{region}} {{service_region}}"]


def test_long_tenant_name_gets_a_short_uid_of_its_own() -> None:
    one, two = (uid_of("a" * 60 + end) for end in "bc")
    assert len(one) == len(two) == 40
    assert one != two
