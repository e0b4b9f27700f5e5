"""Which unit tests prove a tenant's alerts, in one file for each evaluation interval."""

from __future__ import annotations

from collections.abc import Sequence

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import PlannedTenant, burn
from slo_compiler.proofs.generate.batches import batches_of
from slo_compiler.proofs.generate.burst import burst_test
from slo_compiler.proofs.generate.by import plan_by
from slo_compiler.proofs.generate.calendar import EVALUATION, plan_boundaries
from slo_compiler.proofs.generate.composite import composite_test
from slo_compiler.proofs.generate.exclusions import excluded
from slo_compiler.proofs.generate.foreign import foreign_test
from slo_compiler.proofs.generate.guards import plan_guards
from slo_compiler.proofs.generate.missing import absent_tests, missing_tests
from slo_compiler.proofs.generate.renames import renamed
from slo_compiler.proofs.generate.slices import slice_test
from slo_compiler.proofs.generate.steady import EVALUATION as STEADY
from slo_compiler.proofs.generate.steady import steady_tests
from slo_compiler.proofs.generate.subject import SLOUnderTest, groups_of
from slo_compiler.proofs.generate.sums import sum_tests
from slo_compiler.proofs.generate.timeline import MINUTE
from slo_compiler.proofs.generate.values import value_test
from slo_compiler.proofs.generate.vanished import vanished_tests
from slo_compiler.proofs.model import UnitTest, UnitTestFile
from slo_compiler.schema import Tier

FAST_UP_TO = Duration.of(hours=1)


def plan_proofs(
    planned: PlannedTenant, subjects: Sequence[SLOUnderTest], *, vast: bool = True
) -> list[UnitTestFile]:
    """Plan the unit tests of a tenant, in one file for each evaluation interval.

    Those of all bounds in one test count up to 10^60 events: without `vast`, they are left out.
    """
    tenant, timing = planned.resolved, planned.timing
    tests: dict[Duration, list[UnitTest]] = {}
    by_labels = {subject.labels: subject for subject in subjects}
    for batch in batches_of(subjects):
        if vast:
            tests.setdefault(STEADY, []).extend(steady_tests(tenant, batch, timing))
        for group, tier in groups_of(batch):
            evaluation = _evaluation(tier)
            test = burst_test(tenant, batch, group, tier, evaluation, timing)
            tests.setdefault(evaluation, []).append(test)
        tests.setdefault(MINUTE, []).extend(missing_tests(tenant, batch, timing))
        tests[MINUTE].extend(absent_tests(batch, timing))
        for subject in batch.subjects:
            tests[MINUTE].extend(value_test(subject, timing))
            tests[MINUTE].extend(sum_tests(subject, timing))
            tests[MINUTE].extend(slice_test(subject, timing))
            tests[MINUTE].extend(composite_test(tenant, subject, by_labels))
        tests[MINUTE].extend(excluded(tenant, batch, timing))
        tests[MINUTE].extend(renamed(tenant, batch, timing))
        tests[MINUTE].extend(foreign_test(planned, batch, MINUTE))
    tests[MINUTE].extend(plan_guards(subjects, timing))
    tests[MINUTE].extend(plan_by(subjects, timing))
    vanished = vanished_tests(tenant, subjects, STEADY, timing)
    tests.setdefault(STEADY, []).extend(vanished)
    for test in plan_boundaries(subjects):
        tests.setdefault(EVALUATION, []).append(test)
    groups = tuple(group.name for group in planned.groups)
    return [
        UnitTestFile(
            naming.unit_test_file(tenant.name, evaluation),
            f"When each alert of {tenant.name} fires, and when it does not",
            (tenant.name,),
            evaluation,
            groups,
            tuple(found),
        )
        for evaluation, found in sorted(tests.items())
        if found or vast
    ]


def _evaluation(tier: Tier) -> Duration:
    """Choose how often all rules are evaluated: a long window needs a coarse clock."""
    if tier.long_window <= FAST_UP_TO:
        return MINUTE
    return MINUTE * (5 if tier.long_window <= burn.TILED_ABOVE else 60)
