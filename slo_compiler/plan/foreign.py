"""The series that another tool's dashboards read: which of them an SLO gets, beside its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan.rule import (
    Fact,
    ForeignRule,
    PyrraBurnRate,
    PyrraReading,
    PyrraSeries,
    SlothBudget,
    SlothCurrentBurn,
    SlothRatio,
)
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.schema.compat import CompatTool

_OWN = (Fact.OBJECTIVE, Fact.ERROR_BUDGET, Fact.INFO)
_OF_SLOTH = (Fact.SLOTH_INFO, Fact.SLOTH_DAYS)
_OF_PYRRA = (Fact.PYRRA_OBJECTIVE, Fact.PYRRA_WINDOW)


def facts_of(slo: PlannedSLO) -> tuple[Fact, ...]:
    """Give what is constant for an SLO.

    The names of Sloth's objective and budget are ours, too: those series have the labels of both.
    """
    if slo.foreign is None:
        return _OWN
    if slo.foreign.tool is CompatTool.SLOTH:
        return (*_OWN, *_OF_SLOTH)
    return _OWN if slo.by else (*_OWN, *_OF_PYRRA)


def foreign_rules(slos: Sequence[PlannedSLO]) -> Iterator[ForeignRule]:
    """Give the rules that copy what is recorded to the names of other tools.

    Sloth's are one rule for all SLOs of the tenant, as only labels distinguish its series;
    Pyrra's are those of each SLO, because it names some after the SLO's own metric.
    """
    yield from _of_sloth([slo for slo in slos if _reads(slo, CompatTool.SLOTH)])
    for slo in slos:
        if _reads(slo, CompatTool.PYRRA):
            if not slo.by:  # of grouped SLOs Pyrra records the burn rates alone
                yield from (PyrraSeries(slo, reading) for reading in PyrraReading)
            yield from (PyrraBurnRate(slo, each) for each in sorted(tier_windows([slo.resolved])))


def _of_sloth(slos: Sequence[PlannedSLO]) -> Iterator[ForeignRule]:
    if not slos:
        return
    names: set[str] = set()
    spans: list[Duration | Period] = [*sorted(tier_windows(slo.resolved for slo in slos))]
    spans += sorted({slo.resolved.period for slo in slos})
    for span in spans:
        name = naming.sloth_ratio(span)
        if name not in names:
            names.add(name)
            yield SlothRatio(span)
    yield SlothCurrentBurn()
    yield from (SlothBudget(left=left) for left in (False, True))


def _reads(slo: PlannedSLO, tool: CompatTool) -> bool:
    return slo.foreign is not None and slo.foreign.tool is tool
