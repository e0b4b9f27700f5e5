"""The SLOs under test, in rounds that do not feed each other."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan.guards import Guard
from slo_compiler.plan.sli import BaseQueries
from slo_compiler.promql import Selector
from slo_compiler.proofs.generate.figures import Figures
from slo_compiler.proofs.generate.raw import (
    Gauge,
    RawSLI,
    Series,
)
from slo_compiler.proofs.model import Check
from slo_compiler.resolve.metadata import metadata_of
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema import Tier

EVENTS = 1_000_000  # per sample, so that small ratios are whole events and guards are met
# SLOs that read one counter take a run each, and each run evaluates all of them: what hundreds on
# one counter cost grows with the square of their number.
MAX_BATCHES = 16
MAX_NAMED = 8
BURN = f'{naming.LONG_WINDOW}!=""'  # selects burn alerts, whatever their names
FED = 'proof="base"'  # keeps what a test feeds apart from what the base rules record in its run
Fact = TypeVar("Fact", bound=Hashable)


@dataclass(frozen=True, slots=True)
class SLOUnderTest:
    """An SLO under test."""

    slo: ResolvedSLO
    raw: RawSLI | None
    gauge: Gauge | None
    queries: BaseQueries | None
    parts: tuple[str, ...]  # labels of the SLOs that a composite is made of
    selectors: tuple[Selector, ...]  # all that its rules read, and those of its parts
    opaque: tuple[Selector, ...]  # those of them in queries of which no counter could be derived
    lacks_good: bool  # whether its rule takes fed events, as it finds no good ones, for errors
    without_input: bool  # whether its base rules may record something while no test feeds it
    labels: str  # its identity, as matchers of a selector
    origin: str  # its place: tenants/customer-b.yaml:26
    guards: Mapping[str, tuple[Guard, ...]]  # on low traffic, by the names of its tiers
    events: int  # of each sample: enough for its guards
    name: str  # within its tenant: checkout/availability
    renamed: bool  # whether alerts of the tenant have names that users gave them
    figures: Figures
    alert: str  # the labels of its alerts that name it

    def burn_alert(self, tier: str) -> str:
        """Name the alerts of its tier of that name."""
        own = next(each for each in self.slo.policy.tiers if each.name == tier)
        return metadata_of(self.slo, own.severity, tier).name or naming.ALERT_BURN

    @property
    def fed(self) -> RawSLI | None:
        """The counters that its tests start from; slices are tested on their own."""
        return None if self.slo.slices else self.raw

    @property
    def counted(self) -> tuple[str, str]:
        """The series of what its SLI counts: events and errors, be they beneath slices."""
        if self.slo.slices:
            return naming.SLICED_EVENTS_RATE, naming.SLICED_ERRORS_RATE
        return naming.EVENTS_RATE, naming.ERRORS_RATE

    @property
    def series(self) -> tuple[Series, ...]:
        """Its counters and its decoys."""
        return () if self.raw is None else self.raw.series

    @property
    def counters(self) -> tuple[Series, ...]:
        """The counters that it counts."""
        return () if self.raw is None else self.raw.counters

    @property
    def decoys(self) -> tuple[Series, ...]:
        """The counters that one of its matchers each keeps out."""
        return () if self.raw is None else self.raw.decoys

    @property
    def fed_labels(self) -> str:
        """Select what a test feeds: not what its rules record without any input."""
        return self.labels + (f",{FED}" if self.without_input else "")

    def threshold(self, tier: Tier) -> Fraction:
        """Give the error ratio at which its own tier of this name fires."""
        return self.figures.thresholds[tier.name]


@dataclass(frozen=True, slots=True)
class TestBatch:
    """SLOs that are tested in one run, because none reads another's counters."""

    subjects: tuple[SLOUnderTest, ...]
    readers: tuple[SLOUnderTest, ...]  # SLOs beside them that read their counters too
    # The tenant's SLOs that have a value without any input: what follows from it is left out.
    inputless: tuple[SLOUnderTest, ...]
    # Of each SLO, by its labels: counters that its matchers keep out, and that feed no other.
    decoys: Mapping[str, Sequence[Series]] = field(default_factory=dict)

    @property
    def figures(self) -> list[Figures]:
        """The figures of its SLOs, each once."""
        return each_figures(self.subjects)

    @property
    def names(self) -> str:
        """The SLOs under test."""
        return names_of(self.subjects)

    @property
    def shadow(self) -> bool:
        """Whether its SLOs are shadows: what would fire is a series, and nothing fires."""
        return self.subjects[0].slo.shadow

    @property
    def recorded_only(self) -> bool:
        """Whether its SLOs have no alerts."""
        return self.subjects[0].slo.recorded_only

    def firing(
        self, at: Duration, tier: Tier, firing: Sequence[SLOUnderTest], why: str, level: int = 1
    ) -> Check:
        """Expect the alerts of a tier from exactly these SLOs, and from no other of the tenant."""
        if self.shadow:
            fired = f'ALERTS{{alertname=~"{naming.ALERT_BURN}|{naming.ALERT_BUDGET_LOW}"}}'
            if self.renamed:
                fired = f'(ALERTS{{{BURN}}} or ALERTS{{{naming.BUDGET_BELOW}!=""}})'
            would = f'{naming.SHADOW_ALERT}{{tier="{tier.name}"}}'
            would = f"count by (service, slo) ({self.of_input(would, naming.SHADOW_ALERT)})"
            expr = f"{would} unless on (service, slo) {fired}"
            return Check(at, expr + self.others_only, _samples(firing), why)
        escalation = f'{naming.ESCALATION}="{level if level > 1 else ""}"'
        if self.renamed:
            matchers = f'{BURN},tier="{tier.name}",{escalation}'
            names = {each.name: each.burn_alert(tier.name) for each in firing}
            return self.alerts(at, matchers, firing, why, names=names)
        matchers = f'alertname="{naming.ALERT_BURN}",tier="{tier.name}",{escalation}'
        return self.alerts(at, matchers, firing, why)

    def alerts(
        self,
        at: Duration,
        matchers: str,
        firing: Sequence[SLOUnderTest],
        why: str,
        *,
        count: int = 1,
        among: Sequence[SLOUnderTest] = (),
        names: Mapping[str, str] | None = None,
    ) -> Check:
        """Expect alerts from exactly these SLOs of the batch, or of some of it; as many of each.

        With `names`, an alert's name by its SLO's, and no other.
        """
        by = "service, slo" if names is None else "alertname, service, slo"
        fired = self.of_input(f'ALERTS{{alertstate="firing",{matchers}}}', "ALERTS")
        expr = f"count by ({by}) ({fired})"
        only = self._only(among or self.subjects)
        return Check(at, expr + only, _samples(firing, count, names), why)

    def measured(
        self, at: Duration, series: str, fits: str, group: Sequence[SLOUnderTest], why: str
    ) -> Check:
        """Expect that a series has a value that fits of exactly these SLOs of the batch, one each.

        In `fits`, a query that keeps the values that do, {} takes the place of the series.
        """
        if len(group) == 1:
            own = f"{series}{{{group[0].fed_labels}}}"
            return Check(at, f"count({fits.format(own)})", (("{}", "1"),), why)
        fed = self.of_input(series, series)
        found = fits.format(f"({fed})" if self.inputless else fed)
        return Check(
            at, f"count by (service, slo) ({found})" + self._only(group), _samples(group), why
        )

    @property
    def renamed(self) -> bool:
        """Whether alerts of the tenant have names that users gave them."""
        return self.subjects[0].renamed

    def none(self, at: Duration, why: str) -> Check:
        """Expect no alert of these SLOs, not even one that waits."""
        expr = f"count by (alertname, service, slo) (ALERTS{_only(self.subjects)})"
        return Check(at, expr, (), why)

    def of_input(self, query: str, metric: str) -> str:
        """Leave out of a query what an SLO has without any input; that has no label of a test."""
        return query + without_inputless(metric, [one.labels for one in self.inputless])

    def _only(self, among: Sequence[SLOUnderTest]) -> str:
        """What keeps others than these SLOs of the batch out of a check."""
        return _only(among) if len(among) < len(self.subjects) else self.others_only

    @property
    def others_only(self) -> str:
        """What keeps the readers out of a check: they burn along, as they should."""
        if len(self.readers) > max(len(self.subjects), MAX_BATCHES):
            return _only(self.subjects)  # which is shorter than a list of the others
        return "".join(
            f" unless on (service, slo) {naming.INFO}{{{reader.labels}}}" for reader in self.readers
        )


def without_inputless(metric: str, labels: Iterable[str]) -> str:
    """Write what leaves the series of a metric out that no test feeds."""
    return "".join(f' unless {metric}{{{one},proof=""}}' for one in labels)


def _only(subjects: Sequence[SLOUnderTest]) -> str:
    """Restrict a query of alerts to some SLOs."""
    infos = " or ".join(f"{naming.INFO}{{{one.labels}}}" for one in subjects)
    return f" and on (service, slo) ({infos})"


def _samples(
    firing: Sequence[SLOUnderTest], count: int = 1, names: Mapping[str, str] | None = None
) -> tuple[tuple[str, str], ...]:
    if names is None:
        return tuple([(f"{{{s.alert}}}", str(count)) for s in firing])
    return tuple([(f'{{alertname="{names[s.name]}", {s.alert}}}', str(count)) for s in firing])


def base_labels(subject: SLOUnderTest, value: str = "proof") -> str:
    """Give the labels of base series that a test feeds, with a value for the labels in `by`.

    The last one keeps them apart from what the base rules record in the same run.
    """
    by = "".join(f',{label}="{value}"' for label in subject.slo.by)
    return f"{subject.labels}{by},{FED}"


def groups_of(batch: TestBatch) -> Iterator[tuple[list[SLOUnderTest], Tier]]:
    """Give the SLOs of a round that fire and reset at the same times, tier by tier."""
    groups: dict[tuple[object, ...], tuple[list[SLOUnderTest], Tier]] = {}
    for subject in batch.subjects:
        for tier in subject.slo.tiers:
            key = (subject.slo.policy.name, tier.name, subject.figures.capped.get(tier.name))
            groups.setdefault(key, ([], tier))[0].append(subject)
    yield from groups.values()


def each_figures(subjects: Sequence[SLOUnderTest]) -> list[Figures]:
    """Give the figures of SLOs, each once."""
    return [*dict.fromkeys([subject.figures for subject in subjects])]


def names_of(subjects: Sequence[SLOUnderTest]) -> str:
    """Name several SLOs; of many the first ones, and how many more there are."""
    names = [s.name for s in subjects]
    more = len(names) - MAX_NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:MAX_NAMED])} and {more} more"


def origins_of(subjects: Sequence[SLOUnderTest]) -> str:
    """Give the lines of SLOs in their manifests; of many the first and the last one."""
    lines = {s.origin: None for s in subjects}
    if len(lines) <= MAX_NAMED:
        return ", ".join(sorted(lines))
    first, *_, last = lines
    return f"{first} to {last}"


def alike(
    facts: Iterable[tuple[SLOUnderTest, Fact]],
) -> Iterator[tuple[Fact, list[SLOUnderTest], str]]:
    """Give each fact about SLOs once, with those that have it, and their names.

    Where all of several have the same, their names are "each": the test has them.
    """
    found: dict[Fact, list[SLOUnderTest]] = {}
    for subject, fact in facts:
        found.setdefault(fact, []).append(subject)
    for fact, subjects in found.items():
        of_all = len(found) == 1 and len(subjects) > 1
        yield fact, subjects, "each" if of_all else names_of(subjects)


def notes_on(pairs: Iterable[tuple[SLOUnderTest, str]]) -> list[str]:
    """Write notes on SLOs, one line for all that have the same."""
    return [f"{names}: {note}" for note, _, names in alike(pairs)]
