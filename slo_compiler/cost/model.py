"""The figures of a cost, what is assumed for them, and what a server was measured to take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from slo_compiler.plan.tenant import Identity
from slo_compiler.promql import Selector

Owner = Identity | None  # the SLO that something is for; None: all SLOs of a tenant

# Seconds that Prometheus 3.5 takes on one core of a virtual machine, fitted to what `make
# bench-eval` measures (docs/cost.md): a rule takes time before it has read anything; so does each
# series, until its chunks are found and decoded; and a step of a subquery, which is an evaluation.
SECONDS_A_RULE = 95e-6
SECONDS_A_SERIES = 11e-6
SECONDS_A_SAMPLE = 0.05e-6
SECONDS_A_STEP = 0.15e-6


@dataclass(frozen=True, slots=True)
class Assumed:
    """How many series there are that no manifest declares."""

    series: float = 1  # that a selector of an SLI matches
    values: float = 1  # that the labels in `by` of an SLI have, all together
    counted: Mapping[Selector, float] = field(default_factory=dict)  # as a server counts them
    combinations: Mapping[Identity, float] = field(default_factory=dict)  # as a server counts them

    def matched(self, selector: Selector) -> float:
        """Return how many raw series a selector matches."""
        return self.counted.get(selector, self.series)

    def combined(self, identity: Identity) -> float:
        """Return how many series of an SLO with `by` there are."""
        return self.combinations.get(identity, self.values)


NOTHING_KNOWN = Assumed()


@dataclass(slots=True)
class Load:
    """What evaluations read; `samples` are those that Prometheus counts as queryable.

    Of a subquery it counts the results, whatever their steps read; these reads are in `steps`.
    """

    samples: float = 0
    series: float = 0
    reads: float = 0  # samples of ranges, and of selectors that are evaluated once
    steps: float = 0  # samples that the steps of subqueries read

    @property
    def seconds(self) -> float:
        """Return the estimated time of the reads."""
        return (
            self.series * SECONDS_A_SERIES
            + self.reads * SECONDS_A_SAMPLE
            + self.steps * SECONDS_A_STEP
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What some rules cost: their number, the series they record, and what evaluation takes."""

    recording_rules: int = 0
    alerting_rules: int = 0
    groups: int = 0
    series: float = 0
    samples_per_second: float = 0
    cpu_ratio: float | None = 0  # seconds of a core per second; None where nothing was measured

    @property
    def rules(self) -> int:
        """Return how many rules there are."""
        return self.recording_rules + self.alerting_rules


def total(usages: Iterable[Usage]) -> Usage:
    """Add usages up."""
    each = [*usages]
    measured = all(usage.cpu_ratio is not None for usage in each)
    return Usage(
        **{
            one.name: sum(getattr(usage, one.name) for usage in each)
            for one in fields(Usage)
            if one.name != "cpu_ratio"
        },
        cpu_ratio=sum(usage.cpu_ratio or 0 for usage in each) if measured else None,
    )
