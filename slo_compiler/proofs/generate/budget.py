"""Which unit tests prove the alerts on budgets: they fire just below each bound, not just above.

At a constant error ratio e from the first sample on, every window and the period have it. Of the
budget b, 1 - e / b is left, and at the pace of e that is spent in period * (b / e - 1). So
e = b * (1 - left) for a bound on what is left, e = b * period / (period + span) for one on the
pace. Of a calendar's period next to nothing is over when a test begins, so that no ratio spends its
budget; such SLOs stay clean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import budget_steps, exhaustion_steps
from slo_compiler.proofs.generate.figures import Figures
from slo_compiler.proofs.generate.step import TrafficStep
from slo_compiler.proofs.generate.subject import SLOUnderTest, TestBatch
from slo_compiler.proofs.model import Check
from slo_compiler.resolve.metadata import metadata_of
from slo_compiler.resolve.model import ResolvedTenant

_PERCENT = Fraction(1, 100)
_DIGITS = 15  # of an error ratio: what it is rounded to is far less than what is tested


def budget_steps_of(
    tenant: ResolvedTenant, batch: TestBatch, length: Duration
) -> Iterator[TrafficStep]:
    """Give the steps to each side of each bound, and the alerts that must fire there.

    Of SLOs with a calendar's period nothing is expected: they keep the ratio of an earlier step.
    """
    tested = [s for s in batch.subjects if not s.slo.period.calendar]
    if not tested or batch.shadow:
        return
    budgets = {s.figures: s.figures.budget for s in tested}
    periods = {s.figures: s.slo.period.nominal.ms for s in tested}
    bounds = [Fraction(percent) / 100 for percent in budget_steps(tenant)]
    # Never on another bound, where rounding would decide.
    near = min([_PERCENT, *((high - low) / 2 for high, low in pairwise(bounds))])
    for number, bound in enumerate(bounds, start=1):
        for left in (bound + near, bound - near):
            rest = min(left, Fraction(1))
            yield TrafficStep(
                1 - rest,
                length,
                _rounded({each: budget * (1 - rest) for each, budget in budgets.items()}),
                partial(_low, tenant, batch, tested, bound, rest, number),
            )
    for span in exhaustion_steps(tenant):
        for part in (1 + _PERCENT, 1 - _PERCENT):
            rest = span.ms * part
            paces = {each: period / (period + rest) for each, period in periods.items()}
            yield TrafficStep(
                min(paces.values()),
                length,
                _rounded({each: budgets[each] * pace for each, pace in paces.items()}),
                partial(_soon, tenant, batch, span, part, tested),
            )


def _rounded(ratios: dict[Figures, Fraction]) -> dict[Figures, Fraction]:
    return {each: round(ratio, _DIGITS) for each, ratio in ratios.items()}


def _low(
    tenant: ResolvedTenant,
    batch: TestBatch,
    tested: Sequence[SLOUnderTest],
    bound: Fraction,
    left: Fraction,
    number: int,
    at: Duration,
) -> Iterator[Check]:
    """Expect the alert of a bound below it, of none of the others; at 0 % a spent budget fires."""
    fires = left < bound
    percent = f"{burn.literal(bound * 100)}%"
    kind, names = f'alertname="{naming.ALERT_BUDGET_LOW}"', None
    of_bound = f'{kind},{naming.BUDGET_BELOW}="{percent}"'
    if batch.renamed:
        kind, of_bound = f'{naming.BUDGET_BELOW}!=""', f'{naming.BUDGET_BELOW}="{percent}"'
        names = _names(tenant, tested, naming.ALERT_BUDGET_LOW)
    why = f"{burn.literal(left * 100)}% of the budget is left: e = budget * (1 - that)"
    yield batch.alerts(at, of_bound, tested if fires else (), why, among=tested, names=names)
    if fires:
        why = f"and with it the {number} of all bounds from {percent} on, no other"
        yield batch.alerts(at, kind, tested, why, count=number, among=tested, names=names)


def _soon(
    tenant: ResolvedTenant,
    batch: TestBatch,
    span: Duration,
    part: Fraction,
    tested: Sequence[SLOUnderTest],
    at: Duration,
) -> Iterator[Check]:
    matchers, names = f'{naming.EXHAUSTED_WITHIN}="{span}"', None
    if batch.renamed:
        names = _names(tenant, tested, naming.ALERT_EXHAUSTION)
    else:
        matchers = f'alertname="{naming.ALERT_EXHAUSTION}",{matchers}'
    why = f"spent in {burn.literal(part)} * {span}: e = budget * period / (period + that)"
    firing = tested if part < 1 else ()
    yield batch.alerts(at, matchers, firing, why, among=tested, names=names)


def _names(tenant: ResolvedTenant, tested: Sequence[SLOUnderTest], default: str) -> dict[str, str]:
    """Name the alerts on the budgets of SLOs, by the SLOs' names."""
    severity = tenant.health_severities[-1]
    return {s.name: metadata_of(s.slo, severity).name or default for s in tested}
