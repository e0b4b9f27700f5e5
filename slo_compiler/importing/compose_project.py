"""The project of a compose file's Prometheus: made if there is none, else compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.importing.compose_prometheus import Job, Server, Setting
from slo_compiler.importing.model import Options
from slo_compiler.importing.writing import line
from slo_compiler.schema import API_VERSION
from slo_compiler.schema.project import PrometheusSpec
from slo_compiler.settings import Settings

_ORDER = ("version", "scrape_interval", "evaluation_interval", "retention")


@dataclass(frozen=True, slots=True)
class MadeProject:
    """The settings that the tenants are compiled with, and the file that has them."""

    settings: Settings
    text: str = ""
    intervals: Mapping[str, Setting] = field(default_factory=dict)  # of tenants with their own


def project_of(
    tenants: Mapping[str, Sequence[str]], server: Server, options: Options, report: Report
) -> MadeProject:
    """Make the project, or compare it with the one that is there.

    Args:
        tenants: and their services.
        server: the Prometheus of the compose file.
        options: of the run, with the project that is there.
        report: takes the findings.
    """
    found = PrometheusSpec.model_validate({key: each.data for key, each in server.values.items()})
    settings = options.settings
    unlabelled = _unlabelled(tenants, server, settings)
    if settings.manifest is not None:
        _compare(found, settings, server, report)
        for tenant, job in unlabelled.items():
            _report_unlabelled(tenant, job, settings, report)
        return MadeProject(settings, "", _intervals(tenants, server, settings.spec.prometheus))
    isolation: dict[str, Any] = {}
    if unlabelled and len(tenants) == 1:
        isolation = {"isolation": "none"}
    else:
        for tenant, job in unlabelled.items():
            _report_unlabelled(tenant, job, settings, report)
    spec = settings.spec.model_copy(update={"prometheus": found, **isolation})
    text = _text(server, options.sources, none=bool(isolation))
    return MadeProject(replace(settings, spec=spec), text, _intervals(tenants, server, found))


def _text(server: Server, sources: str, *, none: bool) -> str:
    lines = [
        "# The Prometheus of the compose file, as its rules need to know it.",
        f"apiVersion: {API_VERSION}",
        "kind: Project",
        "spec:",
        f"  sources: [{_quoted(sources)}]",
    ]
    if server.values:
        lines.append("  prometheus:")
    for key in _ORDER:
        if key in server.values:
            value = server.values[key]
            where = f"{value.at.path}:{value.at.line}: {value.why}"
            lines.append(f"    {key}: {_quoted(value.data)} # {line(where)}")
    if none:
        lines += [
            "  # No scrape job sets the label tenant, and one tenant needs none. With a second",
            "  # one, add it to the jobs (static_configs: labels: {tenant: NAME}), not this line.",
            "  isolation: none",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _compare(found: PrometheusSpec, settings: Settings, server: Server, report: Report) -> None:
    own = settings.spec.prometheus
    for key in _ORDER:
        value = server.values.get(key)
        mine = getattr(own, key)
        same = str(mine).split(".")[:2] == value.data.split(".")[:2] if value else True
        if key != "version":
            same = mine == getattr(found, key)
        if value is None or same:
            continue
        what = f"{key.replace('_', ' ')} is {value.data} here ({value.why})"
        text = f"the {what}, and {mine or 'missing'} in the project file"
        help_ = f'write prometheus: {{{key}: "{value.data}"}} there'
        report.warning(value.at, "import-left-out", text, help_)


def _unlabelled(
    tenants: Mapping[str, Sequence[str]], server: Server, settings: Settings
) -> dict[str, Job]:
    """Give a job of each tenant whose metrics lack the label that distinguishes tenants."""
    isolation = settings.spec.isolation
    if isolation == "none":
        return {}
    label = isolation.label
    found: dict[str, Job] = {}
    for tenant, services in sorted(tenants.items()):
        if tenant in settings.spec.tenants:
            continue
        for job in (job for service in services for job in server.jobs_of(service)):
            if job.labels.get(label) != tenant and label not in job.relabels:
                found.setdefault(tenant, job)
    return found


def _report_unlabelled(tenant: str, job: Job, settings: Settings, report: Report) -> None:
    isolation = settings.spec.isolation
    label = "tenant" if isolation == "none" else isolation.label
    report.warning(
        job.at,
        "import-decided",
        f'metrics of {tenant} need the label {label}="{tenant}", which this job does not set',
        f"add labels: {{{label}: {tenant}}} to the static_configs of its job",
    )


def _intervals(
    tenants: Mapping[str, Sequence[str]], server: Server, spec: PrometheusSpec
) -> Mapping[str, Setting]:
    """Give the longest interval of each tenant's jobs, if it is not the project's."""
    found: dict[str, Setting] = {}
    for tenant, services in tenants.items():
        jobs = [job for service in services for job in server.jobs_of(service)]
        own = [job.interval for job in jobs if job.interval]
        if not own:
            continue
        longest = max(own, key=lambda each: Duration.parse(each.data))
        span = Duration.parse(longest.data)
        if len(own) < len(jobs) and span < spec.scrape_interval:
            continue
        if span != spec.scrape_interval:
            found[tenant] = longest
    return found
