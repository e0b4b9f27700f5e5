"""Which unit tests prove the alerts on budgets: they fire just below each bound, not just above.

At a constant error ratio e from the first sample on, every window and the period hold e. Of the
budget b, 1 - e / b is left, and at the pace of e that is spent in period * (b / e - 1). So
e = b * (1 - left) for a bound on what is left, e = b * period / (period + span) for one on the
pace. Of a calendar's period next to nothing is over when a test begins, so that no ratio spends its
budget; such SLOs stay clean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import budget_steps, exhaustion_steps
from slo_compiler.proofs.generate.subject import Round, Subject
from slo_compiler.proofs.model import Check
from slo_compiler.resolve.model import ResolvedTenant

Constant = tuple[str, dict[str, Fraction], list[Check], list[str]]

_PERCENT = Fraction(1, 100)
_DIGITS = 15  # of an error ratio: what it is rounded to is far less than what is tested


def budget_proofs(tenant: ResolvedTenant, round_: Round, at: Duration) -> Iterator[Constant]:
    """Give tests at constant error ratios: name, ratio of each SLO, what must fire, and why."""
    tested = [s for s in round_.subjects if not s.slo.period.calendar]
    if not tested or round_.shadow:
        return
    clean = {s.name: Fraction(0) for s in round_.subjects}
    budgets = {s.name: burn.error_budget(s.slo.objective) for s in tested}
    periods = {s.name: s.slo.period.nominal.ms for s in tested}
    bounds = [Fraction(percent) / 100 for percent in budget_steps(tenant)]
    # Never on another bound, where rounding would decide.
    near = min([_PERCENT, *((high - low) / 2 for high, low in pairwise(bounds))])
    for bound in bounds:
        for left, word in ((bound + near, "above"), (bound - near, "below")):
            rest = min(left, Fraction(1))
            shown = f"{burn.literal(rest * 100)}%"
            yield _constant(
                f"{round_.names}: just {word} {burn.literal(bound * 100)}% of the budget",
                clean | {name: budget * (1 - rest) for name, budget in budgets.items()},
                _low(round_, tested, tenant, at, rest),
                f"{shown} is left at e = budget * (1 - {shown})",
            )
    for span in exhaustion_steps(tenant):
        for part, word in ((1 + _PERCENT, "more"), (1 - _PERCENT, "less")):
            rest = span.ms * part
            yield _constant(
                f"{round_.names}: spent in a little {word} than {span}",
                clean | {n: budgets[n] * periods[n] / (periods[n] + rest) for n in budgets},
                _soon(round_, at, span, tested if part < 1 else ()),
                f"{burn.literal(part)} * {span} remain at e = budget * period / (period + that)",
            )


def _constant(name: str, ratios: dict[str, Fraction], check: Check, why: str) -> Constant:
    ratios = {subject: round(ratio, _DIGITS) for subject, ratio in ratios.items()}
    shown = [f"{subject}: e = {burn.literal(ratio)}" for subject, ratio in ratios.items()]
    return name, ratios, [check], [why, *shown]


def _low(
    round_: Round,
    tested: Sequence[Subject],
    tenant: ResolvedTenant,
    at: Duration,
    left: Fraction,
) -> Check:
    """Expect exactly the alerts of the bounds above what is left; at 0 % a spent budget fires."""
    bounds = [Fraction(percent) / 100 for percent in budget_steps(tenant)]
    firing = [b for b in bounds if left < b or left == b == 0]
    expr = (
        f'count by (service, slo, {naming.BUDGET_BELOW}) (ALERTS{{alertstate="firing",'
        f'alertname="{naming.ALERT_BUDGET_LOW}"}})'
    )
    samples = []
    for subject in tested:
        names = f'service="{subject.slo.spec.service}", slo="{subject.slo.spec.name}"'
        for bound in firing:
            shown = f"{burn.literal(bound * 100)}%"
            samples.append((f'{{{naming.BUDGET_BELOW}="{shown}", {names}}}', "1"))
    why = f"{burn.literal(left * 100)}% of the budget is left"
    return Check(at, expr + round_.others_only, tuple(samples), why)


def _soon(round_: Round, at: Duration, span: Duration, firing: Sequence[Subject]) -> Check:
    matchers = f'alertname="{naming.ALERT_EXHAUSTION}",{naming.EXHAUSTED_WITHIN}="{span}"'
    why = "the budget is spent sooner" if firing else "the budget lasts longer"
    return round_.alerts(at, matchers, firing, why)
