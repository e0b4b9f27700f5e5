"""Which matchers the project file gives to a tenant's selectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report, Severity
from slo_compiler.source import SourceFile

PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec: {tenants: {acme: GRANT}MORE}
"""
TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme}
spec:
  channels: [{name: chat, webhook: {url: "http://127.0.0.1:9/acme"}}]
  escalation:
    - {severity: page, notify: [chat]}
    - {severity: ticket, notify: [chat]}
  slos:
    - {name: ok, service: web, objective: 99.9, sli: {ratio: {errors: e_total, total: t_total}}}
"""


def matchers(grant: str, report: Report, more: str = "") -> dict[str, str]:
    text = PROJECT.replace("GRANT", grant).replace("MORE", more).encode()
    settings = pipeline.parse_project(SourceFile("p.yaml", "p.yaml", text), Path(), report)
    source = SourceFile("acme.yaml", "acme.yaml", TENANT.encode())
    (tenant,) = pipeline.resolve_project(settings, [source], report)
    return dict(tenant.matchers)


@pytest.mark.parametrize(
    ("grant", "more", "expected"),
    [
        ("{extra_matchers: {cluster: prod}}", "", {"tenant": "acme", "cluster": "prod"}),
        ("{matchers: {cluster: prod}}", "", {"cluster": "prod"}),
        ("{extra_matchers: {cluster: prod}}", ", isolation: none", {"cluster": "prod"}),
    ],
)
def test_grant_matchers_replace_and_extra_matchers_are_added(
    grant: str, more: str, expected: dict[str, str]
) -> None:
    report = Report()
    assert matchers(grant, report, more) == expected
    assert not report.failed


def test_grant_extra_matchers_with_the_isolation_label_are_refused() -> None:
    report = Report()
    matchers("{extra_matchers: {tenant: other}}", report)
    errors = [d.id for d in report.diagnostics if d.severity is Severity.ERROR]
    assert errors == ["isolation-label"]
