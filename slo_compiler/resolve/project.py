"""Whether the project itself can be kept: versions, intervals, and the hours of all tenants."""

from __future__ import annotations

from slo_compiler.diagnostics import Cause, Report, nearest
from slo_compiler.duration import Duration
from slo_compiler.resolve.hours import Locate, check_hours
from slo_compiler.resolve.metadata import check_severity_names
from slo_compiler.schema import Isolation, ProjectSpec

OLDEST_PROMETHEUS, OLDEST_ALERTMANAGER = "2.42", "0.25"


def is_older(declared: str, needed: str) -> bool:
    """Whether a version such as 0.27 is older than another."""

    def key(version: str) -> list[int]:
        return [int(part) for part in version.split(".")]

    return key(declared) < key(needed)


def check_project(project: ProjectSpec, at: Locate, report: Report) -> None:
    """Refuse what no tenant could be compiled with; findings go to `report`."""
    _check_versions(project, at, report)
    check_hours(project.hours, project.holidays, at, report)
    _check_grants(project, at, report)
    severity = project.health.severity
    if severity is not None and severity not in project.severities:
        report.error(
            at("spec", "health", "severity"),
            "undefined-severity",
            f'no severity "{severity}"',
            nearest(severity, project.severities),
            Cause(severity, rank=1),
        )
    check_severity_names(
        project.defaults,
        project.severities,
        lambda *path: at("spec", "defaults", *path),
        report,
    )


def _check_grants(project: ProjectSpec, at: Locate, report: Report) -> None:
    """Refuse matchers that are added to the isolation label, and give it another value."""
    for name, grant in project.tenants.items():
        if not isinstance(project.isolation, Isolation):
            return
        label = project.isolation.label
        if label in (grant.extra_matchers or {}):
            report.error(
                at("spec", "tenants", name, "extra_matchers", label),
                "isolation-label",
                f'the isolation label "{label}" is "{name}" already',
                "remove it here, or write matchers, which replace it",
            )


def _check_versions(project: ProjectSpec, at: Locate, report: Report) -> None:
    """Refuse versions older than the output is tested with, and evaluations that fit no tile."""
    every = project.prometheus.evaluation_interval
    if Duration.of(minutes=5).ms % every.ms:
        report.error(
            at("spec", "prometheus", "version"),
            "evaluation-interval",
            f"an evaluation_interval of {every} does not divide 5m, the shortest tile",
            "use one that does, such as 15s, 30s or 1m: counts would be off",
        )
    for name, declared, oldest in (
        ("prometheus", project.prometheus.version, OLDEST_PROMETHEUS),
        ("alertmanager", project.alertmanager.version, OLDEST_ALERTMANAGER),
    ):
        if is_older(declared, oldest):
            report.error(
                at("spec", name, "version"),
                f"needs-{name}",
                f"{name.capitalize()} {declared} is not supported; {oldest} is the oldest that is",
            )
