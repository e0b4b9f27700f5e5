"""Grafana dashboards: one of all tenants, and one for each.

They read recorded series and ALERTS, never a tenant's own metrics, so that they cost little and
show what the alerts see.
"""

from __future__ import annotations

from collections.abc import Sequence

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.dashboards import panels as grid
from slo_compiler.emit.dashboards.overview import (
    OVERVIEW_UID,
    TenantFacts,
    overview_panels,
    uid_of,
)
from slo_compiler.emit.dashboards.panels import Panel
from slo_compiler.emit.dashboards.style import series
from slo_compiler.emit.dashboards.tenant import (
    by_labels,
    exclusions,
    graphs,
    paces,
    stats,
    variable,
)
from slo_compiler.emit.emitter import Emission, Emitter, ProjectContext, TenantContext
from slo_compiler.promql import Matcher
from slo_compiler.templating import render


def tenant(context: TenantContext, _report: Report) -> Emission:
    """Write the dashboard of a tenant."""
    planned = context.planned
    by = by_labels(planned)
    name = [Matcher(naming.TENANT, "=", planned.name)]
    chosen = [
        *name,
        *(Matcher(label, "=", f"${label}") for label in (naming.SERVICE, naming.SLO)),
    ]
    values = [*chosen, *(Matcher(label, "=~", f"${variable(label)}") for label in by)]
    panels = [*stats(planned, chosen, values), *graphs(planned, chosen, values)]
    info = series(naming.INFO, name)
    variables = [
        grid.datasource_variable(context.project.grafana.datasource),
        grid.values_variable("service", naming.SERVICE, info),
        grid.values_variable("slo", naming.SLO, series(naming.INFO, chosen[:2])),
        *(
            grid.values_variable(
                variable(label), label, series(naming.EVENTS_RATE, chosen), every=True
            )
            for label in by
        ),
    ]
    text = grid.dashboard(
        uid_of(planned.name),
        f"SLOs of {planned.name}",
        f"from {planned.resolved.source.name}",
        panels,
        variables,
        [exclusions(chosen)],
    )
    facts = TenantFacts(planned.name, frozenset(paces(planned)))
    return Emission((_artefact(f"slo-{planned.name}", text, panels, by),), facts=facts)


def project(facts: Sequence[TenantFacts], context: ProjectContext, _report: Report) -> Emission:
    """Write the dashboard of all tenants."""
    panels = [*overview_panels(facts)]
    text = grid.dashboard(
        OVERVIEW_UID,
        "SLOs",
        "for all tenants",
        panels,
        [grid.datasource_variable(context.spec.grafana.datasource)],
    )
    return Emission((_artefact("slos", text, panels, ()),))


def _artefact(name: str, text: str, panels: Sequence[Panel], by: Sequence[str]) -> Artefact:
    """Make the file; promtool checks its queries, as the rules that they would be."""
    queries = [_substituted(target.expr, by) for panel in panels for target in panel.targets]
    checked = render("emit/queries.yml.j2", name=name, queries=list(dict.fromkeys(queries)))
    return Artefact(f"{naming.GRAFANA_FOLDER}/{name}.json", text, "promtool", checked=checked)


def _substituted(expr: str, by: Sequence[str]) -> str:
    names = [naming.SERVICE, naming.SLO, *map(variable, by)]
    for name in sorted(names, key=len, reverse=True):
        expr = expr.replace(f"${name}", name)
    return expr


EMITTER = Emitter("grafana", tenant, project)
