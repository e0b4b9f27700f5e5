"""Policies, SLOs and tenants as the plan reads them: complete, with nothing left to look up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.resolve.exclusions import ResolvedExclusion
from slo_compiler.resolve.inherit import Inherited
from slo_compiler.resolve.steps import Escalation, ResolvedChannel, ResolvedStep
from slo_compiler.schema import (
    SLO,
    Alerting,
    Budgeting,
    PolicySpec,
    Tier,
    Timeslices,
)
from slo_compiler.schema.severity import BY_DEFAULT, SeverityLevel
from slo_compiler.source import Document, Loc, SourceFile

__all__ = ["Policy", "ResolvedChannel", "ResolvedSLO", "ResolvedStep", "ResolvedTenant"]


RECORDED = "recorded"  # the stage of an SLO without alerts


@dataclass(frozen=True, slots=True)
class Policy:
    """An alert policy, and its place."""

    name: str
    spec: PolicySpec
    document: Document
    loc: Loc
    omitted: frozenset[int] = frozenset()  # tiers that can never fire for an SLO, by their index
    # Alerts of the policy, most urgent first; without those that can never fire.
    tiers: tuple[Tier, ...] = field(init=False, repr=False, compare=False)
    # Its burn rate gives the time to exhaustion: the shortest long window.
    pace_window: Duration = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kept = (tier for n, tier in enumerate(self.spec.tiers) if n not in self.omitted)
        object.__setattr__(self, "tiers", tuple(kept))
        pace = min(tier.long_window for tier in self.spec.tiers)
        object.__setattr__(self, "pace_window", pace)

    @property
    def builtin(self) -> bool:
        """Whether it came with the compiler, so that its user cannot edit it."""
        return self.document.path.startswith("<builtin>")

    def at(self, *path: str | int) -> Position:
        """Place of a part of the policy; tiers are counted as `tiers` has them."""
        if self.omitted and path[:1] == ("tiers",) and len(path) > 1:
            kept = [n for n in range(len(self.spec.tiers)) if n not in self.omitted]
            path = ("tiers", kept[int(path[1])], *path[2:])
        return self.document.locate((*self.loc, *path))


@dataclass(frozen=True, slots=True)
class ResolvedSLO:
    """One SLO with its defaults applied."""

    spec: SLO
    objective: Decimal  # percent
    period: Period
    policy: Policy
    document: Document
    loc: Loc
    inherited: Inherited
    template: SourceFile | None = None
    unread: bool = False  # its SLI has findings, and a stand-in is in its place

    @property
    def alerting(self) -> Alerting:
        """What the SLO or its defaults set for its alerts."""
        return self.inherited.alerting

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of the alerts and of slo_info, those of the tenant among them."""
        return {name: label.value for name, label in self.inherited.labels.items()}

    def at(self, *path: str | int) -> Position:
        """Place of a part of the SLO; its name is where the tenant declares it."""
        if path == ("name",):
            return self.document.declared(self.loc)
        return self.document.locate((*self.loc, *path))

    @property
    def by(self) -> tuple[str, ...]:
        """Labels that distinguish the series of this SLO."""
        return tuple(self.spec.sli.body.by)

    @property
    def sources(self) -> tuple[str, ...]:
        """What the queries call the labels of `by`, in the same order."""
        by = self.spec.sli.body.by
        return tuple(by.values()) if isinstance(by, dict) else tuple(by)

    @property
    def renames(self) -> tuple[tuple[str, str], ...]:
        """Labels of `by` that the queries call otherwise: the new name and the old one."""
        return tuple(
            (new, old) for new, old in zip(self.by, self.sources, strict=True) if new != old
        )

    def at_by(self, label: str) -> Position:
        """Place of a label of `by`."""
        by = self.spec.sli.body.by
        step = label if isinstance(by, dict) else by.index(label)
        return self.at("sli", self.spec.sli.body.KIND, "by", step)

    @property
    def slices(self) -> Timeslices | None:
        """How its time is sliced, if its budget is one of slices and not of events."""
        budgeting = self.spec.budgeting
        return budgeting.timeslices if isinstance(budgeting, Budgeting) else None

    @property
    def recorded_only(self) -> bool:
        """Whether it has no alerts: its ratios and its budget are recorded, and that is all."""
        return self.inherited.recorded_only

    @property
    def shadow(self) -> bool:
        """Whether its alerts are only recorded, and notify no channel."""
        return self.spec.stage == "shadow" and not self.recorded_only

    @property
    def live(self) -> bool:
        """Whether it has alerts that notify channels."""
        return not self.shadow and not self.recorded_only

    @property
    def stage(self) -> str:
        """The stage of its alerts in `slo_info`."""
        return RECORDED if self.recorded_only else self.spec.stage

    @property
    def tiers(self) -> Sequence[Tier]:
        """The tiers that alert."""
        return () if self.recorded_only else self.policy.tiers


@dataclass(frozen=True, slots=True, eq=False)  # a key by identity: to compare its parts takes long
class ResolvedTenant:
    """One tenant, ready to plan."""

    name: str
    owner: str
    labels: Mapping[str, str]
    matchers: Mapping[str, str]
    isolating: frozenset[str]  # labels of all tenants' matchers: no query may write one
    slos: tuple[ResolvedSLO, ...]
    steps: tuple[ResolvedStep, ...]
    document: Document
    source: SourceFile
    exclusions: tuple[ResolvedExclusion, ...] = ()
    levels: Sequence[SeverityLevel] = BY_DEFAULT  # the project's severities, most urgent first
    # IDs of findings that may only follow from others, because its document has some.
    uncertain: frozenset[str] = frozenset()
    health: str | None = None  # the project's severity of alerts on data and rules
    runbooks: str | None = None  # the project's page of what to do for alerts on data and rules
    scrape: Duration | None = None  # of its metrics, where that is not the project's
    escalation: Escalation = field(init=False, repr=False, compare=False)  # the steps, sorted

    def __post_init__(self) -> None:
        object.__setattr__(self, "escalation", Escalation.of(self.steps))

    @property
    def position(self) -> Position:
        """Where the tenant is named."""
        return self.document.locate(("metadata", "name"))

    @property
    def severities(self) -> tuple[str, ...]:
        """Severities that are routed, the most urgent first.

        One that only shadow SLOs have counts where a step waits for their promotion.
        """
        waiting = _severities(self.slos) & {step.spec.severity for step in self.steps}
        health = {self.health} if self.live else set()
        return self._most_urgent_first(_severities(self.live) | waiting | health)

    @property
    def all_severities(self) -> tuple[str, ...]:
        """Severities of all SLOs' policies, the most urgent first."""
        return self._most_urgent_first(_severities(self.slos))

    @property
    def health_severities(self) -> tuple[str, ...]:
        """Severities of the alerts on the rules and the data, the most urgent first.

        The project may choose the first, whatever it is; the last is that of alerts on a budget's
        rest. Shadow SLOs do not make them more urgent; they matter only where nothing is live.
        """
        live = self._most_urgent_first(_severities(self.live))
        if live and self.health is not None:
            return (self.health, live[-1])
        return live or self.severities or (self.levels[-1].name,)

    @property
    def live(self) -> tuple[ResolvedSLO, ...]:
        """The SLOs whose alerts notify."""
        return tuple(slo for slo in self.slos if slo.live)

    def exclusions_of(self, slo: ResolvedSLO) -> tuple[ResolvedExclusion, ...]:
        """Return the exclusions that apply to an SLO."""
        identity = slo.spec.service, slo.spec.name
        return tuple(each for each in self.exclusions if each.holds_for(*identity))

    def level(self, severity: str) -> SeverityLevel:
        """The project's level of a severity; if it lacks one, which is an error, an empty level."""
        known = (level for level in self.levels if level.name == severity)
        return next(known, SeverityLevel(severity, severity, {}))

    def _most_urgent_first(self, found: set[str | None]) -> tuple[str, ...]:
        return tuple(level.name for level in self.levels if level.name in found)


def _severities(slos: Sequence[ResolvedSLO]) -> set[str | None]:
    return {tier.severity for slo in slos for tier in slo.policy.spec.tiers}
