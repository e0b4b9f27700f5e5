"""Which rules are evaluated again, in which order, and which samples do they read?

Rules are those of the target victoriametrics. A rule's hop is one after the last of the rules that
it reads: all rules of a hop can be evaluated at once, when those before it are recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import promql_parser as pp

from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.emit import victoriametrics
from slo_compiler.emit.hops import hops_of
from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.health import (
    ExclusionEndsAlert,
    RulesFailingAlert,
    StaleAlert,
    WatchdogAlert,
)
from slo_compiler.plan.reads import subject_of
from slo_compiler.plan.rule import (
    BaseSeries,
    Constant,
    ExclusionActive,
    ExclusionScheduled,
    PeriodStart,
    Slices,
    Tile,
)
from slo_compiler.plan.rules import Rule as PlannedRule
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import Identity
from slo_compiler.promql import Selector, parsed, selector_of, walk
from slo_compiler.render import Rule, tenant_rules

LOOK_BACK = Duration.of(minutes=5)
_SETTLING = Duration.of(hours=1)  # of what is not summed, before the first moment of interest
# Of the rules themselves: what happened to them is not in the history of the SLOs.
_LEFT_OUT = (StaleAlert, RulesFailingAlert, WatchdogAlert, ExclusionEndsAlert)
# What others sum over a window, and what that is joined with.
_SUMMED = (
    *(BaseSeries, Slices, Tile, Constant),
    *(ExclusionScheduled, ExclusionActive, PeriodStart),
)


@dataclass(frozen=True, slots=True)
class ReplayedRule:
    """A rule, how often it is evaluated, and whether others sum what it records."""

    rule: Rule
    interval: Duration
    summed: bool


@dataclass(frozen=True, slots=True)
class ReadSelector:
    """A selector of a tenant's queries, and the SLOs that read it."""

    text: str
    slos: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class BacktestScope:
    """All that is evaluated again for one state of the manifests."""

    slos: tuple[PlannedSLO, ...]
    hops: tuple[tuple[ReplayedRule, ...], ...]
    selectors: tuple[ReadSelector, ...]
    reach: Duration  # how far before the first moment the rules read
    lead: Duration  # how long before it the alerts are evaluated

    def interval_of(self, name: str, labels: Mapping[str, str]) -> Duration:
        """Return how often the rule is evaluated that a series of this name and labels is of."""
        found = (
            each.interval
            for hop in self.hops
            for each in hop
            if each.rule.name == name
            and all(labels.get(label) == value for label, value in each.rule.labels)
        )
        return max(found, default=LOOK_BACK)


def scope_of(
    tenants: Sequence[PlannedTenant], wanted: Collection[Identity], report: Report
) -> BacktestScope:
    """Choose the rules of some SLOs, and of the components of those that are composites.

    Raises:
        CompileError: MetricsQL lacks what one of them needs.
    """
    hops: dict[int, list[ReplayedRule]] = defaultdict(list)
    readers: dict[Selector, dict[Identity, None]] = {}
    slos: list[PlannedSLO] = []
    spans, query = [_SETTLING], LOOK_BACK
    for planned in tenants:
        named = _with_components(planned, wanted)
        kept = tuple(slo for slo in planned.slos if slo.identity in named)
        if not kept:
            continue
        if not victoriametrics.evaluable(replace(planned, slos=kept), report):
            continue
        slos += (slo for slo in kept if slo.identity in wanted)
        spans += _spans(kept)
        adapted = victoriametrics.adapted(planned)
        for rule, each, hop in _rules(adapted, named):
            hops[hop].append(each)
            if isinstance(rule, BaseSeries):
                query = max(query, _span(each.rule.expr))
                for selector in _selectors(each.rule.expr):
                    readers.setdefault(selector, {})[rule.slo.identity] = None
    report.raise_if_failed()
    names = {each.rule.name for hop in hops.values() for each in hop}
    waits = [each.rule.for_ for hop in hops.values() for each in hop if each.rule.for_]
    return BacktestScope(
        tuple(slos),
        tuple(tuple(hops[hop]) for hop in sorted(hops)),
        tuple(broadest({s: of for s, of in readers.items() if s.metric not in names})),
        max(spans) + query,
        max(waits, default=Duration(0)) + _SETTLING,
    )


def _with_components(planned: PlannedTenant, wanted: Collection[Identity]) -> set[Identity]:
    known = {slo.identity: slo for slo in planned.slos}
    found: set[Identity] = set()
    open_ = [identity for identity in known if identity in wanted]
    while open_:
        identity = open_.pop()
        if identity in found or identity not in known:
            continue
        found.add(identity)
        open_ += (part.identity for part in known[identity].components)
    return found


def _rules(
    planned: PlannedTenant, named: Collection[Identity]
) -> Iterator[tuple[PlannedRule, ReplayedRule, int]]:
    """Give the rules of some SLOs and those of all, without what is only for people."""
    texts = tenant_rules(planned)
    hops = hops_of(planned, texts)
    for group, text, hop in zip(planned.groups, texts.groups, hops, strict=True):
        for rule, rendered, number in zip(group.rules, text.rules, hop, strict=True):
            subject = subject_of(rule)
            if isinstance(rule, _LEFT_OUT) or (subject is not None and subject not in named):
                continue
            plain = replace(rendered, annotations=())  # they would query, which a replay cannot
            yield rule, ReplayedRule(plain, group.interval, isinstance(rule, _SUMMED)), number


def _spans(slos: Iterable[PlannedSLO]) -> Iterator[Duration]:
    for slo in slos:
        yield slo.resolved.period.longest
        yield slo.resolved.policy.pace_window
        yield from (tier.spec.long_window for tier in slo.tiers)


def _selectors(expr: str) -> Iterator[Selector]:
    for node in walk(parsed(expr)):
        if isinstance(node, pp.VectorSelector):
            yield selector_of(node)


def broadest(readers: Mapping[Selector, Iterable[Identity]]) -> Iterator[ReadSelector]:
    """Leave out selectors whose series another selects, too: the same metric, fewer matchers.

    Errors are mostly a part of all events, and need not be fetched twice.
    """
    found: dict[Selector, dict[Identity, None]] = {}
    for selector, of in sorted(readers.items(), key=lambda pair: len({*pair[0].matchers})):
        own = {*selector.matchers}
        wider = (s for s in found if s.metric == selector.metric and {*s.matchers} <= own)
        found.setdefault(next(wider, selector), {}).update(dict.fromkeys(of))
    for selector, names in sorted(found.items(), key=lambda pair: str(pair[0])):
        yield ReadSelector(str(selector), tuple(names))


def _span(expr: str) -> Duration:
    """Bound how far a query reads back: all its ranges and offsets together."""
    total = LOOK_BACK
    for node in walk(parsed(expr)):
        for name in ("range", "offset"):
            span = getattr(node, name, None)
            if isinstance(span, timedelta) and span > timedelta(0):
                total += Duration(round(span / timedelta(milliseconds=1)))
    return total
