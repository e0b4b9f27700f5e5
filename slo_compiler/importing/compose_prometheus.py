"""The Prometheus of a compose file: its version, and its configuration."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from slo_compiler.diagnostics import Position, Report, Severity
from slo_compiler.documents import read_documents
from slo_compiler.importing.metadata import wrong
from slo_compiler.importing.part import Section
from slo_compiler.reading import read_inside
from slo_compiler.schema.base import shown
from slo_compiler.schema.lint import Retention
from slo_compiler.schema.quantities import Span
from slo_compiler.schema.texts import Version
from slo_compiler.source import Document

_CONFIG = "/etc/prometheus/prometheus.yml"
_TAG = re.compile(r"v?([0-9]{1,3}\.[0-9]{1,3})(?:[.-].*)?")
_INTERVALS = ("scrape_interval", "evaluation_interval")
_DEFAULT = "1m"  # of both, in Prometheus


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of the project, and where it is from."""

    data: str
    at: Position
    why: str


@dataclass(slots=True)
class Job:
    """A scrape job."""

    name: str
    at: Position
    interval: Setting | None
    hosts: frozenset[str]
    labels: Mapping[str, str]  # that all of its targets have
    relabels: frozenset[str]  # labels that may have any value


@dataclass(slots=True)
class Server:
    """What is known of the Prometheus."""

    values: dict[str, Setting] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)

    def jobs_of(self, host: str) -> list[Job]:
        """Give the jobs that scrape a service."""
        return [job for job in self.jobs if host in job.hosts]


def read_server(services: Sequence[Section], report: Report) -> Server:
    """Find the Prometheus among the services, and read its configuration if it is there."""
    server = Server()
    found = [each for each in services if _image(each)[0] == "prometheus"]
    if not found:
        return server
    service = found[0]
    for other in found[1:]:
        text = f"this second Prometheus is left out: the project's is {service.loc[-1]}"
        report.warning(other.at("image"), "import-left-out", text)
    _, tag = _image(service)
    at = service.at("image")
    version = _TAG.fullmatch(tag)
    if version and not wrong(Version, version[1]):
        server.values["version"] = Setting(version[1], at, str(service.data["image"]))
    else:
        text = f"the version of Prometheus is not known: the tag is {shown(tag or 'missing')}"
        help_ = 'write prometheus: {version: "..."} into the project file'
        report.warning(at, "import-left-out", text, help_)
    path, where = _CONFIG, service.key("image")
    for flag, value, place in _flags(service):
        if flag == "config.file":
            path, where = value, place
        elif flag == "storage.tsdb.retention.time":
            if error := wrong(Retention, value):
                report.warning(place, "import-left-out", f"retention is left out: {error[0]}")
            else:
                server.values["retention"] = Setting(value, place, f"--{flag}")
    _read_config(service, path, where, server, report)
    return server


def _image(service: Section) -> tuple[str, str]:
    image = service.data.get("image")
    name, _, tag = str(image or "").partition("@")[0].rpartition("/")[2].partition(":")
    return name, tag


def _flags(service: Section) -> Iterator[tuple[str, str, Position]]:
    """Give the flags of the command, as `--flag=value` or `--flag value`."""
    command = service.data.get("command")
    if isinstance(command, str):
        try:
            words = [(word, service.at("command")) for word in shlex.split(command)]
        except ValueError:
            return
    elif isinstance(command, list):
        places = ((*service.loc, "command", index) for index in range(len(command)))
        words = [
            (str(word), service.document.locate(place))
            for word, place in zip(command, places, strict=True)
        ]
    else:
        return
    for index, (word, place) in enumerate(words):
        if not word.startswith("-"):
            continue
        flag, equals, value = word.lstrip("-").partition("=")
        if not equals and index + 1 < len(words):
            value = words[index + 1][0]
        yield flag, value, place


def _read_config(
    service: Section, path: str, where: Position, server: Server, report: Report
) -> None:
    """Read the configuration that is mounted at a path."""
    mounted = next(_mounts(service, path), None)
    if mounted is None:
        text = f"{path} of this Prometheus is not mounted from a file, and not read"
        _intervals_unknown(report, where, text)
        return
    name, at = mounted
    here = Path(service.document.path)
    own = Report()
    file = read_inside(here.parent, here.parent, name, own, at)
    if file is None:
        for found in own.diagnostics:
            _intervals_unknown(report, at, found.message)
        return
    documents = read_documents(file.path, file.content, own)
    if own.failed or not documents or not isinstance(documents[0].data, Mapping):
        for found in own.diagnostics:
            if found.severity is Severity.ERROR:
                _intervals_unknown(report, found.position, found.message)
        return
    _read_settings(documents[0], server, report)


def _intervals_unknown(report: Report, at: Position, why: str) -> None:
    help_ = "write prometheus: {scrape_interval: ..., evaluation_interval: ...} into the project"
    report.warning(at, "import-left-out", f"the intervals are not known: {why}", help_)


def _mounts(service: Section, path: str) -> Iterator[tuple[str, Position]]:
    """Give the files beside the compose file that are mounted at a path."""
    target = PurePosixPath(path)
    configs = service.document.data.get("configs")
    for key in ("volumes", "configs"):
        entries = service.data.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            at = service.document.locate((*service.loc, key, index))
            source, to = _mount(entry)
            if key == "configs" and isinstance(configs, Mapping):
                config = configs.get(source)
                source = str(config.get("file", "")) if isinstance(config, Mapping) else ""
            elif not source.startswith((".", "/", "~")):
                continue  # a volume with a name
            if not source or not to.startswith("/"):
                continue
            if PurePosixPath(to) == target:
                yield str(PurePosixPath(source)), at
            elif target.is_relative_to(to):
                yield str(PurePosixPath(source) / target.relative_to(to)), at


def _mount(entry: object) -> tuple[str, str]:
    if isinstance(entry, Mapping):
        return str(entry.get("source", "")), str(entry.get("target", ""))
    source, _, target = str(entry).partition(":")
    return source, target.partition(":")[0]


def _read_settings(document: Document, server: Server, report: Report) -> None:
    settings = document.data.get("global")
    own = settings if isinstance(settings, Mapping) else {}
    for key in _INTERVALS:
        at = document.locate(("global", key), key=True)
        value = own.get(key, _DEFAULT)
        if error := wrong(Span, value):
            _intervals_unknown(report, at, error[0])
        else:
            why = key if key in own else "Prometheus's default"
            server.values[key] = Setting(str(value), at, why)
    jobs = document.data.get("scrape_configs")
    for index, job in enumerate(jobs if isinstance(jobs, list) else ()):
        if isinstance(job, Mapping) and isinstance(job.get("job_name"), str):
            server.jobs.append(_job(job, document, index))


def _job(job: Mapping[str, Any], document: Document, index: int) -> Job:
    interval = None
    if "scrape_interval" in job and not wrong(Span, job["scrape_interval"]):
        place = document.locate(("scrape_configs", index, "scrape_interval"), key=True)
        interval = Setting(str(job["scrape_interval"]), place, f"job {job['job_name']}")
    hosts, labels = set[str](), list[Mapping[str, Any]]()
    for static in _mappings(job.get("static_configs")):
        targets = static.get("targets")
        hosts |= {_host(each) for each in (targets if isinstance(targets, list) else ())}
        own = static.get("labels")
        labels.append(own if isinstance(own, Mapping) else {})
    for lookup in _mappings(job.get("dns_sd_configs")):
        names = lookup.get("names")
        listed = names if isinstance(names, list) else []
        hosts |= {_host(each).removeprefix("tasks.") for each in listed}
        labels.append({})
    first = labels[0] if labels else {}
    same = {
        key: str(value)
        for key, value in first.items()
        if all(each.get(key) == value for each in labels)
    }
    changes = [
        each.get("target_label")
        for key in ("relabel_configs", "metric_relabel_configs")
        for each in _mappings(job.get(key))
    ]
    relabels = frozenset(each for each in changes if isinstance(each, str))
    at = document.locate(("scrape_configs", index, "job_name"))
    return Job(job["job_name"], at, interval, frozenset(hosts), same, relabels)


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _host(target: object) -> str:
    return str(target).partition("//")[2].partition(":")[0] or str(target).partition(":")[0]
