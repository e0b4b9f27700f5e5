"""What is counted that was not before, or no longer: labels, isolation, queries, exclusions."""

from __future__ import annotations

import re

from slo_compiler.view.changes import ChangesOf, Danger
from slo_compiler.view.explain import Explanation
from slo_compiler.view.relations import ExclusionFacts
from slo_compiler.view.word_diff import word_diff

_RANGE = re.compile(r"\[[^\]\"]*\]|after=\"[^\"]*\"")
_BY = re.compile(r" by \([^)]*\)")
_EXCLUDED = re.compile(
    r"\*\s*\(\s*scalar\(\s*count\(\s*slo:exclusion:active\{[^}]*\}\s*\)\s*or vector\(0\)\s*\)"
    r"\s*== bool 0\s*\)"
)


def compare_counted(
    was: Explanation, now: Explanation, one: ChangesOf, *, other_ranges: bool = False
) -> None:
    """Compare what an SLO counts; what follows from one cause is one change."""
    if was.by != now.by:
        old, new = (", ".join(each.by) or "nothing" for each in (was, now))
        one.add(Danger.OTHER, f"by {new}, was {old}: recorded history does not carry over")
    isolation = [each.relations.isolation for each in (was, now)]
    matchers = [", ".join(each.matchers) if each else "" for each in isolation]
    if matchers[0] != matchers[1]:
        old, new = (each or "nothing" for each in matchers)
        one.add(Danger.OTHER, f"reads series with {new}, was {old}")
    elif _parts(was) == _parts(now):  # what follows from other matchers or parts is reported there
        _queries(was, now, one, other_ranges=other_ranges)
    _exclusions(was, now, one)


def _parts(slo: Explanation) -> list[tuple[str, str]]:
    return [(each.slo, each.weight) for each in slo.relations.parts]


def _queries(was: Explanation, now: Explanation, one: ChangesOf, *, other_ranges: bool) -> None:
    old_queries = dict(was.queries)
    excluded = [bool(each.relations.exclusions) for each in (was, now)]

    def remaining(text: str) -> str:
        """Leave out of a query what another change reports."""
        text = _RANGE.sub("[]", text) if other_ranges else text
        if was.by != now.by:
            text = re.sub(r"\s", "", _BY.sub("", text))
        if excluded[0] != excluded[1]:
            text = re.sub(r"[()\s]", "", _EXCLUDED.sub("", text))
        return text

    for name, text in now.queries:
        if name not in old_queries:
            continue
        before = _renamed(old_queries[name], was.slo, now.slo)
        if remaining(before) != remaining(text):
            one.add(Danger.OTHER, f"{name}: {word_diff(before, text)}")


def _renamed(text: str, old: str, new: str) -> str:
    """Write an expression with the new identity, so that a rename alone is no other query."""
    for label, before, after in zip(
        ("tenant", "service", "slo"), old.split("/"), new.split("/"), strict=True
    ):
        text = text.replace(f'{label}="{before}"', f'{label}="{after}"')
    return text


def _exclusions(was: Explanation, now: Explanation, one: ChangesOf) -> None:
    old, new = ({each.name: _when(each) for each in slo.relations.exclusions} for slo in (was, now))
    for name, when in new.items():
        if name not in old:
            one.add(Danger.LESS, f"is excluded by {name}: {when}")
        elif old[name] != when:
            one.add(Danger.LESS, f"is excluded by {name}: {word_diff(old[name], when)}")
    for name, when in old.items():
        if name not in new:
            one.add(Danger.MORE, f"is no longer excluded by {name}: {when}")


def _when(exclusion: ExclusionFacts) -> str:
    return f"{exclusion.when} {exclusion.location}"
