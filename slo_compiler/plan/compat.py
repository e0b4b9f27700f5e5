"""Under which names another tool's readers find an SLO.

Decision: an SLO has a tool's names only where that tool's own rules are gone (`instead`). Beside
them (`alongside`), each name has an ending that the tool refuses in names of its own: whatever
selects the tool's SLOs by their names, its rules and alerts among them, goes on reading its series
alone, and dashboards list ours as one SLO more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.plan.sli import BaseQueries
from slo_compiler.promql import metrics_of
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema.base import shown
from slo_compiler.schema.compat import CompatTool

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")  # as all versions of Prometheus record it
_HELP = "write compat: none for this SLO"


@dataclass(frozen=True, slots=True)
class ForeignNames:
    """What a tool's readers call an SLO; `metric` is the one that Pyrra's series begin with."""

    tool: CompatTool
    service: str
    slo: str
    metric: str = ""

    @property
    def sloth_labels(self) -> Pairs:
        """The labels by which Sloth's dashboards select an SLO; none for another tool's."""
        if self.tool is not CompatTool.SLOTH:
            return ()
        bare = self.service.removesuffix(naming.ALONGSIDE)
        values = (f"{bare}-{self.slo}", self.service, self.slo)
        return tuple(zip(naming.SLOTH_IDENTITY, values, strict=True))


def foreign_names(
    slo: ResolvedSLO, queries: BaseQueries | None, report: Report
) -> ForeignNames | None:
    """Give the names of an SLO for another tool's readers; what it lacks goes to `report`."""
    compat = slo.inherited.compat
    if compat is None:
        return None
    found = ForeignNames(compat.tool, *alias(slo))
    if slo.period.calendar:
        message = f"{compat.tool.title()} has no period such as {slo.period.words}"
        report.error(slo.at("compat"), "compat-lacks", message, f"use a rolling period, or {_HELP}")
        return None
    if compat.tool is CompatTool.SLOTH:
        return found
    metrics = metrics_of(queries.events) if queries is not None else ()
    if len(metrics) == 1 and _METRIC.fullmatch(metrics[0]):
        return ForeignNames(compat.tool, found.service, found.slo, metrics[0])
    if queries is not None or slo.spec.sli.body.base_pair() is None:  # else it was refused
        report.error(
            slo.at("compat"),
            "compat-lacks",
            "Pyrra names its series after the one metric that counts all events, and this SLI has "
            + (f"{len(metrics)} of them" if len(metrics) != 1 else shown(metrics[0])),
            _HELP,
        )
    return None


ForeignKey = tuple[CompatTool, str, str]


def foreign_key(slo: ResolvedSLO) -> ForeignKey | None:
    """Return all by which a tool's readers distinguish SLOs; Pyrra's know no services."""
    compat = slo.inherited.compat
    if compat is None:
        return None
    service, name = alias(slo)
    return compat.tool, service if compat.tool is CompatTool.SLOTH else "", name


def alias(slo: ResolvedSLO) -> tuple[str, str]:
    """Give the service and the name by which a tool's readers find an SLO."""
    compat = slo.inherited.compat
    ending = naming.ALONGSIDE if compat is not None and compat.alongside else ""
    return slo.spec.service + ending, slo.spec.name + ending
