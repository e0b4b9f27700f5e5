"""What a change of manifests changes, for whom: two states compared, the most dangerous first.

What is compared is what `explain` shows, which comes from the plan. So a change that moves no
threshold, route or query, such as one of order, is none. A rule or a route that changes without
any of these is reported as its text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from slo_compiler.view.changes import Change, ChangesOf, Danger, joined
from slo_compiler.view.diff_project import compare_project, in_all_rules, tenants_gone, tenants_new
from slo_compiler.view.diff_slo import compare_slo, introduced
from slo_compiler.view.diff_tenant import compare_tenant, unexplained
from slo_compiler.view.explain import Explanation
from slo_compiler.view.state import ProjectState


@dataclass(frozen=True, slots=True)
class CostChange:
    """What all rules cost before and after."""

    rules: tuple[int, int]
    samples_per_second: tuple[float, float]  # that evaluation reads


@dataclass(frozen=True, slots=True)
class Difference:
    """All that a change changes."""

    changes: Sequence[Change]
    cost: CostChange


def compare(old: ProjectState, new: ProjectState) -> Difference:
    """Compare two states of a project; the most dangerous changes come first."""
    both = [name for name in new.tenants if name in old.tenants]
    before, after = (
        {each.slo: each for each in state.slos if each.slo.partition("/")[0] in both}
        for state in (old, new)
    )
    found = [
        compare_project(old, new),
        *tenants_gone(old, new),
        *tenants_new(old, new),
        *_compare_slos(before, after, other_ranges=_scrape(old) != _scrape(new)),
    ]
    for name in both:
        found += compare_tenant(old.tenants[name], new.tenants[name])
    explained = {one.about for one in found if one.changes}
    if not in_all_rules(old, new):
        for name in both:
            found += unexplained(old.tenants[name], new.tenants[name], explained)
    return Difference(joined(found), _cost(old, new))


def _compare_slos(
    before: Mapping[str, Explanation], after: Mapping[str, Explanation], *, other_ranges: bool
) -> Iterator[ChangesOf]:
    slos = after.values()
    former = {_former(each): each.slo for each in slos if _former(each) in before.keys() - after}
    yield from _gone(before, after, former)
    for name, now in after.items():
        was = before.get(name) or before.get(_former(now))
        one = ChangesOf(name, now.at)
        if was is None:
            one.add(Danger.NEW, introduced(now))
        else:
            compare_slo(was, now, one, other_ranges=other_ranges)
        yield one


def _scrape(state: ProjectState) -> str | None:
    return state.settings.get("prometheus.scrape_interval")


def _former(slo: Explanation) -> str:
    return slo.relations.formerly.slo if slo.relations.formerly else ""


def _gone(
    before: Mapping[str, Explanation], after: Mapping[str, Explanation], former: Mapping[str, str]
) -> Iterator[ChangesOf]:
    for name, was in before.items():
        if name in after or name in former:
            continue
        one = ChangesOf(name, was.at)
        service, own = name.rpartition("/")[0], name.rpartition("/")[2]
        new = [other for other in after.keys() - before if other.rpartition("/")[0] == service]
        hint = f"; if it is {new[0]} now, formerly: {own} keeps its history" if new else ""
        alerts = "is gone, with its alerts" if was.tiers and not was.shadow else "is gone"
        one.add(Danger.LOST, alerts + hint)
        yield one


def _cost(old: ProjectState, new: ProjectState) -> CostChange:
    usages = [[tenant.usage for tenant in state.tenants.values()] for state in (old, new)]
    rules = [sum(each.rules for each in those) for those in usages]
    samples = [sum(each.samples_per_second for each in those) for those in usages]
    return CostChange((rules[0], rules[1]), (samples[0], samples[1]))
