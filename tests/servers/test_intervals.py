"""The generated proofs hold at any scrape and evaluation interval, and for any period."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import tool

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.proofs import run as prove
from slo_compiler.source import SourceFile

MANIFEST = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme-sre}
spec:
  channels: [{name: hook, webhook: {url: "http://hooks.internal/acme"}}]
  escalation:
    - {severity: page, notify: [hook]}
    - {severity: page, firing_for: 15m, notify: [hook]}
    - {severity: ticket, notify: [hook]}
    - {budget_below: 20%, notify: [hook]}
    - {exhausted_within: 6h, notify: [hook]}
  slos:
    - name: availability
      service: web
      objective: 99.9
      sli: {ratio: {errors: 'http_requests_total{code=~"5.."}', total: http_requests_total}}
      alerting: {min_errors: 3}
    - name: up
      service: web
      objective: 99
      sli: {availability: {gauge: up}}
    - name: good
      service: web
      objective: 99
      sli:
        ratio:
          good: sum by (h) (rate(x_total{code!~"5.."}[$window]))
          total: sum by (h) (rate(x_total[$window]))
          by: [h]
    - name: minutes
      service: web
      objective: 99
      sli: {ratio: {errors: y_errors_total, total: y_total}}
      budgeting: {timeslices: {slice: 4m, target: 90, idle: good}}
    - name: of-both
      service: web
      objective: 99
      sli: {composite: {slos: [{slo: web/up}, {slo: web/availability, weight: 2}]}}
    - name: month
      service: web
      period: {calendar: month}
      objective: 99.9
      sli: {ratio: {errors: z_errors_total, total: z_total}}
    - name: week  # with a policy that was made for a month
      service: web
      period: 7d
      objective: 99.9
      sli: {ratio: {errors: w_errors_total, total: w_total}}
"""
PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec: {{prometheus: {{scrape_interval: {scrape}, evaluation_interval: {evaluation}}}}}
"""


@pytest.mark.parametrize(
    ("scrape", "evaluation"), [("15s", "30s"), ("10s", "30s"), ("30s", "30s"), ("1m", "1m")]
)
def test_proofs_hold_at_any_interval(scrape: str, evaluation: str, tmp_path: Path) -> None:
    report = Report()
    project = PROJECT.format(scrape=scrape, evaluation=evaluation).encode()
    settings = pipeline.parse_project(SourceFile("p.yaml", "p.yaml", project), tmp_path, report)
    source = SourceFile("t.yaml", "t.yaml", MANIFEST.encode())
    compiled = pipeline.compile_project(settings, [source], report)
    for artefact in compiled.artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    work = prove.jobs(tmp_path, tool("forky", "promtool"), tool("forky", "amtool"))
    failures = [failure for result in prove.run(work) for failure in result.failures]
    assert failures == []
