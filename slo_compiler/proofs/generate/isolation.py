"""That no tenant hears of another: all rules in one run, and some tenants burn."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import compress

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.proofs.generate.subject import Subject, selects, share
from slo_compiler.proofs.generate.timeline import (
    MINUTE,
    Segment,
    inputs,
    rounded,
    settled_after,
)
from slo_compiler.proofs.model import Check, UnitTest, UnitTestFile
from slo_compiler.render import TenantRules
from slo_compiler.resolve.model import ResolvedTenant

EVALUATION = MINUTE * 5  # of all rules of all tenants: few moments, because there are many rules


def plan_isolation(
    tenants: Sequence[ResolvedTenant],
    rules: Sequence[TenantRules],
    timings: Sequence[burn.Timing],
    subjects: Sequence[Sequence[Subject]],
) -> list[UnitTestFile]:
    """Plan the tests that no tenant hears of another: all rules in one run, some tenants burn.

    Each tenant has a number; in the run of a bit, those burn whose number has it, and in a second
    run those whose number has it not. Any two tenants differ in a bit, so that each is silent while
    the other burns, in 2 * log2(tenants) runs instead of one for each pair.
    """
    heard = [bool(tenant.live) for tenant in tenants]  # of shadows nobody hears anyway
    tenants = [*compress(tenants, heard)]
    rules, timings = [*compress(rules, heard)], [*compress(timings, heard)]
    subjects = [[s for s in own if not s.slo.shadow] for own in compress(subjects, heard)]
    numbers = _numbers(subjects)
    files = []
    for bit in range(max(numbers, default=0).bit_length()):
        tests = []
        for burning in (1, 0):
            on = [number >> bit & 1 == burning for number in numbers]
            tests.append(_isolation_test(tenants, subjects, on, timings, bit))
        files.append(
            UnitTestFile(
                naming.isolation_test_file(bit),
                "That no tenant's alerts fire for another's errors",
                tuple(tenant.name for tenant in tenants),
                EVALUATION,
                tuple(group.name for tenant in rules for group in tenant.groups),
                tuple(tests),
            )
        )
    return files


def _numbers(subjects: Sequence[Sequence[Subject]]) -> list[int]:
    """Number the tenants; those whose queries read the same counters, as granted, share one."""
    numbers: list[int] = []
    for index, own in enumerate(subjects):
        shared = (
            numbers[other]
            for other in range(index)
            if any(share(one, two) for one in own for two in subjects[other])
        )
        numbers.append(next(shared, max(numbers, default=-1) + 1))
    return numbers


def _isolation_test(
    tenants: Sequence[ResolvedTenant],
    subjects: Sequence[Sequence[Subject]],
    burning: Sequence[bool],
    timings: Sequence[burn.Timing],
    bit: int,
) -> UnitTest:
    tiers = [tier for own in subjects for s in own for tier in s.slo.policy.tiers]
    windows = tier_windows(s.slo for own in subjects for s in own)
    settled = settled_after(max(timing.longest_tile(windows) for timing in timings))
    waits = rounded(max(tier.for_ or Duration(0) for tier in tiers), EVALUATION)
    at = rounded(settled, EVALUATION) + waits + EVALUATION
    interval = max(timing.scrape for timing in timings)
    series: dict[str, str] = {}
    opaque = [one for own in subjects for subject in own for one in subject.opaque]
    for own, on in zip(subjects, burning, strict=True):
        for subject in own:
            # What a query makes of counters that nobody derived cannot be told: not fed to it.
            fed = subject.fed
            raw = fed is not None and not any(selects(opaque, one) for one in fed.series)
            # A composite would take in what the rule of a part says of events that are fed alone.
            idle = not on and not raw and subject.lacks_good
            timeline = (Segment(at, Fraction(1 if on else 0), idle=idle),)
            for one, values in inputs(subject, [], timeline, interval, raw=raw, decoys=False):
                series.setdefault(one, values)
    samples = tuple(
        (f'{{tenant="{tenant.name}"}}', str(sum(len(s.slo.policy.tiers) for s in own)))
        for tenant, own, on in zip(tenants, subjects, burning, strict=True)
        if on
    )
    expr = (
        "count by (tenant) (count by (tenant, service, slo, tier) (ALERTS{"
        f'alertstate="firing",alertname="{naming.ALERT_BURN}",{naming.ESCALATION}=""}}))'
    )
    names = [tenant.name for tenant, on in zip(tenants, burning, strict=True) if on]
    return UnitTest(
        f"only these tenants burn: {', '.join(names)}",
        "",
        (f"all of their tiers fire, and none of anybody else's (bit {bit})",),
        interval,
        tuple(series.items()),
        (Check(at, expr, samples, "exactly the tenants that burn"),),
    )
