"""Two states of the manifests over the same history: which incidents does each find, and when?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slo_compiler.backtest.episodes import Episode
from slo_compiler.backtest.run import Backtest
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import Identity


@dataclass(frozen=True, slots=True)
class Incident:
    """A time at which alerts of one severity fired, in one state or in both."""

    start: int
    end: int
    old: tuple[Episode, ...]
    new: tuple[Episode, ...]

    @property
    def later_ms(self) -> int | None:
        """How much later the new state finds it; None if only one finds it, or both had before."""
        if not self.old or not self.new:
            return None
        return min(e.start for e in self.new) - min(e.start for e in self.old)


@dataclass(frozen=True, slots=True)
class SeverityDifference:
    """What a change does to the alerts of one severity of an SLO."""

    severity: str
    old: int  # of which people are notified once each: overlapping episodes are one
    new: int
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True)
class SLODifference:
    """What a change does to an SLO; an SLO that one state lacks has no plan there."""

    identity: Identity
    old: PlannedSLO | None
    new: PlannedSLO | None
    severities: tuple[SeverityDifference, ...]


def compare(old: Backtest, new: Backtest) -> list[SLODifference]:
    """Compare the results of two states, SLO by SLO."""
    before = {each.slo.identity: each.slo for each in old.slos}
    after = {each.slo.identity: each.slo for each in new.slos}
    found = []
    for identity in sorted({*before, *after}, key=lambda each: each.labels):
        sides = (notifying(old.of(identity)), notifying(new.of(identity)))
        names = dict.fromkeys(each.severity for side in sides for each in side)
        differences = tuple(_severity(name, *sides) for name in sorted(names))
        plans = (before.get(identity), after.get(identity))
        found.append(SLODifference(identity, *plans, differences))
    return found


def notifying(episodes: Iterable[Episode]) -> list[Episode]:
    """Leave out what does not notify, and the further levels of what already fires."""
    return [each for each in episodes if each.first and not each.shadow]


def _severity(name: str, old: Sequence[Episode], new: Sequence[Episode]) -> SeverityDifference:
    before = [each for each in old if each.severity == name]
    after = [each for each in new if each.severity == name]
    counts = (len(incidents(before, [])), len(incidents(after, [])))
    return SeverityDifference(name, *counts, tuple(incidents(before, after)))


def incidents(old: Sequence[Episode], new: Sequence[Episode]) -> list[Incident]:
    """Join episodes of both states that overlap."""
    tagged = sorted(
        [*((e, False) for e in old), *((e, True) for e in new)], key=lambda pair: pair[0].start
    )
    found: list[Incident] = []
    for each, is_new in tagged:
        own = ((), (each,)) if is_new else ((each,), ())
        if found and each.start <= found[-1].end:
            last = found[-1]
            end = max(last.end, each.end)
            found[-1] = Incident(last.start, end, (*last.old, *own[0]), (*last.new, *own[1]))
        else:
            found.append(Incident(each.start, each.end, *own))
    return found
