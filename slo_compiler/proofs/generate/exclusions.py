"""That nothing counts while an exclusion is active, missing data fire no alert, and then again.

Exclusions are years away from promtool's beginning of time, so that what is scheduled is fed here,
once for the tenant. When that is, is decided by constants in an expression, not by measurements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.exclusions import tail
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.proofs.generate.subject import SLOUnderTest, TestBatch, origins_of
from slo_compiler.proofs.generate.timeline import (
    CLEAN,
    GONE,
    MINUTE,
    Timeline,
    counters,
    rounded,
    stretch,
)
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.resolve.model import ResolvedTenant

BEFORE = MINUTE * 15


def excluded(tenant: ResolvedTenant, batch: TestBatch, timing: burn.Timing) -> Iterator[UnitTest]:
    """Give the tests of a round's SLOs that have exclusions, from their raw counters."""
    subjects = [s for s in batch.subjects if s.raw and tenant.exclusions_of(s.slo)]
    if subjects:
        batch = replace(batch, subjects=tuple(subjects))
        yield _counts_nothing(tenant, batch, timing)
        wait = min(slo.policy.spec.no_data_for for slo in tenant.slos)
        if batch.subjects[0].slo.live:
            yield _fires_nothing(tenant, batch, timing, wait)


def _counts_nothing(tenant: ResolvedTenant, batch: TestBatch, timing: burn.Timing) -> UnitTest:
    """Errors of a maintenance are no errors; those after it are."""
    windows = {s.name: min(tier_windows([s.slo])) for s in batch.subjects}
    lag = _lag(batch)
    again = rounded(max(windows.values()), MINUTE) + MINUTE * 3 + lag
    over = BEFORE + MINUTE * 30
    # The budget is there once a tile is.
    after = max(over, *(burn.period_tile(s.slo.period) for s in batch.subjects)) + MINUTE * 14
    after += lag
    end = after + MINUTE + again
    timeline = (
        stretch(BEFORE, CLEAN),
        stretch(over - BEFORE, Fraction(1)),
        stretch(after + MINUTE - over, CLEAN),
        stretch(again + MINUTE, Fraction(1)),
    )
    checks = []
    for subject in batch.subjects:
        for at, of, value, why in (
            (over - MINUTE, naming.EVENTS_RATE, 0, "no event counts while it is active"),
            (over - MINUTE, naming.ERRORS_RATE, 0, "no error counts while it is active"),
            (after, naming.error_ratio(windows[subject.name]), 0, "nor after it"),
            (after, naming.BUDGET_REMAINING, 1, "no budget pays for it"),
            (end, naming.error_ratio(windows[subject.name]), 1, "what comes later counts again"),
        ):
            query = f"count(abs({of}{{{subject.labels}}} - {value}) < 1e-9)"
            checks.append(Check(at, query, (("{}", "1"),), f"{subject.name}: {why}"))
        number = len(tenant.exclusions_of(subject.slo))
        active = f"count({naming.EXCLUSION_ACTIVE}{{{subject.labels}}})"
        why = f"{subject.name}: each exclusion of it is active"
        checks.append(Check(over - MINUTE, active, (("{}", str(number)),), why))
    others = (naming.ALERT_INTEGRITY, naming.ALERT_NO_DATA, naming.ALERT_STALE)
    for at in (over - MINUTE, over + MINUTE * 2, after):
        for subject in batch.subjects:
            names = dict.fromkeys(subject.burn_alert(t.name) for t in subject.slo.policy.tiers)
            silent = "|".join((*names, *others))
            expr = f'count(ALERTS{{alertname=~"{silent}",{subject.labels}}})'
            checks.append(Check(at, expr, (), f"{subject.name}: nothing fires for it"))
    return _test(
        tenant,
        f"{batch.names}: nothing counts while an exclusion is active",
        batch,
        dict.fromkeys((s.name for s in batch.subjects), timeline),
        over,
        checks,
        timing,
    )


def _fires_nothing(
    tenant: ResolvedTenant, batch: TestBatch, timing: burn.Timing, wait: Duration
) -> UnitTest:
    """Targets may be down while an exclusion is active, and not afterwards."""
    over = BEFORE + rounded(wait, MINUTE) + MINUTE * 15 + _lag(batch)
    fires = {
        s.name: rounded(over + tail(s.slo, timing), MINUTE) + rounded(wait, MINUTE)
        for s in batch.subjects
    }
    end = max(fires.values()) + MINUTE * 3
    timeline = (stretch(BEFORE, CLEAN), stretch(end - BEFORE, GONE))
    checks = [
        batch.alerts(at, f'alertname="{naming.ALERT_NO_DATA}",{subject.labels}', firing, why)
        for subject in batch.subjects
        for at, firing, why in (
            (over, [], f"gone for longer than {wait}, but excluded"),
            (fires[subject.name] - MINUTE, [], f"not yet gone for {wait} since"),
            (fires[subject.name] + MINUTE * 2, [subject], f"gone for {wait} after the exclusion"),
        )
    ]
    return _test(
        tenant,
        f"{batch.names}: data may be missing while an exclusion is active",
        batch,
        dict.fromkeys((s.name for s in batch.subjects), timeline),
        over,
        checks,
        timing,
    )


def _lag(batch: TestBatch) -> Duration:
    """Give how much later slices are seen than what is beneath them."""
    return max(s.slo.slices.slice * 2 if s.slo.slices else Duration(0) for s in batch.subjects)


def _test(
    tenant: ResolvedTenant,
    name: str,
    batch: TestBatch,
    timelines: Mapping[str, Timeline],
    over: Duration,
    checks: list[Check],
    timing: burn.Timing,
) -> UnitTest:
    interval = timing.scrape
    series: dict[str, str] = {}
    ends: dict[Duration, None] = {}
    for subject in batch.subjects:
        timeline = timelines[subject.name]
        for one, values in counters(subject, (), timeline, interval):
            series.setdefault(one, values)
        active = BEFORE, over + tail(subject.slo, timing)
        for one in _scheduled(tenant, subject, timing):
            series[one] = _values(active, interval)
        ends[active[1]] = None
    origin = origins_of(batch.subjects)
    after = "a base range" + (", and two slices," if _lag(batch).ms else "")
    why = (f"active from {BEFORE} to {', '.join(map(str, ends))}, {after} after the last error",)
    return UnitTest(name, origin, why, interval, tuple(series.items()), tuple(checks))


def _scheduled(tenant: ResolvedTenant, subject: SLOUnderTest, timing: burn.Timing) -> Iterator[str]:
    """Give the series of the exclusions of an SLO, as they are recorded for the tenant."""
    after = f'{naming.AFTER}="{tail(subject.slo, timing)}"'
    for exclusion in tenant.exclusions_of(subject.slo):
        name = f'{naming.EXCLUSION}="{exclusion.spec.name}"'
        yield f'{naming.EXCLUSION_SCHEDULED}{{{naming.TENANT}="{tenant.name}",{name},{after}}}'


def _values(active: tuple[Duration, Duration], interval: Duration) -> str:
    """Write ones from one sample to another, and the marker of a series that ends."""
    first, last = active[0].ms // interval.ms, -(-active[1].ms // interval.ms)
    return f"_x{first} 1x{last - first - 1} stale"
