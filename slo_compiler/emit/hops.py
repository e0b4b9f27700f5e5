"""Splits rule groups where a rule does not see what its own evaluation recorded.

A hop is what can be evaluated at once: a rule is in the hop after the last of the rules that it
reads. Each hop of a group is a group of its own, evaluated a while after the one before it, when
that one's samples can be read. What a rule reads of a group that the plan evaluates later is one
evaluation old everywhere, and costs no hop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.reads import Recorded, reads, subject_of
from slo_compiler.plan.rules import Rule as PlannedRule
from slo_compiler.render import Group, TenantRules

# Between two hops. A sample that was written can be read 3 to 4 s later, as measured with 1.145,
# and vmalert writes it up to half a second after its evaluation.
USUAL, LEAST = Duration.of(seconds=6), Duration.of(seconds=5)


@dataclass(frozen=True, slots=True)
class Misfit:
    """Hops that do not fit into the interval at which they are evaluated."""

    hops: int
    interval: Duration


def hops_of(tenant: PlannedTenant, rules: TenantRules) -> list[list[int]]:
    """Return the hop of each rule of each group, the first of which is 0."""
    recorded: dict[str, list[tuple[Recorded, int]]] = {}

    def hop_of(rule: PlannedRule) -> int:
        wanted = reads(tenant, rule)
        return max(
            (
                hop + 1
                for series in wanted
                for other, hop in recorded.get(series.name, ())
                if series.meets(other)
            ),
            default=0,
        )

    found = []
    for planned, group in zip(tenant.groups, rules.groups, strict=True):
        hops = []
        for rule, text in zip(planned.rules, group.rules, strict=True):
            hops.append(hop_of(rule))
            if not text.alert:
                series = Recorded(text.name, subject_of(rule))
                recorded.setdefault(text.name, []).append((series, hops[-1]))
        found.append(hops)
    return found


def split(rules: TenantRules, hops: Sequence[Sequence[int]]) -> TenantRules | Misfit:
    """Split groups into their hops, each with its offset; or return which of them do not fit."""
    last = {
        group.interval: max(
            max(each)
            for other, each in zip(rules.groups, hops, strict=True)
            if other.interval == group.interval
        )
        for group in rules.groups
    }
    spans = {interval: interval // (hop + 1) for interval, hop in last.items()}
    tightest = min(spans, key=lambda interval: spans[interval])
    if spans[tightest] < LEAST:
        return Misfit(last[tightest] + 1, tightest)
    apart = min(USUAL, Duration(spans[tightest].ms // 1000 * 1000))
    groups = (
        part
        for group, each in zip(rules.groups, hops, strict=True)
        for part in _parts(group, each, apart)
    )
    return replace(rules, groups=tuple(groups))


def _parts(group: Group, hops: Sequence[int], apart: Duration) -> Iterator[Group]:
    for number, hop in enumerate(sorted({*hops}), start=1):
        rules = (rule for rule, own in zip(group.rules, hops, strict=True) if own == hop)
        yield Group(naming.hop(group.name, number), group.interval, tuple(rules), apart * hop)
