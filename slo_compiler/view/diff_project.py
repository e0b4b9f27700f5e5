"""What does a change change for all tenants: settings of the project, inhibitions, tenants?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler import naming
from slo_compiler.plan.routing_ir import Inhibition
from slo_compiler.view.changes import PROJECT, ChangesOf, Danger
from slo_compiler.view.explain import Explanation
from slo_compiler.view.state import ProjectState
from slo_compiler.view.word_diff import word_diff


def compare_project(was: ProjectState, now: ProjectState) -> ChangesOf:
    """Compare what the project file says of all tenants, and what follows for all of them."""
    one = ChangesOf(PROJECT, now.at)
    for key in dict.fromkeys([*now.settings, *was.settings]):
        old, new = was.settings.get(key), now.settings.get(key)
        if old != new:
            one.add(Danger.OTHER, f"{key} {new or 'not set'}, was {old or 'not set'}")
    if was.base != now.base:
        one.add(Danger.OTHER, f"Alertmanager's base configuration: {word_diff(was.base, now.base)}")
    old_rules, new_rules = (_inhibitions(state.inhibitions) for state in (was, now))
    gone = [each for each in old_rules if each not in new_rules]
    added = [each for each in new_rules if each not in old_rules]
    if added or gone:
        words = [f"now {each}" for each in added] + [f"no longer {each}" for each in gone]
        one.add(Danger.OTHER, f"inhibitions: {'; '.join(words)}")
    return one


def _inhibitions(rules: Sequence[Inhibition]) -> list[str]:
    """Describe those between windows; those of dependencies are told with their SLOs."""
    found = []
    for rule in rules:
        if not any(each.startswith(f"{naming.TENANT}=") for each in rule.source):
            source, target = (
                " ".join(each.partition("=")[2].strip('~"') for each in side if "!=" not in each)
                for side in (rule.source, rule.target)
            )
            found.append(f"{source} silences {target}")
    return found


def tenants_gone(was: ProjectState, now: ProjectState) -> Iterator[ChangesOf]:
    """Report tenants that are gone, each as one change."""
    for name, tenant in was.tenants.items():
        if name not in now.tenants:
            one = ChangesOf(name, tenant.at)
            one.add(Danger.LOST, f"is gone, with {_slos(was.slos, name)} and all alerts")
            yield one


def tenants_new(was: ProjectState, now: ProjectState) -> Iterator[ChangesOf]:
    """Report tenants that are new, each as one change."""
    for name, tenant in now.tenants.items():
        if name not in was.tenants:
            one = ChangesOf(name, tenant.at)
            one.add(Danger.NEW, f"is new, with {_slos(now.slos, name)}")
            yield one


def _slos(slos: Sequence[Explanation], tenant: str) -> str:
    names = [each.slo.partition("/")[2] for each in slos if each.slo.startswith(f"{tenant}/")]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004
    return f"{len(names)} SLO{'s' if len(names) != 1 else ''} ({shown})"
