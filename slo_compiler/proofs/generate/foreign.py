"""That readers of another tool find each SLO by its names there, with the values that it has."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import PlannedTenant, burn
from slo_compiler.plan.compat import ForeignNames
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.proofs.generate.run import unit_test
from slo_compiler.proofs.generate.subject import SLOUnderTest, TestBatch
from slo_compiler.proofs.generate.timeline import MINUTE, Timeline, rounded, stretch
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.schema.compat import CompatTool
from slo_compiler.templating import promql_string

_SHARE = Fraction(1, 4)  # of the budget's pace


def foreign_test(
    planned: PlannedTenant, batch: TestBatch, evaluation: Duration
) -> Iterator[UnitTest]:
    """Plan a test of a round's SLOs that have names for readers of another tool."""
    found = [
        (subject, slo, slo.foreign)
        for subject in batch.subjects
        for slo in planned.slos
        if slo.resolved is subject.slo and slo.foreign is not None and not subject.without_input
    ]
    if not found:
        return
    tiles = [planned.timing.longest_tile(tier_windows(slo.resolved for _, slo, _ in found))]
    tiles += [burn.period_tile(slo.resolved.period) for _, slo, _ in found]
    at = rounded(max(tiles) * 2 + MINUTE * 5, evaluation)
    checks: list[Check] = []
    timelines: dict[str, Timeline] = {}
    for subject, slo, names in found:
        ratio = slo.error_budget * _SHARE
        timelines[subject.name] = (stretch(at + MINUTE, ratio),)
        checks += _checks(at, subject, slo, names, ratio)
    only = TestBatch(tuple(subject for subject, _, _ in found), (), ())
    name = f"{only.names}: readers of other tools find the same"
    why = ["a quarter of the budget's pace from the start, so that each window has the same ratio"]
    yield unit_test(name, only, timelines, checks, planned.timing, why)


def _checks(
    at: Duration, subject: SLOUnderTest, slo: PlannedSLO, names: ForeignNames, ratio: Fraction
) -> Iterator[Check]:
    of_sloth = names.tool is CompatTool.SLOTH
    wanted = _sloth(slo, ratio) if of_sloth else _pyrra(slo, names, ratio)
    labels = dict(names.sloth_labels) if of_sloth else {naming.SLO: names.slo}
    selected = _selector({naming.TENANT: slo.identity.tenant, **labels})
    for series, value in wanted:
        expr = f"abs({series}{selected} / {burn.literal(value)} - 1) < 1e-6"
        why = f"{series} of {subject.name} is {burn.literal(value)}"
        yield Check(at, f"count({expr})", (("{}", "1"),), why)
    if not of_sloth and not slo.by:
        both = f"{naming.PYRRA_ERRORS}{selected} / {naming.PYRRA_REQUESTS}{selected}"
        expr = f"count(abs({both} / {burn.literal(ratio)} - 1) < 1e-6)"
        yield Check(at, expr, (("{}", "1"),), f"of the requests, {burn.literal(ratio)} fail")
    if names.slo != slo.identity.slo:
        series, _ = next(iter(wanted))
        label = naming.SLOTH_SLO if of_sloth else naming.SLO
        own = _selector({naming.TENANT: slo.identity.tenant, label: slo.identity.slo})
        yield Check(at, f"{series}{own}", (), "the tool's own rules record that name")


def _sloth(slo: PlannedSLO, ratio: Fraction) -> list[tuple[str, Fraction]]:
    period, pace = slo.resolved.period, ratio / slo.error_budget
    names = [*map(naming.sloth_ratio, sorted(tier_windows([slo.resolved])))]
    names.append(naming.sloth_ratio(period))
    return [
        *((name, ratio) for name in names),
        (naming.SLOTH_CURRENT_BURN, pace),
        (naming.SLOTH_PERIOD_BURN, pace),
        (naming.SLOTH_REMAINING, 1 - pace),
        (naming.OBJECTIVE, burn.objective_ratio(slo.resolved.objective)),
        (naming.ERROR_BUDGET, slo.error_budget),
        (naming.SLOTH_DAYS, Fraction(period.nominal.ms, 86_400_000)),
        (naming.SLOTH_INFO, Fraction(1)),
    ]


def _pyrra(slo: PlannedSLO, names: ForeignNames, ratio: Fraction) -> list[tuple[str, Fraction]]:
    burns = [
        (naming.pyrra_burn_rate(names.metric, window), ratio)
        for window in sorted(tier_windows([slo.resolved]))
    ]
    if slo.by:
        return burns
    return [
        *burns,
        (naming.PYRRA_AVAILABILITY, 1 - ratio),
        (naming.PYRRA_OBJECTIVE, burn.objective_ratio(slo.resolved.objective)),
        (naming.PYRRA_WINDOW, Fraction(slo.resolved.period.nominal.ms, 1000)),
    ]


def _selector(labels: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}={promql_string(value)}" for name, value in labels.items()) + "}"
