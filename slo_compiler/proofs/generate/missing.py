"""No traffic, no data, and counters that are not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.proofs.generate.run import unit_test
from slo_compiler.proofs.generate.subject import (
    TestBatch,
    alike,
    names_of,
)
from slo_compiler.proofs.generate.timeline import (
    CLEAN,
    GONE,
    MINUTE,
    Timeline,
    down,
    stretch,
    up,
)
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.resolve.model import ResolvedTenant

_MATCHER = f'alertname="{naming.ALERT_NO_DATA}"'


def missing_tests(
    tenant: ResolvedTenant, batch: TestBatch, timing: burn.Timing
) -> Iterator[UnitTest]:
    """No traffic is not missing data; missing series are, those of the others notwithstanding."""
    idle = MINUTE * 15
    wait = min(slo.policy.spec.no_data_for for slo in tenant.slos)
    # A rate needs two samples: it ends when the last but one leaves the base range.
    lingers = timing.base_range - timing.scrape * 2
    fires = Fraction(idle.ms) + wait.ms
    end = up(fires + lingers.ms + 2 * MINUTE.ms, MINUTE)
    stays: Timeline = (stretch(end + MINUTE, CLEAN, idle=True),)
    goes: Timeline = (stretch(idle, CLEAN, idle=True), stretch(end - idle + MINUTE, GONE))
    # The SLOs of other rounds are not fed, and have no data.
    alone = len(batch.subjects) == len(tenant.slos)
    infos = " or ".join(f"{naming.INFO}{{{one.labels}}}" for one in batch.subjects)
    only = "" if alone else f" and on (service, slo) ({infos})"
    # What has a value without any input is never without data.
    ending = [subject for subject in batch.subjects if not subject.without_input]
    for missing in (ending[0::2], ending[1::2]):
        if not missing:
            continue
        names = {s.name for s in missing}
        gone = missing if missing[0].slo.live else []
        silent = "recorded only" if batch.recorded_only else "a shadow"
        fed = all(s.fed for s in missing)
        yield unit_test(
            f"{names_of(missing)}: silent without traffic, "
            + ("an alert without data" if gone else f"and without data: {silent}"),
            batch,
            {s.name: goes if s.name in names else stays for s in batch.subjects},
            [
                _no_data(batch.alerts(at, _MATCHER, firing, why), only)
                for at, firing, why in (
                    (idle, [], "no traffic, but the series are there"),
                    (
                        down(fires + (lingers.ms if fed else 0) - MINUTE.ms, MINUTE),
                        [],
                        f"not yet gone for {wait}",
                    ),
                    (end, gone, f"gone for {wait}, and the others are not"),
                )
            ],
            timing,
            [f"series end at {idle}, and a range of {timing.base_range} holds two for {lingers}"],
            about=missing,
        )


def _no_data(check: Check, only: str) -> Check:
    return replace(check, expr=check.expr + only)


def absent_tests(batch: TestBatch, timing: burn.Timing) -> Iterator[UnitTest]:
    """An errors counter that was never born is no errors; missing good events are all errors."""
    at = MINUTE * 5
    counted = [s for s in batch.subjects if s.fed and s.fed.fills_in]
    if not counted:
        return
    ratios = {s.name: Fraction(0 if s.fed and s.fed.counts_errors else 1) for s in counted}
    batch = replace(batch, subjects=tuple(counted))
    wanted = (
        (s, (naming.error_ratio(min(tier_windows([s.slo]))), burn.literal(ratios[s.name])))
        for s in counted
    )
    checks = [
        batch.measured(at, series, f"{{}} == {ratio}", group, f"{names} has a ratio all the same")
        for (series, ratio), group, names in alike(wanted)
    ]
    timelines: dict[str, Timeline] = {
        s.name: (stretch(at + MINUTE, ratios[s.name]),) for s in counted
    }
    yield unit_test(
        f"{names_of(counted)}: a counter that is not there yet",
        batch,
        timelines,
        checks,
        timing,
        without_part=True,
    )
