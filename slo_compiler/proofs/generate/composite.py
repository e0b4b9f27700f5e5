"""That a composite is the weighted sum of its components, and not the mean of their ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.plan import burn
from slo_compiler.plan.composite import excluded_alone
from slo_compiler.proofs.generate.subject import SLOUnderTest, base_labels
from slo_compiler.proofs.generate.timeline import MINUTE
from slo_compiler.proofs.model import Check, UnitTest
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema.sli.composite import Composite

_OUTWEIGHS = 10**12


def composite_test(
    tenant: ResolvedTenant, subject: SLOUnderTest, subjects: Mapping[str, SLOUnderTest]
) -> Iterator[UnitTest]:
    """Components with other traffic and other errors each; then one of them without data.

    Where an exclusion is for a component and not for the composite, that one is away for it.
    """
    body = subject.slo.spec.sli.body
    if not isinstance(body, Composite):
        return
    parts = [subjects[labels] for labels in subject.parts]
    events = [Fraction(100 * number) for number in range(1, len(parts) + 1)]
    errors = [
        events[number] if part.lacks_good else Fraction((number + 1) ** 2)
        for number, part in enumerate(parts)
    ]
    weights = [Fraction(part.weight) for part in body.slos]
    rough = any(part.without_input for part in parts)
    if rough:  # what those have by themselves is less than a billionth of this
        events, errors = ([count * _OUTWEIGHS for count in counts] for counts in (events, errors))
    at, gone = MINUTE * 5, MINUTE * 10
    # A part that has a value without any input is never without data.
    ending = next((n for n, part in enumerate(parts) if not part.without_input), None)
    series: list[tuple[str, str]] = []
    for number, part in enumerate(parts):
        values = "x5 stale" if number == ending else "x10 _x5"
        series += _fed(part, events[number], errors[number], values)
    checks = []
    sums = []
    for name, counts in zip(subject.counted, (events, errors), strict=True):
        check = _sums_to(subject, name, weights, counts, rough=rough)
        sums.append(check.why)
        checks.append(check)
        if ending is None:
            continue
        missing = f"count({name}{{{subject.labels}}})"
        why = f"{parts[ending].name} has no data, and so neither has the composite"
        checks.append(Check(gone, missing, (), why))
    yield UnitTest(
        f"{subject.name}: the weighted sum of its components",
        subject.origin,
        (f"errors {sums[1]} of events {sums[0]}, per second",),
        MINUTE,
        tuple(series),
        tuple(checks),
    )
    for away, part in enumerate(parts):
        if not excluded_alone(tenant, subject.slo, part.slo):
            continue
        rest = [number for number in range(len(parts)) if number != away]
        active = f'{naming.EXCLUSION_ACTIVE}{{{part.labels},{naming.EXCLUSION}="proof"}}'
        yield UnitTest(
            f"{subject.name}: goes on while {part.name} is excluded and without data",
            subject.origin,
            (f"at {at} it is the weighted sum of the others",),
            MINUTE,
            (
                (active, "1x10"),
                *(one for n in rest for one in _fed(parts[n], events[n], errors[n], "x10")),
            ),
            tuple(
                _sums_to(
                    subject,
                    name,
                    [weights[n] for n in rest],
                    [counts[n] for n in rest],
                    rough=rough,
                )
                for name, counts in zip(subject.counted, (events, errors), strict=True)
            ),
        )


def _fed(
    part: SLOUnderTest, events: Fraction, errors: Fraction, values: str
) -> Iterator[tuple[str, str]]:
    """Give a component's series; errors that its own rule records are not fed."""
    labels = f"{{{base_labels(part)}}}"
    yield f"{naming.EVENTS_RATE}{labels}", f"{burn.literal(events)}{values}"
    if not part.lacks_good:
        yield f"{naming.ERRORS_RATE}{labels}", f"{burn.literal(errors)}{values}"


def _sums_to(
    subject: SLOUnderTest,
    name: str,
    weights: Sequence[Fraction],
    counts: Sequence[Fraction],
    *,
    rough: bool,
) -> Check:
    pairs = [*zip(weights, counts, strict=True)]
    total = sum((weight * count for weight, count in pairs), Fraction(0))
    query = f"count(abs({name}{{{subject.labels}}} - {burn.literal(total)}) < 1e-9)"
    if rough:
        query = f"count(abs({name}{{{subject.labels}}} / {burn.literal(total)} - 1) < 1e-9)"
    why = " + ".join(f"{weight} * {count}" for weight, count in pairs)
    return Check(MINUTE * 5, query, (("{}", "1"),), why)
