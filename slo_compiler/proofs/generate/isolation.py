"""That no tenant's alerts fire for another's errors: all rules in one run, and some tenants burn.

What a tenant adds to these tests is a small value of its own, so that tenants can be planned one by
one and in parallel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, count, islice
from math import comb

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.promql import Selector
from slo_compiler.proofs.generate.raw import Series
from slo_compiler.proofs.generate.readers import SelectorIndex
from slo_compiler.proofs.generate.subject import (
    BURN,
    SLOUnderTest,
    base_labels,
    without_inputless,
)
from slo_compiler.proofs.generate.timeline import (
    MINUTE,
    constant_pair,
    counter,
    rounded,
    settled_after,
    stretch,
)
from slo_compiler.proofs.model import Check, InputSeries, UnitTest, UnitTestFile

EVALUATION = MINUTE * 5  # of all rules of all tenants: few moments, because there are many rules


@dataclass(frozen=True, slots=True)
class IsolatedSLO:
    """What the isolation tests need of an SLO."""

    labels: str  # of its base pair
    tiers: int
    events: int  # of each sample
    counters: tuple[Series, ...]  # that its tests start from, without decoys
    counted: tuple[Series, ...]  # that it counts, whatever its tests start from
    selectors: tuple[Selector, ...]  # all that its rules read
    opaque: tuple[Selector, ...]  # those of them of which no counter could be derived
    lacks_good: bool
    inputless: str  # its identity, if it has a value without any input


@dataclass(frozen=True, slots=True)
class IsolatedTenant:
    """What the isolation tests need of a tenant: its SLOs that alert somebody, its groups."""

    name: str
    groups: tuple[str, ...]
    scrape: Duration
    longest_tile: Duration
    longest_wait: Duration
    slos: tuple[IsolatedSLO, ...]
    renamed: bool  # whether its alerts have names that users gave them


def isolated_tenant(
    planned: PlannedTenant, subjects: Sequence[SLOUnderTest]
) -> IsolatedTenant | None:
    """Collect what the isolation tests need of a tenant; nothing of one where no SLO notifies."""
    live = [subject for subject in subjects if subject.slo.live]
    if not live:
        return None
    tiers = [tier for subject in live for tier in subject.slo.policy.tiers]
    return IsolatedTenant(
        planned.name,
        tuple(group.name for group in planned.groups),
        planned.timing.scrape,
        planned.timing.longest_tile(tier_windows(subject.slo for subject in live)),
        max(tier.for_ or Duration(0) for tier in tiers),
        tuple(map(_isolated, live)),
        live[0].renamed,
    )


def _isolated(subject: SLOUnderTest) -> IsolatedSLO:
    return IsolatedSLO(
        base_labels(subject),
        len(subject.slo.policy.tiers),
        subject.events,
        subject.counters if subject.fed else (),
        subject.counters,
        subject.selectors,
        subject.opaque,
        subject.lacks_good,
        subject.labels if subject.without_input else "",
    )


def plan_isolation(tenants: Sequence[IsolatedTenant]) -> Iterator[UnitTestFile]:
    """Plan the tests that no tenant's alerts fire for another's errors.

    Each tenant burns in a choice of the runs, of half of them, and no other tenant in the same. So
    any two tenants have each a run in which it burns and the other is silent; by Sperner's theorem
    fewer runs would not do. A thousand tenants take 13.
    """
    numbers = _numbers(tenants)
    choices = _choices(max(numbers, default=0) + 1)
    runs = sorted(set().union(*choices))
    if not runs:
        return
    run = _Run.of(tenants)
    for each in runs:
        yield UnitTestFile(
            naming.isolation_test_file(each),
            "That no tenant's alerts fire for another's errors",
            tuple(tenant.name for tenant in tenants),
            EVALUATION,
            tuple(group for tenant in tenants for group in tenant.groups),
            (run.test([each in choices[number] for number in numbers]),),
        )


def _choices(many: int) -> list[tuple[int, ...]]:
    """Choose for each of many half of the runs, of as few runs as there are choices enough."""
    runs = next(runs for runs in count() if comb(runs, runs // 2) >= many)
    return [*islice(combinations(range(runs), runs // 2), many)]


def _numbers(tenants: Sequence[IsolatedTenant]) -> list[int]:
    """Number the tenants; those whose queries read the same counters, as granted, share one."""
    readers = SelectorIndex(
        (index, slo.selectors) for index, tenant in enumerate(tenants) for slo in tenant.slos
    )
    sharing: list[set[int]] = [set() for _ in tenants]
    for index, tenant in enumerate(tenants):
        for reader in {at for slo in tenant.slos for one in slo.counted for at in readers.of(one)}:
            sharing[index].add(reader)
            sharing[reader].add(index)
    numbers: list[int] = []
    following = 0
    for index, others in enumerate(sharing):
        first = min(others | {index})
        numbers.append(numbers[first] if first < index else following)
        following = max(following, numbers[-1] + 1)
    return numbers


@dataclass(frozen=True, slots=True)
class _Feed:
    """A tenant's input series in a run where it burns, and in one where others do."""

    tenant: str
    tiers: int
    burning: InputSeries
    resting: InputSeries


@dataclass(frozen=True, slots=True)
class _Run:
    """What all isolation tests have in common: when they look, at what, and what they may feed."""

    at: Duration
    interval: Duration
    expr: str
    feeds: tuple[_Feed, ...]

    @staticmethod
    def of(tenants: Sequence[IsolatedTenant]) -> _Run:
        """Plan for these tenants."""
        settled = settled_after(max(tenant.longest_tile for tenant in tenants))
        waits = rounded(max(tenant.longest_wait for tenant in tenants), EVALUATION)
        at = rounded(settled, EVALUATION) + waits + EVALUATION
        # More samples than a tenant has are none too many for its rates, fewer would be none.
        interval = min(tenant.scrape for tenant in tenants)
        of_burn = f'alertname="{naming.ALERT_BURN}"'
        if any(tenant.renamed for tenant in tenants):
            of_burn = BURN
        fired = f'ALERTS{{alertstate="firing",{of_burn},{naming.ESCALATION}=""}}'
        inputless = (slo.inputless for own in tenants for slo in own.slos if slo.inputless)
        fired += without_inputless("ALERTS", inputless)
        expr = f"count by (tenant) (count by (tenant, service, slo, tier) ({fired}))"
        return _Run(at, interval, expr, tuple(_feeds(tenants, at, interval)))

    def test(self, burning: Sequence[bool]) -> UnitTest:
        """Write the test in which some of the tenants burn."""
        on_fire = [feed for feed, on in zip(self.feeds, burning, strict=True) if on]
        samples = tuple((f'{{tenant="{feed.tenant}"}}', str(feed.tiers)) for feed in on_fire)
        return UnitTest(
            f"only these tenants burn: {', '.join(feed.tenant for feed in on_fire)}",
            "",
            ("all of their tiers fire, and none of any other tenant's",),
            self.interval,
            (),
            (Check(self.at, self.expr, samples, "exactly the tenants that burn"),),
            tuple(
                feed.burning if on else feed.resting
                for feed, on in zip(self.feeds, burning, strict=True)
            ),
        )


def _feeds(tenants: Sequence[IsolatedTenant], at: Duration, interval: Duration) -> Iterator[_Feed]:
    """Write the input of each tenant; a series that several read is of the first of them."""
    opaque = SelectorIndex((slo.labels, slo.opaque) for own in tenants for slo in own.slos)
    written: set[str] = set()
    errors, good = stretch(at, Fraction(1)), stretch(at, Fraction(0))
    idle = stretch(at, Fraction(0), idle=True)
    for tenant in tenants:
        burning: dict[str, str] = {}
        resting: dict[str, str] = {}
        for slo in tenant.slos:
            # What a query makes of counters that were not derived is unknown: not fed to it.
            if slo.counters and not any(map(opaque.of, slo.counters)):
                for one in slo.counters:
                    name = str(one)
                    if name not in written:
                        written.add(name)
                        burning[name] = counter(one, (errors,), interval, slo.events)
                        resting[name] = counter(one, (good,), interval, slo.events)
                continue
            # A composite would count what the rule of a part records of events that are fed alone.
            rest = idle if slo.lacks_good else good
            pairs = (
                constant_pair(slo.labels, slo.events, segment, interval)
                for segment in (errors, rest)
            )
            for (name, values), (_, others) in zip(*pairs, strict=True):
                if name not in written:
                    written.add(name)
                    burning[name], resting[name] = values, others
        tiers = sum(slo.tiers for slo in tenant.slos)
        yield _Feed(tenant.name, tiers, tuple(burning.items()), tuple(resting.items()))
