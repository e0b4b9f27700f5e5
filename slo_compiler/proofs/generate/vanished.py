"""That a value of `by` which vanishes is reported, for as long as the look-back, and no other."""

from __future__ import annotations

from collections.abc import Sequence

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.tenant import periods_of
from slo_compiler.plan.vanished import look_back
from slo_compiler.proofs.generate.subject import SLOUnderTest, base_labels, names_of, origins_of
from slo_compiler.proofs.generate.timeline import MINUTE, rounded
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.resolve.model import ResolvedTenant

LONGEST = Duration.of(days=1)  # the end of a longer look-back would need a longer test


def vanished_tests(
    tenant: ResolvedTenant,
    subjects: Sequence[SLOUnderTest],
    evaluation: Duration,
    timing: burn.Timing,
) -> list[UnitTest]:
    """Plan the tests of SLOs with `by`, if one of them has the alert.

    Those that switched it off, and shadows, are fed alike, and nothing fires for them.
    """
    several = [subject for subject in subjects if subject.slo.by]
    withins = {s.name: within for s in several if (within := look_back(s.slo)) is not None}
    if not withins:
        return []
    wait = min(slo.policy.spec.no_data_for for slo in tenant.slos)
    tile = min(map(burn.period_tile, periods_of(tenant)))
    # A tile is recorded at the slow rules' next step.
    goes = rounded(tile + timing.slow * 2, evaluation)
    early = goes + Duration((wait.ms - 1) // evaluation.ms * evaluation.ms)
    late = goes + rounded(wait, evaluation) + evaluation
    # The last tile that contains an event, and the step that records it.
    lingers = rounded(tile + timing.slow * 2, evaluation) + evaluation
    firing = [s for s in several if s.name in withins]
    checks = [
        _check(several, goes - evaluation, [], "all values are there"),
        _check(several, early, [], f"not yet gone for {wait}"),
        _check(several, late, firing, f"gone for {wait}, and the other value is not"),
    ]
    for within in sorted({w for w in withins.values() if w <= LONGEST}):
        last = goes + Duration((within.ms - 1) // evaluation.ms * evaluation.ms)
        over = goes + rounded(within, evaluation) + lingers
        for at, why in ((last, f"still within {within}"), (over, f"longer ago than {within}")):
            left = [s for s in firing if goes + withins[s.name] > at]
            # Not while one of another look-back is about to end.
            ended = (goes + withins[s.name] + lingers <= at for s in firing if s not in left)
            if at > late and all(ended):
                checks.append(_check(several, at, left, why))
    checks.sort(key=lambda check: check.at)
    tests = [_test(several, "a value of by vanishes", "other", goes, checks)]
    # What has a value without any input is never gone as a whole.
    ending = [subject for subject in several if not subject.without_input]
    if ending:
        checks = [_check(several, late, [], "all are gone: that is missing data")]
        tests.append(_test(ending, "no value of by vanishes where all do", "gone", goes, checks))
    return tests


def _test(
    several: Sequence[SLOUnderTest], name: str, other: str, goes: Duration, checks: Sequence[Check]
) -> UnitTest:
    """Feed rates of two values, and of the SLO as it was without labels, which ends as one does."""
    ends = f"1x{goes.ms // MINUTE.ms - 1} stale"
    whole = ends if other == "gone" else f"1x{checks[-1].at.ms // MINUTE.ms}"
    series = {}
    for subject in several:
        for labels, values in (
            (base_labels(subject, "gone"), ends),
            (base_labels(subject, "other"), whole),
            (f'{subject.labels},proof="base"', ends),
        ):
            series[f"{naming.EVENTS_RATE}{{{labels}}}"] = values
    return UnitTest(
        f"{names_of(several)}: {name}",
        origins_of(several),
        (f"series end at {goes}; one without labels is from before the SLO had by",),
        MINUTE,
        tuple(series.items()),
        tuple(checks),
    )


def _check(
    several: Sequence[SLOUnderTest], at: Duration, firing: Sequence[SLOUnderTest], why: str
) -> Check:
    by = sorted({label for subject in several for label in subject.slo.by})
    labels = ", ".join(("service", "slo", *by))
    fired = f'ALERTS{{alertname="{naming.ALERT_VANISHED}",alertstate="firing"}}'
    samples = []
    for subject in firing:
        own = {"service": subject.slo.spec.service, "slo": subject.slo.spec.name}
        own |= dict.fromkeys(subject.slo.by, "gone")
        inner = ", ".join(f'{name}="{value}"' for name, value in own.items())
        samples.append((f"{{{inner}}}", "1"))
    return Check(at, f"count by ({labels}) ({fired})", tuple(samples), why)
