"""One definition, a hundred tenants: isolated like any other; a mistake in it is reported once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import promql_parser as pp
import pytest
from cases import Whole, compile_whole
from test_bad_input import THEIRS, WRONG, places, replaced

from slo_compiler import pipeline
from slo_compiler.diagnostics import CompileError, Report, Severity
from slo_compiler.documents import read_documents
from slo_compiler.frontend.library import read_library
from slo_compiler.frontend.load import Manifest, load
from slo_compiler.frontend.reference import references
from slo_compiler.promql import walk
from slo_compiler.schema import Tenant
from slo_compiler.source import SourceFile

HTTP = """\
apiVersion: slo-compiler/v1
kind: SLOTemplate
metadata: {name: http-availability}
spec:
  parameters:
    - {name: job}
    - {name: objective, default: 99.9}
  slo:
    name: availability
    service: ${job}
    description: costs $5, $$ or $${job}, says ${job} of ${objective} percent
    objective: ${objective}
    labels: {team: shop, plan: gold}
    sli:
      ratio:
        errors: http_requests_total{job="${job}", code=~"5.."}
        total: sum(rate(http_requests_total{job="${job}"}[$window]))
    alerting: {min_errors: 5}
"""
PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  templates: [t.yaml]
  alertmanager: {heartbeat: {webhook: {url: "http://deadman.internal/slo"}}}
"""
USE = "{template: http-availability, with: {job: checkout}}"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tenant(name: str, *slos: str) -> SourceFile:
    lines = "".join(f"    - {slo}\n" for slo in slos or (USE,))
    text = f"""\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: {name}, owner: sre}}
spec:
  channels:
    - {{name: chat, webhook: {{url: "http://chat.internal/{name}"}}}}
  escalation:
    - {{severity: page, notify: [chat]}}
    - {{severity: ticket, notify: [chat]}}
  slos:
{lines}"""
    return SourceFile(f"tenants/{name}.yaml", f"tenants/{name}.yaml", text.encode())


def compiled(template: str, *tenants: SourceFile) -> Whole:
    """Compile tenants whose project names one file of templates."""
    report = Report()
    Path("t.yaml").write_text(template, encoding="utf-8")
    file = SourceFile("slo-compiler.yaml", "slo-compiler.yaml", PROJECT.encode())
    settings = pipeline.parse_project(file, Path(), report)
    return compile_whole(settings, tenants, report)


def instance(use: str, template: str = HTTP) -> Manifest:
    """Fill in one use; gives the tenant's manifest."""
    report = Report()
    library, _ = read_library([SourceFile("t.yaml", "t.yaml", template.encode())], report)
    (manifest,) = load([tenant("acme", use)], (Tenant,), report, library)
    assert report.diagnostics == []
    return manifest


def data(use: str, template: str = HTTP) -> Mapping[str, object]:
    found: Mapping[str, object] = instance(use, template).document.data["spec"]["slos"][0]
    return found


def findings(template: str, *tenants: SourceFile) -> list[str]:
    with pytest.raises(CompileError) as caught:
        compiled(template, *tenants)
    found = (d for d in caught.value.diagnostics if d.severity is not Severity.INFO)
    return [f"{d.position} {d.id}" for d in found]


@pytest.mark.processes
def test_a_hundred_tenants_of_one_template_are_isolated() -> None:
    names = [f"customer-{number}" for number in range(100)]
    result = compiled(HTTP, *map(tenant, names))
    assert [rules.tenant for rules in result.rules] == sorted(names)
    recorded: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for rules in result.rules:
        named = ("slo:events:rate", "slo:errors:rate")
        base = [r for g in rules.groups for r in g.rules if r.name in named]
        assert tuple(rule.name for rule in base) == named
        for rule in base:
            assert dict(rule.labels)["tenant"] == rules.tenant
            assert (rule.name, rule.labels) not in recorded
            recorded.add((rule.name, rule.labels))
            read = [n for n in walk(pp.parse(rule.expr)) if isinstance(n, pp.VectorSelector)]
            assert len(read) >= 1
            for selector in read:
                found = [m.value for m in selector.matchers.matchers if m.name == "tenant"]
                assert found == [rules.tenant]
    assert len(recorded) == 200


@pytest.mark.processes
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[$window]))", "[$window])", ["t.yaml:17:19 promql-syntax"]),
        ('code=~"5.."', 'tenant="x"', ["t.yaml:16:59 other-tenant"]),
        ("default: 99.9", "default: 0.999", ["t.yaml:7:34 objective"]),
        ("alerting:", "alertin:", ["t.yaml:18:5 unknown-key"]),
        ("total:", "totl:", ["t.yaml:17:9 unknown-key"]),
        ("name: availability", "name: Availability!", ["t.yaml:9:11 name"]),
        ("service: ${job}", "service: ${job}!", ["t.yaml:10:14 name"]),
        ("service: ${job}", "service: ${jop}", ["t.yaml:10:14 undeclared-parameter"]),
        ("min_errors: 5", "policy: nobody", ["t.yaml:18:24 undefined-policy"]),
    ],
)
def test_a_mistake_in_a_template_is_reported_once_at_its_own_line(
    old: str, new: str, expected: list[str]
) -> None:
    assert HTTP.count(old) == 1
    tenants = [tenant(f"customer-{number}") for number in range(100)]
    assert findings(HTTP.replace(old, new), *tenants) == expected


def test_what_a_template_lacks_is_reported_once() -> None:
    without = HTTP[: HTTP.index("    sli:")]
    tenants = [tenant(f"customer-{number}") for number in range(3)]
    assert findings(without, *tenants) == ["t.yaml:8:3 missing-key"]


def test_a_mistake_in_an_argument_is_reported_at_each_use() -> None:
    wrong = "{template: http-availability, with: {job: checkout, objective: 0.999}}"
    assert findings(HTTP, tenant("a", wrong), tenant("b", USE), tenant("c", wrong)) == [
        "tenants/a.yaml:11:70 objective",
        "tenants/c.yaml:11:70 objective",
    ]


def test_a_mistake_in_an_argument_inside_a_text_is_reported_at_the_argument() -> None:
    template = HTTP.replace("name: availability", "name: availability-of-${job}")
    template = template.replace("service: ${job}", "service: web")
    wrong = "{template: http-availability, with: {job: Check!out}}"
    assert findings(template, tenant("a", wrong), tenant("b")) == ["tenants/a.yaml:11:49 name"]


@pytest.mark.parametrize("job", ['x"y', "x\\", 'x"})) or (sum(rate(y{job="', 'x", tenant="z'])
def test_an_argument_that_breaks_a_query_is_marked(job: str) -> None:
    """Each is reported, whatever the others do, and the template is blamed by none."""
    use = f"{{template: http-availability, with: {{job: '{job}'}}, service: web}}"
    found = findings(HTTP, tenant("a", use), tenant("b"), tenant("c", use))
    places = [place.split()[0].split(":") for place in found]
    assert {path for path, _, _ in places} == {"tenants/a.yaml", "tenants/c.yaml"}
    assert all(line == "11" and 49 <= int(column) < 49 + len(job) + 2 for _, line, column in places)


def test_two_uses_of_the_same_name_are_distinguished() -> None:
    assert findings(HTTP, tenant("acme", USE, USE)) == ["tenants/acme.yaml:12:18 duplicate-slo"]


def test_arguments_keep_their_type_where_they_are_all_of_a_value() -> None:
    found = data("{template: http-availability, with: {job: checkout, objective: 99.95}}")
    assert found["objective"] == Decimal("99.95")
    assert found["service"] == "checkout"
    assert found["description"] == "costs $5, $$ or ${job}, says checkout of 99.95 percent"


def test_what_a_use_sets_itself_wins() -> None:
    found = data(
        "{template: http-availability, with: {job: checkout}, objective: 99, labels: {team: cart},"
        " alerting: {min_events: 7}, sli: {latency: {histogram: x_seconds, threshold: 1s}}}"
    )
    assert found["objective"] == 99
    assert found["labels"] == {"team": "cart", "plan": "gold"}
    assert found["alerting"] == {"min_errors": 5, "min_events": 7}
    assert found["sli"] == {"latency": {"histogram": "x_seconds", "threshold": "1s"}}


@pytest.mark.processes
@pytest.mark.parametrize("job", ['x"} or up{job="', "x', y", "a\\\\", "}", "$window", "x # y"])
def test_a_hostile_argument_stays_within_its_tenant(job: str) -> None:
    """It can break its own query, and nothing else."""
    quoted = job.replace("'", "''")
    use = f"{{template: http-availability, with: {{job: '{quoted}'}}, service: web}}"
    try:
        result = compiled(HTTP, tenant("acme", use))
    except CompileError:
        return
    for group in result.rules[0].groups:
        for rule in group.rules if "-base-" in group.name else ():
            for node in walk(pp.parse(rule.expr)):
                if isinstance(node, pp.VectorSelector):
                    assert [m.value for m in node.matchers.matchers if m.name == "tenant"] == [
                        "acme"
                    ]


def test_two_arguments_cannot_make_a_template_of_prometheus() -> None:
    template = HTTP.replace("says ${job}", "says {${job}")
    use = "{template: http-availability, with: {job: '{ query \"up\" }}'}, service: web}"
    assert findings(template, tenant("acme", use)) == ["tenants/acme.yaml:11:49 template-in-text"]


def test_an_argument_is_not_filled_in_again() -> None:
    use = "{template: http-availability, with: {job: '${objective}'}, service: web}"
    assert "says ${objective} of 99.9 percent" in str(data(use)["description"])


def test_an_argument_may_not_fill_the_memory() -> None:
    use = USE.replace("checkout", "x" * 4097)
    assert findings(HTTP, tenant("acme", use)) == ["tenants/acme.yaml:11:49 argument-too-long"]


@pytest.mark.processes
def test_alerts_name_both_files_and_change_with_either() -> None:
    changed = HTTP.replace("costs $5", "costs $6")
    notes = []
    for template in (HTTP, changed):
        result = compiled(template, tenant("acme"))
        burn = next(a for a in result.rules[0].alerts if a.name == "SLOErrorBudgetBurn")
        notes.append(dict(burn.annotations)["manifest"])
        assert burn.origin.path == "tenants/acme.yaml"
        (record,) = (a.text for a in result.artefacts if a.path == "slo-compiler.lock.json")
        assert '"t.yaml"' in record
    pattern = r"tenants/acme.yaml sha256:[0-9a-f]{12}, t.yaml sha256:[0-9a-f]{12}"
    assert all(re.fullmatch(pattern, note) for note in notes)
    assert notes[0] != notes[1]


def test_places_are_those_of_the_file_that_sets_it() -> None:
    use = "{template: http-availability, with: {job: checkout}, labels: {team: cart}}"
    document = instance(use).document
    slo = ("spec", "slos", 0)
    assert str(document.declared(slo)) == "tenants/acme.yaml:11:18"
    assert str(document.locate((*slo, "service"))) == "tenants/acme.yaml:11:49"
    assert str(document.locate((*slo, "objective"))) == "t.yaml:7:34"
    assert str(document.locate((*slo, "labels", "team"))) == "tenants/acme.yaml:11:75"
    assert str(document.locate((*slo, "labels", "plan"))) == "t.yaml:13:32"
    errors = (*slo, "sli", "ratio", "errors")
    text = 'http_requests_total{job="checkout", code=~"5.."}'
    assert document.data["spec"]["slos"][0]["sli"]["ratio"]["errors"] == text
    for token, place in (
        ("job", "t.yaml:16:37"),
        ("5..", "t.yaml:16:58"),
        ("checkout", "tenants/acme.yaml:11:49"),
        ('job="checkout"', "t.yaml:16:17"),  # of both: all of the text
    ):
        assert str(document.within(errors, text.index(token), len(token))) == place


def test_references() -> None:
    found = [(r.name, r.closed) for r in references("$a $${b} ${c} $$${d} ${e")]
    assert found == [(None, True), ("c", True), (None, True), ("e", False)]


def documents(template: object, use: object) -> Report:
    """Load a template and one use of it, each given as data; gives what was found."""
    report = Report()
    slo = json.dumps(use, default=float)
    text = json.dumps(template, default=float)
    library, _ = read_library([SourceFile("t.yaml", "t.yaml", text.encode())], report)
    found = load([tenant("acme", slo)], (Tenant,), report, library)
    assert any(not manifest.lost for manifest in found) is not report.failed
    return report


@pytest.mark.parametrize("where", ["template", "use"])
def test_whatever_is_there_the_message_is_ours(where: str) -> None:
    (read,) = read_documents("t.yaml", HTTP.encode(), Report())
    template = json.loads(json.dumps(read.data, default=float))
    use: dict[str, Any] = {
        "template": "http-availability",
        "with": {"job": "checkout", "objective": 99},
        "alerting": {"min_errors": 5},
        "labels": {"team": "x"},
        "sli": {"ratio": {"errors": "x", "total": "y"}},
    }
    changed = template if where == "template" else use
    wrong = (*WRONG, "${job}", "${", "$${", "${x}", "${job", ["${job}"], {"a": "${job}"})
    assert documents(template, use).diagnostics == []
    for loc in places(changed):
        for value in wrong:
            made = replaced(changed, loc, value)
            report = documents(made, use) if where == "template" else documents(template, made)
            for finding in report.diagnostics:
                assert not THEIRS.search(finding.message), (loc, value, finding)
                assert finding.position.path in {"t.yaml", "tenants/acme.yaml"}
            keys = [(d.position, d.id, d.message) for d in report.diagnostics]
            assert len(keys) == len({*keys})
