"""A docker compose file: SLOs in the labels of its services, and the project of its Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.frontend.translate import From
from slo_compiler.importing.compose_channels import CHANNEL, Channels, channel_labels
from slo_compiler.importing.compose_labels import PREFIX, Label, labels_of
from slo_compiler.importing.compose_project import MadeProject, project_of
from slo_compiler.importing.compose_prometheus import Server, read_server
from slo_compiler.importing.compose_queries import SLI_KEYS, read_sli
from slo_compiler.importing.defaults import secrets_of
from slo_compiler.importing.model import Contents, Format, Imported, ImportedSLO, Options
from slo_compiler.importing.part import Section
from slo_compiler.schema.base import shown
from slo_compiler.schema.texts import DNS_LABEL
from slo_compiler.source import Document

_OF_SERVICE = ("tenant", "owner", "service")
_COPIED = ("description", "period", "stage")
_LINKS = ("runbook", "dashboard")
_OF_SLO = ("objective", *SLI_KEYS, *_COPIED, *_LINKS)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_PERIOD = "30d"


@dataclass(slots=True)
class _Service:
    """A service with labels about SLOs."""

    section: Section
    name: str
    labels: dict[str, Label]  # that are not about one SLO
    slos: dict[str, dict[str, Label]] = field(default_factory=dict)  # by name; the key has none
    unknown: dict[str, list[Label]] = field(default_factory=dict)  # by the SLO that it may be of

    @property
    def at(self) -> Position:
        """Place of its name."""
        return self.section.document.locate(self.section.loc, key=True)


def read(documents: Sequence[Document], options: Options, report: Report) -> Contents:
    """Read the services of all files."""
    sections = [each for document in documents for each in _sections(document, report)]
    server = read_server(sections, report)
    services = [service for each in sections if (service := _service(each, report))]
    tenants: dict[str, list[_Service]] = {}
    for service in services:
        tenant = _tenant(service, options, report)
        if tenant is not None:
            tenants.setdefault(tenant, []).append(service)
    project = project_of(
        {name: [each.name for each in of] for name, of in tenants.items()}, server, options, report
    )
    found = {
        name: _imported(name, tenants[name], server, project, report) for name in sorted(tenants)
    }
    return Contents(found, project.settings, project.text)


def _sections(document: Document, report: Report) -> Iterator[Section]:
    top = Section.of(document, (), document.data, report)
    if not isinstance(top.data.get("services"), Mapping):
        top.refuse("services", "this is no compose file", "it has a mapping of services")
        return
    if "include" in top.data:
        text = "included files are not read"
        report.warning(top.key("include"), "import-left-out", text, "name them as files, too")
    services = top.part("services")
    for name in services.data:
        section = services.part(name)
        if "extends" in section.data:
            text = "labels of the service that this one extends are not read"
            report.warning(section.key("extends"), "import-left-out", text, "write them here, too")
        yield section


def _service(section: Section, report: Report) -> _Service | None:
    labels = labels_of(section, report)
    if not labels:
        return None
    fine: dict[str, Label] = {}
    service = _Service(section, str(section.loc[-1]), fine)
    channels = channel_labels()
    for key, label in labels.items():
        if key in _OF_SERVICE or key in channels:
            if label.is_fine(report):
                fine[key] = label
            continue
        name, dot, last = key.rpartition(".")
        if last in _OF_SLO and "." not in name and name != CHANNEL and (name or not dot):
            service.slos.setdefault(name, {})[last] = label
        elif key != CHANNEL and not key.startswith(f"{CHANNEL}."):
            of = name if name in {each.partition(".")[0] for each in labels} and dot else ""
            service.unknown.setdefault(of, []).append(label)
        else:
            _unknown(label, channels, report)
    known = (*_OF_SERVICE, *_OF_SLO, *channels)
    for name, wrong in list(service.unknown.items()):
        if name not in service.slos:
            for label in wrong:
                own = [f"{name}.{each}" for each in _OF_SLO] if name else []
                first, _, last = label.key.partition(".")
                own += [f"{first}.{each}" for each in _OF_SLO] if last else []
                _unknown(label, [*known, *own], report)
            del service.unknown[name]
    return service


def _unknown(label: Label, known: Sequence[str], report: Report) -> None:
    word = f"{PREFIX}{label.key}"
    labels = [PREFIX + each for each in known]
    near = get_close_matches(word, labels, n=1, cutoff=0.6)
    help_ = nearest(word, near or [f"{PREFIX}{each}" for each in (*_OF_SERVICE, *_OF_SLO)])
    text = f"the label {shown(word)} is unknown, and was not imported"
    report.error(label.at, "import-unknown-key", text, help_)


def _tenant(service: _Service, options: Options, report: Report) -> str | None:
    label = service.labels.get("tenant")
    if label is None:
        if not options.tenant:
            text = f"the service {shown(service.name)} has SLOs and no tenant"
            help_ = f"add the label {PREFIX}tenant, or name the tenant of all: --tenant NAME"
            report.error(service.at, "import-refused", text, help_)
        return options.tenant or None
    if isinstance(label.value, str) and DNS_LABEL.fullmatch(label.value):
        return label.value
    text = f"{shown(label.value)} is no name of a tenant"
    help_ = "use lowercase letters, digits and inner hyphens"
    report.error(label.place, "import-refused", text, help_)
    return None


def _imported(
    tenant: str, services: Sequence[_Service], server: Server, project: MadeProject, report: Report
) -> Imported:
    imported = Imported(_PERIOD, severities=("page", "ticket"))
    own = imported.report
    channels = Channels(secrets_of(project.settings, tenant))
    for service in services:
        channels.take(service.labels, own)
        if owner := service.labels.get("owner"):
            imported.owners.setdefault(str(owner.value), owner.place)
        if not service.slos:
            text = f"the service {shown(service.name)} has labels, and no SLO"
            report.error(service.at, "import-refused", text, f"add {PREFIX}objective: 99.9")
        for name in service.slos:
            imported.slos.append(_slo(service, name, server))
    if len(imported.owners) > 1:
        first, *others = imported.owners.values()
        for at in others:
            text = f"a tenant has one owner; another is at {first}"
            own.error(at, "import-refused", text, "write the same, or remove one")
    imported.channels, imported.escalation = channels.read(own)
    missing = [each for each in imported.severities if each not in _severities(imported)]
    if imported.channels and missing:
        text = f"no channel is notified of {' and '.join(missing)}: all channels of it are, too"
        own.info(services[0].at, "import-decided", text)
        names = [each["name"] for each in imported.channels]
        imported.escalation += [{"severity": each, "notify": names} for each in missing]
    intervals = project.intervals.get(tenant)
    if intervals is not None:
        text = f"its metrics are scraped each {intervals.data}: {intervals.why}"
        own.info(intervals.at, "import-decided", text)
        imported.defaults["scrape_interval"] = intervals.data
    return imported


def _severities(imported: Imported) -> set[Any]:
    return {step["severity"] for step in imported.escalation}


def _slo(service: _Service, name: str, server: Server) -> ImportedSLO:
    report, labels = Report(), service.slos[name]
    known = [f"{name}.{each}" if name else each for each in _OF_SLO]
    for label in service.unknown.get(name, ()):
        _unknown(label, known, report)
    for label in labels.values():
        label.is_fine(report)
    objective = labels.get("objective")
    if objective is None and not report.failed:
        text = f'the label "{PREFIX}{known[0]}" is missing'
        report.error(service.at, "import-refused", text, f"add {PREFIX}{known[0]}: 99.9")
    jobs = server.jobs_of(service.name)
    sli = read_sli(labels, service.at, jobs, report) if not report.failed else None
    first = objective or next(iter(labels.values()))
    document = service.section.document
    usual = "latency" if "latency" in labels else "availability"
    own = service.labels.get("service")
    data: dict[str, Any] = {
        "name": name or usual,
        "service": own.made() if own else From(service.name, service.section.loc),
        **{key: labels[key].made() for key in _COPIED if key in labels},
        "objective": _objective(objective) if objective else None,
        "sli": sli,
        "alerting": {key: labels[key].made() for key in _LINKS if key in labels},
    }
    data = {key: value for key, value in data.items() if value not in (None, {})}
    return ImportedSLO(document, first.at, data, report)


def _objective(label: Label) -> From:
    """Give the number, which a list of labels has as text."""
    if isinstance(label.value, str) and _NUMBER.fullmatch(label.value):
        return label.made(Decimal(label.value))
    return label.made()


FORMAT = Format("compose", "the labels of a docker compose file", read, says_tenant=True)
