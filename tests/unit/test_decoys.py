"""Decoys of an SLO, which its matchers keep out, feed no other SLO of the same test."""

from __future__ import annotations

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.plan.rules import plan_tenant
from slo_compiler.proofs.generate.batches import batches_of
from slo_compiler.proofs.generate.under_test import tests_of as under_test
from slo_compiler.source import SourceFile

TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme-sre}
spec:
  defaults: {period: 30d, objective: 99.9}
  channels: [{name: chat, webhook: {url: "http://chat.internal/acme"}}]
  escalation:
    - {severity: page, notify: [chat]}
    - {severity: ticket, notify: [chat]}
  slos:
    - name: one
      service: shop
      sli: {ratio: {errors: 'x_total{job="one",code="500"}', total: 'x_total{job="one"}'}}
    - name: others
      service: shop
      sli: {ratio: {errors: 'x_total{job!="one",code="500"}', total: 'x_total{job!="one"}'}}
"""


def test_decoys_that_another_slo_of_the_test_reads_are_left_out() -> None:
    report = Report()
    settings = pipeline.read_project(None, report)
    file = SourceFile("acme.yaml", "acme.yaml", TENANT.encode())
    (tenant,) = pipeline.resolve_project(settings, [file], report)
    (batch,) = batches_of(under_test(plan_tenant(tenant, settings.spec.prometheus, report)))
    one, others = batch.subjects
    read = [
        decoy
        for decoy in one.decoys
        if any(each.selects(decoy.metric, dict(decoy.labels)) for each in others.selectors)
    ]
    left = batch.decoys[one.labels]
    assert read
    assert {*left} == {*one.decoys} - {*read}
    assert left
