"""That a renamed SLO keeps its history, and that nothing of it counts twice.

The old name's base pair ends where the new one's begins. Tiles take a base sample at each step, at
the beginning of time too; those before the change are old.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.renames import rename_of
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.proofs.generate.subject import SLOUnderTest, TestBatch
from slo_compiler.proofs.generate.timeline import CLEAN, GONE, MINUTE, inputs, rounded, stretch
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.templating import promql_string


def renamed(tenant: ResolvedTenant, batch: TestBatch, timing: burn.Timing) -> Iterator[UnitTest]:
    """Give a test for each SLO of a round that continues another's history."""
    for subject in batch.subjects:
        rename = rename_of(tenant, subject.slo)
        if rename is not None:
            labels = ",".join(f"{k}={promql_string(v)}" for k, v in rename.old.labels)
            # The tiles of a window are not whole minutes, at which they are seen here.
            rough = subject.slo.period.nominal in tier_windows(tenant.slos)
            within = "0.1" if rough and not subject.slo.period.calendar else "0.000001"
            yield _continues(subject, replace(subject, labels=labels), timing, within)


def _continues(new: SLOUnderTest, old: SLOUnderTest, timing: burn.Timing, within: str) -> UnitTest:
    tile = burn.period_tile(new.slo.period)
    half = rounded(max(MINUTE * 60, tile * 2), tile)
    end = half * 2 - tile
    budget = burn.error_budget(new.slo.objective)
    ratio = budget / 2
    step = timing.base_step
    share = _old_share(new.slo.period, half, end, step)
    checks = [_near(end, naming.error_ratio(new.slo.period), new, ratio * share, within)]
    if not new.slo.period.calendar:
        checks.append(_near(end, naming.BUDGET_REMAINING, new, 1 - share / 2, within))
    checks += [
        _near(half + MINUTE, naming.error_ratio(window), new, ratio, "0.1")
        for window in sorted(tier_windows([new.slo]))
        if MINUTE * 60 <= window <= burn.TILED_ABOVE
    ]
    series = [
        *inputs(old, (), (stretch(half, ratio), stretch(half, GONE)), MINUTE, raw=False),
        *inputs(new, (), (stretch(half, GONE), stretch(half, CLEAN)), MINUTE, raw=False),
    ]
    why = (
        f"until {half} the old name, with errors at {burn.literal(ratio)}; then the new, with none",
        "starts from the base pair",
    )
    return UnitTest(
        f"{new.name}: the history of the old name counts, and none of it twice",
        new.origin,
        why,
        MINUTE,
        tuple(series),
        tuple(checks),
    )


def _old_share(period: Period, half: Duration, end: Duration, step: Duration) -> Fraction:
    """Return how much of a period's events at `end` was counted under the old name."""
    tile, lag = burn.period_tile(period).ms, burn.tile_lag(period).ms
    start = period.bounds(end.ms // 1000)[0] * 1000 if period.calendar else -1
    ends = [at - lag for at in range(0, end.ms + 1, tile) if at - lag > start]
    samples = [at for e in ends if e >= 0 for at in _multiples(step.ms, e - tile, e)]
    return Fraction(sum(at < half.ms for at in samples), len(samples))


def _multiples(step: int, after: int, until: int) -> range:
    """Give the multiples of a step after one moment, and up to another; none is below 0."""
    return range(max(0, after // step * step + step), until + 1, step)


def _near(at: Duration, series: str, subject: SLOUnderTest, value: Fraction, within: str) -> Check:
    expr = f"abs({series}{{{subject.labels}}} / {burn.literal(value)} - 1) < bool {within}"
    why = f"{series} of {subject.name} is {burn.literal(value)}"
    return Check(at, f"count({expr} == 1)", (("{}", "1"),), why)
