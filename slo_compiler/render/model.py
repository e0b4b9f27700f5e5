"""Rules as text: names, PromQL, labels and annotations, as they will be in a rule file."""

from __future__ import annotations

from dataclasses import dataclass

from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.plan.routing_ir import Pairs


@dataclass(frozen=True, slots=True)
class Rule:
    """A recording rule, or an alert if `alert`; `origin` is the manifest's line behind it."""

    name: str
    expr: str
    origin: Position
    labels: Pairs = ()
    annotations: Pairs = ()
    for_: Duration | None = None
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A rule group: its rules are evaluated in order, every `interval`.

    With an `offset`, which only vmalert knows, at this time after each whole interval.
    """

    name: str
    interval: Duration
    rules: tuple[Rule, ...]
    offset: Duration | None = None


@dataclass(frozen=True, slots=True)
class TenantRules:
    """All rule groups of one tenant."""

    tenant: str
    source: str  # the manifest's name in the repo
    groups: tuple[Group, ...]

    @property
    def alerts(self) -> tuple[Rule, ...]:
        """The alerting rules, in order."""
        return tuple(r for group in self.groups for r in group.rules if r.alert)
