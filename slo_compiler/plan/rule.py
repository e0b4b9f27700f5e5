"""The rules that a tenant gets, as typed values: what each is for, and not yet how it is written.

Labels, annotations and PromQL are made of them when they are rendered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.plan.slo import PlannedSLO, PlannedTier
from slo_compiler.resolve.exclusions import ResolvedExclusion


class Counted(StrEnum):
    """What a series counts."""

    EVENTS = "events"
    ERRORS = "errors"


class Fact(Enum):
    """What is constant for an SLO."""

    OBJECTIVE = "objective"
    ERROR_BUDGET = "error budget"
    INFO = "info"
    SLOTH_INFO = "info of Sloth"
    SLOTH_DAYS = "days of the period, of Sloth"
    PYRRA_OBJECTIVE = "objective of Pyrra"
    PYRRA_WINDOW = "seconds of the period, of Pyrra"


@dataclass(frozen=True, slots=True)
class Constant:
    """A fact about an SLO, as a series."""

    slo: PlannedSLO
    fact: Fact


@dataclass(frozen=True, slots=True)
class ExclusionScheduled:
    """1 while an exclusion of a tenant is active, and for a while `after` each end.

    Decision: the expression of a calendar is long, so that it is once in a tenant's file and not
    once for each SLO. SLOs copy its result in the same group and evaluation. They do not read it
    where they count: `slo:exclusion:active` has the labels of an SLO, by which alerts join it.
    """

    exclusion: ResolvedExclusion
    after: Duration


@dataclass(frozen=True, slots=True)
class ExclusionActive:
    """1 while an exclusion of an SLO is active: the copy of what is scheduled."""

    slo: PlannedSLO
    exclusion: ResolvedExclusion
    after: Duration


@dataclass(frozen=True, slots=True)
class BaseSeries:
    """Events or errors per second of an SLO; of its SLI, where its budget is one of slices.

    Errors that are made of events read what the same evaluation recorded as events, unless `raw`:
    then they count the events once more.
    """

    slo: PlannedSLO
    counted: Counted
    sliced: bool = False  # whether slices are made of it
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Slices:
    """Slices, or bad slices, per second."""

    slo: PlannedSLO
    counted: Counted


@dataclass(frozen=True, slots=True)
class Tile:
    """Events or errors of each tile."""

    counted: Counted
    length: Duration


@dataclass(frozen=True, slots=True)
class GuardCount:
    """An SLO's events or errors in a window, for the guards of its alerts in the same group.

    One SLO's, and not all of the tenant's: a window that reads the base series is a subquery, of
    720 steps in 6h. It counts twice in promtool, which allows a query 10,000 samples.

    `taken`: a tile or a period of the tenant is as long. Its series has the same name, is evaluated
    later, and leaves old names out or is summed again.
    """

    slo: PlannedSLO
    counted: Counted
    window: Duration
    taken: bool


@dataclass(frozen=True, slots=True)
class WindowRatio:
    """Error ratios of a window."""

    window: Duration


@dataclass(frozen=True, slots=True)
class WindowBurnRate:
    """Burn rates of a window."""

    window: Duration


@dataclass(frozen=True, slots=True)
class BudgetExhaustion:
    """Seconds until the budget is spent, at the pace of now."""


@dataclass(frozen=True, slots=True)
class PeriodStart:
    """When a calendar's period began."""

    period: Period


@dataclass(frozen=True, slots=True)
class PeriodElapsed:
    """How much of a calendar's period is over."""

    period: Period


@dataclass(frozen=True, slots=True)
class PeriodCount:
    """Events or errors of periods that share a name: months may begin at different times."""

    counted: Counted
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class PeriodRatio:
    """Error ratios of a period."""

    period: Period


@dataclass(frozen=True, slots=True)
class BudgetRemaining:
    """What is left of the budgets: of each series, or of the `whole` of an SLO with `by`."""

    whole: bool = False


@dataclass(frozen=True, slots=True)
class SlothRatio:
    """Error ratios of a window or a period, as Sloth calls them, of the SLOs with its names."""

    span: Duration | Period


@dataclass(frozen=True, slots=True)
class SlothCurrentBurn:
    """Burn rates of the shortest window, as Sloth calls them."""


@dataclass(frozen=True, slots=True)
class SlothBudget:
    """Burn rates of the period, or what is `left` of the budgets, as Sloth calls them."""

    left: bool


class PyrraReading(Enum):
    """What a series of Pyrra records of an SLO."""

    AVAILABILITY = "availability"
    REQUESTS = "requests"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class PyrraSeries:
    """A series of one SLO, as Pyrra calls it."""

    slo: PlannedSLO
    reading: PyrraReading


@dataclass(frozen=True, slots=True)
class PyrraBurnRate:
    """Error ratios of a window of one SLO, as Pyrra calls them: after the metric of its events."""

    slo: PlannedSLO
    window: Duration


ForeignRule = SlothRatio | SlothCurrentBurn | SlothBudget | PyrraSeries | PyrraBurnRate
RecordingRule = (
    Constant
    | ExclusionScheduled
    | ExclusionActive
    | BaseSeries
    | Slices
    | Tile
    | GuardCount
    | WindowRatio
    | WindowBurnRate
    | BudgetExhaustion
    | PeriodStart
    | PeriodElapsed
    | PeriodCount
    | PeriodRatio
    | BudgetRemaining
    | ForeignRule
)


@dataclass(frozen=True, slots=True)
class ShadowAlert:
    """The series in place of a shadow SLO's alert."""

    slo: PlannedSLO
    tier: PlannedTier


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """The alert of a tier; level 1 fires first, each further one after another wait."""

    slo: PlannedSLO
    tier: PlannedTier
    level: int = 1

    @property
    def other_labels(self) -> Pairs:
        """Labels that users put on it, and those of its severity, which users cannot replace."""
        own = {**self.slo.labels, **self.tier.metadata.labels, **self.tier.severity.labels}
        return tuple(sorted(own.items()))

    @property
    def for_(self) -> Duration | None:
        """How long the condition is true before the alert fires."""
        wait = self.tier.spec.for_
        if self.level == 1:
            return wait
        return (wait or Duration(0)) + self.tier.waits[self.level - 2]
