"""How rule groups are split where an engine limits how many rules a group may have.

A rule reads what those before it in its group recorded in the same evaluation; from another group
it reads what is up to an evaluation older. So the two long groups, from base series to alerts, are
split by SLO: each part has all that the alerts of its SLOs read, and the windows' rules are written
once for each part, about the part's SLOs. What no alert of the group reads comes after the parts,
for all SLOs: burn rates and the time to exhaustion, which are then up to an evaluation older. All
parts together record the same series as the whole.

A part's SLOs are those of some services that have one of some names, which two matchers select.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.plan.rule import (
    BudgetExhaustion,
    ExclusionScheduled,
    GuardCount,
    WindowBurnRate,
)
from slo_compiler.plan.rules import PlannedGroup, PlannedTenant, Rule, Share, slo_of
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import Identity

_CHAINS = (naming.BASE_GROUP, naming.TILES_GROUP)
# Exclusions, too: in the parts, each SLO's has the calendar itself.
_LATE = (ExclusionScheduled, WindowBurnRate, BudgetExhaustion)
_Placed = tuple[int, Rule]  # its number in the chain
_Own = Mapping[Identity, Sequence[_Placed]]  # the rules about one SLO, of each
_Ties = Mapping[Identity, frozenset[Identity]]


def split_groups(planned: PlannedTenant, limit: int, report: Report) -> tuple[PlannedGroup, ...]:
    """Split a tenant's groups so that none has more than `limit` rules; 0 is no limit.

    An SLO that does not fit into a group of this size is an error in `report`.
    """
    found: list[PlannedGroup] = []
    parts = dict.fromkeys(group.part for group in planned.groups)
    for part in parts:
        groups = [group for group in planned.groups if group.part == part]
        if not limit or all(len(group.rules) <= limit for group in groups):
            found += groups
            continue
        rules = [rule for group in groups for rule in group.rules]
        chunks = (
            _split_chain(planned, rules, limit, report)
            if part in _CHAINS
            else ((chunk, None) for chunk in _chunks(rules, limit))
        )
        found += (
            PlannedGroup(
                naming.group(planned.name, part, number), part, groups[0].interval, chunk, share
            )
            for number, (chunk, share) in enumerate(chunks, start=1)
        )
    return tuple(found)


def _chunks(rules: Sequence[Rule], limit: int) -> Iterator[tuple[Rule, ...]]:
    for first in range(0, len(rules), limit):
        yield tuple(rules[first : first + limit])


def _split_chain(
    planned: PlannedTenant, rules: Sequence[Rule], limit: int, report: Report
) -> Iterator[tuple[tuple[Rule, ...], Share | None]]:
    """Give the parts of a chain, and then what no part reads."""
    late = [rule for rule in rules if isinstance(rule, _LATE)]
    shared: list[_Placed] = []
    own: dict[Identity, list[_Placed]] = {
        # What was recorded under an old name is in tiles and windows for as long as they last.
        id_: []
        for slo in planned.slos
        for id_ in (slo.identity, *((slo.former.old,) if slo.former else ()))
    }
    for place, rule in enumerate(rules):
        if not isinstance(rule, _LATE):
            slo = _about(rule)
            (own[slo.identity] if slo else shared).append((place, rule))
    for part in _parts(planned, own, limit, len(shared), report):
        found = sorted((*shared, *(each for id_ in part for each in own[id_])), key=_place)
        yield tuple(rule for _, rule in found), _share(part, own)
    for chunk in _chunks(late, limit):
        yield chunk, None


def _place(placed: _Placed) -> int:
    return placed[0]


def _about(rule: Rule) -> PlannedSLO | None:
    return rule.slo if isinstance(rule, GuardCount) else slo_of(rule)


def _parts(
    planned: PlannedTenant, own: _Own, limit: int, shared: int, report: Report
) -> Iterator[frozenset[Identity]]:
    """Fill parts with SLOs by service and name, as many as fit."""
    tied = _tied(planned, own)
    left = dict.fromkeys(sorted(own, key=lambda id_: (id_.service, id_.slo)))
    while left:
        part: frozenset[Identity] = frozenset()
        for id_ in left:
            if id_ in part:
                continue
            grown = _closed([*part, id_], own, tied)
            if not grown <= left.keys() or shared + _size(grown, own) > limit:
                break
            part = grown
        if not part:
            part = _closed([next(iter(left))], own, tied)
            _refuse(planned, part, own, (limit, shared), report)
        yield part
        for id_ in part:
            del left[id_]


def _size(ids: Iterable[Identity], own: _Own) -> int:
    return sum(len(own[id_]) for id_ in ids)


def _closed(ids: Iterable[Identity], own: _Own, tied: _Ties) -> frozenset[Identity]:
    """Add the SLOs that the two matchers of a part select, and those that theirs are made of."""
    found = frozenset(ids)
    while True:
        services, names = {id_.service for id_ in found}, {id_.slo for id_ in found}
        more = {id_ for id_ in own if id_.service in services and id_.slo in names}
        more = more.union(*(tied.get(id_, frozenset()) for id_ in found))
        if more <= found:
            return found
        found |= more


def _tied(planned: PlannedTenant, own: _Own) -> _Ties:
    """Give the SLOs that must be in one part: composites and components, new and old names.

    With them come those that their matchers select, whichever of all these a part begins with.
    """
    tied: dict[Identity, frozenset[Identity]] = {}
    for slo in planned.slos:
        together = {slo.identity, *(component.identity for component in slo.components)}
        if slo.former:
            together.add(slo.former.old)
        for id_ in together if len(together) > 1 else ():
            tied[id_] = tied.get(id_, frozenset()) | together
    while grown := [c for id_ in tied if not (c := _closed([id_], own, tied)) <= tied[id_]]:
        for closed in grown:
            for id_ in closed:
                tied[id_] = tied.get(id_, frozenset()) | closed
    return tied


def _share(part: frozenset[Identity], own: _Own) -> Share:
    services, names = {id_.service for id_ in part}, {id_.slo for id_ in part}
    whole = all(id_ in part for id_ in own if id_.service in services)
    return Share(tuple(sorted(services)), () if whole else tuple(sorted(names)))


def _refuse(
    planned: PlannedTenant,
    part: frozenset[Identity],
    own: _Own,
    sizes: tuple[int, int],
    report: Report,
) -> None:
    limit, shared = sizes
    slos = [slo for slo in planned.slos if slo.identity in part]
    first = next((slo for slo in slos if slo.components), slos[0])
    names = ", ".join(f"{slo.identity.service}/{slo.identity.slo}" for slo in slos)
    rules = _size(part, own)
    report.error(
        first.resolved.at("name"),
        "group-limit",
        f"the alerts of {names} need a group of {shared + rules} rules ({rules} of their own, "
        f"{shared} for windows), and a group may have {limit}",
        "let the organisation have larger groups (ruler_max_rules_per_rule_group), and name that "
        f"limit in the project: mimir: {{rules_per_group: {shared + rules}}}",
    )
