"""What does a change change for all tenants: settings of the project, inhibitions, tenants?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from slo_compiler import naming
from slo_compiler.view.changes import PROJECT, ChangesOf, Danger
from slo_compiler.view.explain import Explanation
from slo_compiler.view.state import ProjectState
from slo_compiler.view.word_diff import word_diff

_IN_ALL_RULES = frozenset({"prometheus", "severities", "health"})  # parts of the project file


def compare_project(was: ProjectState, now: ProjectState) -> ChangesOf:
    """Compare the project file's settings for all tenants, and what follows for all of them."""
    one = ChangesOf(PROJECT, now.at)
    for key in dict.fromkeys([*now.settings, *was.settings]):
        old, new = was.settings.get(key), now.settings.get(key)
        if old != new:
            one.add(Danger.OTHER, f"{key} {new or 'not set'}, was {old or 'not set'}")
    if was.base != now.base:
        one.add(Danger.OTHER, f"Alertmanager's base configuration: {word_diff(was.base, now.base)}")
    old_rules, new_rules = (_inhibitions(state) for state in (was, now))
    gone = [each for each in old_rules if each not in new_rules]
    added = [each for each in new_rules if each not in old_rules]
    if added or gone:
        words = [f"now {each}" for each in added] + [f"no longer {each}" for each in gone]
        one.add(Danger.OTHER, f"inhibitions: {'; '.join(words)}")
    return one


def in_all_rules(was: ProjectState, now: ProjectState) -> bool:
    """Return whether a setting changes that the texts of all tenants' rules follow from."""
    keys = was.settings.keys() | now.settings.keys()
    return any(
        was.settings.get(key) != now.settings.get(key)
        for key in keys
        if key.partition(".")[0] in _IN_ALL_RULES
    )


def _inhibitions(state: ProjectState) -> list[str]:
    """Describe those between windows; those of dependencies are reported with their SLOs."""
    names = {  # of severities, by their labels, whose change is one of the settings
        text: parts[1]
        for key, text in state.settings.items()
        if (parts := key.split("."))[0] == "severities" and parts[2:] in ([], ["label"])
    }
    found = []
    for rule in state.inhibitions:
        if not any(each.startswith(f"{naming.TENANT}=") for each in rule.source):
            source, target = (_words(side, names) for side in (rule.source, rule.target))
            found.append(f"{source} silences {target}")
    return found


def _words(matchers: Sequence[str], names: Mapping[str, str]) -> str:
    """Write the severities and windows that a side of an inhibition matches."""
    values = [each.partition("=")[2].strip('~"') for each in matchers if "!=" not in each]
    return " ".join("|".join(names.get(each, each) for each in v.split("|")) for v in values)


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
