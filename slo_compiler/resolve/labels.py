"""Which labels manifests may put on alerts: none that distinguishes tenants, none of a severity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slo_compiler.diagnostics import Position, Report
from slo_compiler.resolve.metadata import metadata_parts
from slo_compiler.schema import Isolation, ProjectSpec, Tenant
from slo_compiler.schema.severity import severities_of
from slo_compiler.source import Document, Loc


def isolating(project: ProjectSpec) -> frozenset[str]:
    """Return the labels by which the platform distinguishes any tenants' metrics."""
    isolation = project.isolation
    own = {isolation.label} if isinstance(isolation, Isolation) else set()
    return frozenset(
        own.union(
            *(grant.matchers or grant.extra_matchers or () for grant in project.tenants.values())
        )
    )


def check_labels(
    tenant: Tenant,
    document: Document,
    project: ProjectSpec,
    matchers: Mapping[str, str],
    report: Report,
) -> None:
    """Refuse labels that severities set, and those that would pass for another tenant's.

    The platform's own routes, inhibitions and dashboards go by the labels of isolation.
    """
    of_severities = {name for level in severities_of(project.severities) for name in level.labels}
    of_tenants = isolating(project)
    for at, name, value in _given(tenant, document):
        if name in of_severities:
            report.error(
                at,
                "label-clash",
                f'alerts get the label "{name}" from their severity',
                "rename this one: the project's severities set it",
            )
        elif value is not None and name in project.prometheus.external_labels:
            report.error(
                at,
                "label-clash",
                f'alerts get the label "{name}" from their Prometheus: it is an external label',
                "rename this one: it would hide which Prometheus sent the alert",
            )
        elif value is not None and name in of_tenants and matchers.get(name) != value:
            own = f'this tenant\'s is "{matchers[name]}"' if name in matchers else ""
            report.error(
                at,
                "isolation-label",
                f'the label "{name}" tells tenants apart',
                own or "choose another name",
            )


def _given(tenant: Tenant, document: Document) -> Iterator[tuple[Position, str, str | None]]:
    """Give each label and its value; those of `by` have none that is known."""

    def at(loc: Loc, labels: Mapping[str, str]) -> Iterator[tuple[Position, str, str]]:
        for name, value in labels.items():
            yield document.locate((*loc, name), key=True), name, value

    yield from at(("metadata", "labels"), tenant.metadata.labels)
    for path, part in metadata_parts(tenant.spec.defaults):
        yield from at(("spec", "defaults", *path, "labels"), part.labels)
    for index, slo in enumerate(tenant.spec.slos):
        loc = ("spec", "slos", index)
        yield from at((*loc, "labels"), slo.labels)
        for path, part in metadata_parts(slo.alerting):
            yield from at((*loc, "alerting", *path, "labels"), part.labels)
        body = slo.sli.body
        old = body.by if isinstance(body.by, dict) else {}
        for name in body.by:
            # What is renamed is written by the tenant, as any label that it gives a value.
            written = old.get(name, name) != name
            yield document.locate((*loc, "sli", body.KIND, "by")), name, "" if written else None
