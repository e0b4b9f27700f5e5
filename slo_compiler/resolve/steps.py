"""A tenant's steps, sorted once by the alerts that they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.resolve.hours import OpenHours
from slo_compiler.schema import Channel, Step


@dataclass(frozen=True, slots=True)
class ResolvedChannel:
    """A channel, and the place of its name."""

    spec: Channel
    position: Position


@dataclass(frozen=True, slots=True)
class ResolvedStep:
    """One step of an escalation, its names looked up."""

    spec: Step
    channels: tuple[ResolvedChannel, ...]
    hours: OpenHours | None
    position: Position


Steps = tuple[ResolvedStep, ...]


@dataclass(frozen=True, slots=True)
class EscalationLevel:
    """The alerts of a severity that fire after one wait, and the steps for them."""

    severity: str
    number: int = 1  # 1 fires first
    wait: Duration | None = None  # none of level 1
    steps: Steps = ()


@dataclass(frozen=True, slots=True)
class BudgetStep:
    """The alerts on a budget of which less than a percentage is left, and the steps for them."""

    percent: Decimal
    steps: Steps


@dataclass(frozen=True, slots=True)
class ExhaustionStep:
    """The alerts on a budget that is spent within a span, and the steps for them."""

    within: Duration
    steps: Steps


@dataclass(frozen=True, slots=True)
class Escalation:
    """All steps of a tenant, by their alerts; those of the same alerts stay in their order."""

    budgets: tuple[BudgetStep, ...]  # highest percentage first
    exhaustions: tuple[ExhaustionStep, ...]  # longest span first
    by_severity: Mapping[
        str, tuple[EscalationLevel, ...]
    ]  # level 1 first, whether it has steps or not

    def levels(self, severity: str) -> tuple[EscalationLevel, ...]:
        """Return the levels of a severity; there is always the first."""
        return self.by_severity.get(severity) or (EscalationLevel(severity),)

    def budget(self, percent: Decimal) -> BudgetStep:
        """Return the steps below a percentage."""
        return next(step for step in self.budgets if step.percent == percent)

    def exhaustion(self, within: Duration) -> ExhaustionStep:
        """Return the steps within a span."""
        return next(step for step in self.exhaustions if step.within == within)

    @classmethod
    def of(cls, steps: Sequence[ResolvedStep]) -> Escalation:
        """Sort steps by their alerts."""
        budgets: dict[Decimal, list[ResolvedStep]] = {}
        exhaustions: dict[Duration, list[ResolvedStep]] = {}
        waits: dict[str, dict[Duration | None, list[ResolvedStep]]] = {}
        for step in steps:
            spec = step.spec
            if spec.budget_below is not None:
                budgets.setdefault(spec.budget_below, []).append(step)
            elif spec.exhausted_within is not None:
                exhaustions.setdefault(spec.exhausted_within, []).append(step)
            elif spec.severity is not None:
                by_wait = waits.setdefault(spec.severity, {None: []})
                by_wait.setdefault(spec.firing_for or None, []).append(step)
        return cls(
            tuple(BudgetStep(p, tuple(budgets[p])) for p in sorted(budgets, reverse=True)),
            tuple(
                ExhaustionStep(span, tuple(exhaustions[span]))
                for span in sorted(exhaustions, reverse=True)
            ),
            {severity: _levels(severity, by_wait) for severity, by_wait in waits.items()},
        )


def _levels(
    severity: str, by_wait: Mapping[Duration | None, Sequence[ResolvedStep]]
) -> tuple[EscalationLevel, ...]:
    ordered = [None, *sorted(wait for wait in by_wait if wait is not None)]
    return tuple(
        EscalationLevel(severity, number, wait, tuple(by_wait[wait]))
        for number, wait in enumerate(ordered, start=1)
    )
