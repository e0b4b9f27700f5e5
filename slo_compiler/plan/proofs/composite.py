"""That a composite is the weighted sum of its components, and not the mean of their ratios."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.manifest.sli.composite import Composite
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Check, UnitTest
from slo_compiler.plan.proofs.subject import Subject
from slo_compiler.plan.proofs.timeline import MINUTE


def composite_test(subject: Subject, subjects: Sequence[Subject]) -> Iterator[UnitTest]:
    """Components with other traffic and other errors each; then one of them without data."""
    body = subject.slo.spec.sli.body
    if not isinstance(body, Composite):
        return
    parts = [next(s for s in subjects if s.labels == labels) for labels in subject.parts]
    events = [Fraction(100 * number) for number in range(1, len(parts) + 1)]
    errors = [
        events[number] if part.lacks_good else Fraction((number + 1) ** 2)
        for number, part in enumerate(parts)
    ]
    weights = [Fraction(part.weight) for part in body.slos]
    at, gone = MINUTE * 5, MINUTE * 10
    series = []
    for number, part in enumerate(parts):
        by = "".join(f',{label}="proof"' for label in part.slo.by)
        labels = f'{{{part.labels}{by},proof="base"}}'
        rest = "stale" if number == 0 else "_x5"
        for name, value in (
            (naming.EVENTS_RATE, events[number]),
            (naming.ERRORS_RATE, None if part.lacks_good else errors[number]),
        ):
            if value is None:
                continue  # recorded by the part's own rule
            kept = f"{burn.literal(value)}x{5 if number == 0 else 10}"
            series.append((f"{name}{labels}", f"{kept} {rest}"))
    checks = []
    sums = []
    for name, counts in zip(subject.counted, (events, errors), strict=True):
        total = sum((w * c for w, c in zip(weights, counts, strict=True)), Fraction(0))
        sums.append(" + ".join(f"{w} * {c}" for w, c in zip(weights, counts, strict=True)))
        query = f"count(abs({name}{{{subject.labels}}} - {burn.literal(total)}) < 1e-9)"
        checks.append(Check(at, query, (("{}", "1"),), sums[-1]))
        missing = f"count({name}{{{subject.labels}}})"
        why = f"{parts[0].name} has no data, and so neither has the composite"
        checks.append(Check(gone, missing, (), why))
    yield UnitTest(
        f"{subject.name}: the weighted sum of its components",
        subject.origin,
        (f"errors {sums[1]} of events {sums[0]}, per second",),
        MINUTE,
        tuple(series),
        tuple(checks),
    )
