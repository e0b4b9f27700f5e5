"""Names of SLOs and services with capitals, underscores and dots; each spelled in one way."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import Whole, compile_whole, tool

from slo_compiler import pipeline
from slo_compiler.diagnostics import CompileError, Report, Severity
from slo_compiler.naming import normalised
from slo_compiler.proofs import run as prove
from slo_compiler.source import SourceFile

HEAD = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: {tenant}, owner: sre}}
spec:
  channels: [{{name: hook, webhook: {{url: "http://hooks.internal/acme"}}}}]
  escalation:
    - {{severity: page, notify: [hook]}}
    - {{severity: ticket, notify: [hook]}}
  slos:
"""


def manifest(*slos: tuple[str, str, str], tenant: str = "acme") -> str:
    return HEAD.format(tenant=tenant) + "".join(
        f"    - name: {name}\n      service: {service}\n      objective: 99\n"
        f'      sli: {{availability: {{gauge: up{{n="{n}"}}, by: [region]}}}}\n{more}'
        for n, (service, name, more) in enumerate(slos)
    ).replace("gauge: up{n=", "gauge: 'up{n=").replace('"}, by', "\"}', by")


def compiled(text: str) -> Whole:
    report = Report()
    settings = pipeline.read_project(None, report)
    return compile_whole(settings, [SourceFile("a.yaml", "a.yaml", text.encode())], report)


def refused(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(CompileError) as raised:
        compiled(text)
    errors = (d for d in raised.value.diagnostics if d.severity is Severity.ERROR)
    return [(d.id, d.message, d.help) for d in errors]


@pytest.mark.processes
def test_proofs_and_routes_of_names_with_capitals_underscores_and_dots_hold(tmp_path: Path) -> None:
    found = compiled(
        manifest(
            ("Checkout_API", "v1.search", ""),
            ("Checkout_API", "v1-5", "      depends_on: [Checkout_API/v1.search]\n"),
            ("Billing.EU", "Up", "      formerly: Bills/Up_Time\n"),
        )
    )
    for artefact in found.artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    work = prove.jobs(tmp_path, tool("forky", "promtool"), tool("forky", "amtool"))
    assert [failure for result in prove.run(work) for failure in result.failures] == []


@pytest.mark.processes
def test_matcher_of_several_names_takes_a_dot_for_a_dot() -> None:
    found = compiled(manifest(("web", "a.b", ""), ("web", "c", "")))
    rules = (rule for tenant in found.rules for group in tenant.groups for rule in group.rules)
    (vanished,) = (rule.expr for rule in rules if rule.name == "SLOSeriesVanished")
    assert 'slo=~"a[.]b|c"' in vanished


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (("check-out", "up"), 'the service "check-out" is "Check_Out" elsewhere'),
        (("CHECK.OUT", "other"), 'the service "CHECK.OUT" is "Check_Out" elsewhere'),
        (("Check_Out", "UP"), 'the service "Check_Out" has both SLOs "up" and "UP"'),
    ],
)
def test_names_that_differ_in_spelling_alone_are_refused(
    second: tuple[str, str], message: str
) -> None:
    found = refused(manifest(("Check_Out", "up", ""), (*second, "")))
    assert found == [
        (
            "duplicate-slo",
            f"{message}: names are compared without case, and with _ and . as -",
            "spell it alike, or choose another name",
        )
    ]


@pytest.mark.parametrize("name", ["_up", "up.", "a/b", '"a b"', "é", '"a\\nb"', '"{{ x }}"', "''"])
def test_name_that_is_no_name_of_an_slo_is_refused(name: str) -> None:
    assert {id_ for id_, *_ in refused(manifest(("web", name, "")))} & {"name", "empty-value"}


@pytest.mark.parametrize("tenant", ["Acme", "a_b", "a.b"])
def test_name_of_a_tenant_stays_a_dns_label(tenant: str) -> None:
    found = refused(manifest(("web", "up", ""), tenant=tenant))
    assert [(id_, help_) for id_, _, help_ in found] == [
        ("name", "use lowercase letters, digits and inner hyphens, at most 63")
    ]


def test_normalised_names_have_one_case_and_one_separator() -> None:
    assert normalised("Check_Out.v1-x") == "check-out-v1-x"
