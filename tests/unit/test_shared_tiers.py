"""SLOs of a tenant that are alike share their tiers; what differs in anything has its own."""

from __future__ import annotations

from dataclasses import fields

import pytest

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.plan.rules import PlannedTenant, plan_tenant
from slo_compiler.plan.slo import PlannedTier, Tiers
from slo_compiler.source import SourceFile

TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme-sre}
spec:
  defaults: {period: 30d, objective: 99.9, min_events: 20, annotations: {team: shop}}
  channels: [{name: chat, webhook: {url: "http://chat.internal/acme"}}]
  escalation:
    - {severity: page, notify: [chat]}
    - {severity: ticket, notify: [chat]}
  policies:
    - name: own
      tiers:
        - {name: page-fast, severity: page, budget_share: 3%, long_window: 1h, short_window: 5m}
  slos:
"""
SLO = """\
    - name: {name}
      service: shop
      sli: {{ratio: {{errors: e_total, total: t_total}}}}
      {settings}
"""
# What an SLO sets, and with which one before it shares its tiers.
SLOS = {
    "plain": ("", "plain"),
    "linked": ('alerting: {runbook: "https://runbooks.example/a"}', "plain"),
    "described": ("description: Orders are taken", "plain"),
    "same-policy": ("alerting: {policy: sre-workbook, when_unreachable: error}", "plain"),
    "recorded": ("alerting: none", "recorded"),
    "shadow": ("stage: shadow", "plain"),
    "stricter": ("objective: 99.95", "stricter"),
    "longer": ("period: 60d", "longer"),
    "calendar": ("period: {calendar: month}", "calendar"),
    "other-policy": ("alerting: {policy: own}", "other-policy"),
    "guarded": ("alerting: {min_errors: 7}", "guarded"),
    "guarded-tier": ("alerting: {tiers: {page-fast: {min_errors: 7}}}", "guarded-tier"),
    "labelled": ("alerting: {labels: {area: eu}}", "labelled"),
    "named": ("alerting: {name: ShopBurns}", "named"),
    "annotated": ('alerting: {severities: {page: {annotations: {call: "1"}}}}', "annotated"),
    "plain-again": ("", "plain"),
    "stricter-again": ("objective: 99.95", "stricter"),
}


@pytest.fixture(scope="module")
def planned() -> PlannedTenant:
    text = TENANT + "".join(
        SLO.format(name=name, settings=settings) for name, (settings, _) in SLOS.items()
    )
    report = Report()
    settings = pipeline.read_project(None, report)
    file = SourceFile("acme.yaml", "acme.yaml", text.encode())
    (tenant,) = pipeline.resolve_project(settings, [file], report)
    found = plan_tenant(tenant, settings.spec.prometheus, report)
    report.raise_if_failed()
    return found


def values(tiers: tuple[PlannedTier, ...]) -> list[list[object]]:
    return [[getattr(tier, field.name) for field in fields(tier)] for tier in tiers]


@pytest.mark.parametrize("name", SLOS)
def test_tiers_of_slo_are_those_that_it_has_alone(planned: PlannedTenant, name: str) -> None:
    (slo,) = (slo for slo in planned.slos if slo.identity.slo == name)
    alone = Tiers(planned.resolved, planned.timing).of(slo.resolved)
    assert values(slo.tiers) == values(alone)
    assert bool(alone) is (name != "recorded")


def test_slos_that_are_alike_share_their_tiers(planned: PlannedTenant) -> None:
    first: dict[int, str] = {}
    shared = {
        slo.identity.slo: first.setdefault(id(slo.tiers[0]), slo.identity.slo)
        for slo in planned.slos
        if slo.tiers
    }
    assert shared == {name: like for name, (_, like) in SLOS.items() if name != "recorded"}
