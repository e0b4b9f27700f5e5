"""Manifests for lints: a fragment takes its place in one that no lint finds anything in."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from slo_compiler import pipeline
from slo_compiler.diagnostics import CompileError, Diagnostic, Report
from slo_compiler.schema import SLI, SLO
from slo_compiler.source import SourceFile

METADATA = {"metadata": "metadata: {name: customer-b, owner: customer-b-sre}\n"}
SPEC = {
    "policies": "",
    "channels": """\
channels:
  - {name: chat, webhook: {url: "http://chat.internal/"}}
""",
    "escalation": """\
escalation:
  - {severity: page, notify: [chat]}
  - {severity: ticket, notify: [chat]}
""",
}
AN_SLO = {
    "name": "name: availability\n",
    "service": "service: checkout\n",
    "description": "description: Requests answered without a server error\n",
    "objective": "objective: 99.9\n",
    "sli": """\
sli:
  ratio:
    errors: http_requests_total{code=~"5.."}
    total: http_requests_total
""",
    "alerting": 'alerting: {runbook: "https://runbooks.example/checkout"}\n',
}
PROJECT = {
    "alertmanager": 'alertmanager: {heartbeat: {webhook: {url: "http://dead.internal/"}}}\n',
    "prometheus": "prometheus: {retention: 400d}\n",
}
PROJECT_KEYS = ("prometheus", "alertmanager", "tenants", "lint")


def wrapped(fragment: str) -> dict[str, str]:
    """Put a fragment into its place; gives files and their text.

    Comments that begin with "platform's" are uncommented in a second tenant.
    """
    metadata, spec, slo, project = {**METADATA}, {**SPEC}, {**AN_SLO}, {**PROJECT}
    for key, block in _blocks(fragment):
        if key == "metadata":
            metadata[key] = block
        elif key in PROJECT_KEYS:
            project[key] = block
        elif key in SLO.model_fields:
            slo[key] = block
        elif key in SLI.model_fields:
            slo["sli"] = "sli:\n" + textwrap.indent(block, "  ")
        else:
            spec[key] = block
    if "slos" not in spec:
        first, *rest = "".join(slo.values()).splitlines(keepends=True)
        spec["slos"] = f"slos:\n  - {first}" + textwrap.indent("".join(rest), "    ")
    head = "apiVersion: slo-compiler/v1\nkind: {}\n"
    tenant = f"spec:\n{textwrap.indent(''.join(spec.values()), '  ')}"
    platform = re.search(r"(?m)^# platform's (.*\n(?:#  .*\n)*)", fragment)
    return (_platform(platform[1].replace("\n# ", "\n")) if platform else {}) | {
        "slo-compiler.yaml": head.format("Project")
        + f"spec:\n{textwrap.indent(''.join(project.values()), '  ')}",
        "customer-b.yaml": head.format("Tenant") + "".join(metadata.values()) + tenant,
    }


def _platform(escalation: str) -> dict[str, str]:
    """Write a tenant that others depend on; what it lacks itself is not reported."""
    text = wrapped(escalation)["customer-b.yaml"]
    text = text.replace("customer-b", "platform").replace("service: checkout", "service: ingress")
    switch = "  # slo-compiler: disable=page-muted -- told of the other\n"
    return {"platform.yaml": re.sub(r"(hours: .*)\n", rf"\1{switch}", text)}


def _blocks(fragment: str) -> Iterator[tuple[str, str]]:
    """Split a fragment at its keys; comments belong to the key below."""
    block = key = ""
    for line in fragment.splitlines(keepends=True):
        begins = not line.startswith((" ", "#", "\n"))
        if key and (begins or line.startswith("#")):
            yield key, block
            block = key = ""
        block += line
        key = line.partition(":")[0] if begins else key
    yield key, block


def findings(files: dict[str, str], *, whole: bool = True) -> list[Diagnostic]:
    """Compile manifests up to the plan."""
    report = Report()
    sources = {name: SourceFile(name, name, text.encode()) for name, text in files.items()}
    settings = pipeline.read_project(None, report)

    with suppress(CompileError):
        if "slo-compiler.yaml" in sources:
            settings = pipeline.parse_project(sources.pop("slo-compiler.yaml"), Path(), report)
        # The files that the project names are not there.
        spec = settings.spec.alertmanager.model_copy(update={"base": None})
        settings = pipeline.with_overrides(settings, {"alertmanager": spec})
        pipeline.plan_project(settings, [*sources.values()], report, whole=whole)
    return report.diagnostics


def told(fragment: str) -> list[str]:
    """Give each finding of a fragment as `line:column id "marked text"`."""
    return [
        f"{d.position.line}:{d.position.column} {d.id} "
        f'"{d.position.text[d.position.column - 1 :][: d.position.width]}"'
        for d in findings(wrapped(fragment))
    ]
