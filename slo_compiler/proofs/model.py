"""The proofs of a plan as frozen data: unit tests of the rules, expected routes of the alerts."""

from __future__ import annotations

from dataclasses import dataclass

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan.routing_ir import Pairs


@dataclass(frozen=True, slots=True)
class ExpectedRoute:
    """Which receivers an alert must reach, by its labels, and which tiers inhibit it.

    A tier of the same SLO is named by itself, another SLO's by tenant/service/slo/tier.
    """

    labels: Pairs
    receivers: tuple[str, ...]
    hours: tuple[str, ...] = ()  # the time interval of each receiver, or nothing
    inhibited_by: tuple[str, ...] = ()
    origin: str = ""  # tenants/customer-b.yaml:26
    others: Pairs = ()  # further labels, of users and severities; no route reads them

    def is_inhibited_by(self, other: ExpectedRoute) -> bool:
        """Whether the manifests want it: by a tier of the same SLO and level, or of another SLO."""
        one, two = dict(self.labels), dict(other.labels)
        if naming.LONG_WINDOW not in two:
            return False  # it is no burn alert
        level = two.get(naming.ESCALATION)
        name = "/".join((*(two[label] for label in naming.IDENTITY), two[naming.TIER]))
        if name in self.inhibited_by and not level:
            return True
        same = (*naming.IDENTITY, naming.ESCALATION)
        return two[naming.TIER] in self.inhibited_by and all(
            one.get(label) == two.get(label) for label in same
        )

    @property
    def waits(self) -> bool:
        """Whether SLOs on which its own depends inhibit it."""
        return any("/" in name for name in self.inhibited_by)


@dataclass(frozen=True, slots=True)
class ExpectedHours:
    """Times at which a time interval must be active, or must not, in UTC."""

    name: str
    active_at: tuple[str, ...]
    silent_at: tuple[str, ...]
    holidays: str = ""  # the time interval that takes days out of it


@dataclass(frozen=True, slots=True)
class Check:
    """A query at a time, and the samples that it must give: labels and value."""

    at: Duration
    expr: str
    samples: tuple[tuple[str, str], ...]
    why: str


InputSeries = tuple[tuple[str, str], ...]  # names and values, as promtool reads them


@dataclass(frozen=True, slots=True)
class UnitTest:
    """One promtool test: input series and checks."""

    name: str
    origin: str  # the manifest's lines, printed by promtool with a failure
    why: tuple[str, ...]
    interval: Duration
    series: InputSeries
    checks: tuple[Check, ...]
    shared: tuple[InputSeries, ...] = ()  # further input, in parts that are in many tests


@dataclass(frozen=True, slots=True)
class UnitTestFile:
    """Tests that load the same rules, and evaluate them at one interval."""

    path: str
    title: str
    tenants: tuple[str, ...]
    evaluation: Duration
    groups: tuple[str, ...]
    tests: tuple[UnitTest, ...]
