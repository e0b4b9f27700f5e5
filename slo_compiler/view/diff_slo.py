"""What does a change change of one SLO?"""

from __future__ import annotations

from slo_compiler.view.changes import ChangesOf, Danger
from slo_compiler.view.diff_counted import compare_counted
from slo_compiler.view.diff_routes import channels_of, compare_receivers
from slo_compiler.view.diff_tiers import CAUSES, compare_tiers
from slo_compiler.view.explain import Explanation
from slo_compiler.view.word_diff import word_diff

_GUARDS = ("min_errors", "min_events")  # are compared tier by tier


def introduced(now: Explanation) -> str:
    """Describe an SLO that is new."""
    values = {value.key: value.value for value in now.values}
    kind = "shadow, " if now.shadow else "recorded only, " if now.recorded_only else ""
    return f"is new: {kind}{values['objective']} over {values['period']}"


def compare_slo(
    was: Explanation, now: Explanation, one: ChangesOf, *, other_ranges: bool = False
) -> None:
    """Compare two states of an SLO, whether it was renamed or not.

    Args:
        was: the SLO before.
        now: the SLO after.
        one: takes the changes.
        other_ranges: whether all ranges of queries change, because the project's setting did.
    """
    if was.slo != now.slo:
        one.add(Danger.WORDS, f"was {was.slo}, whose history it keeps")
    _history(was, now, one)
    _stages(was, now, one)
    compare_tiers(was, now, one)
    compare_receivers(was, now, one)
    compare_counted(was, now, one, other_ranges=other_ranges)
    _related(was, now, one)
    _words(was, now, one)


def _history(was: Explanation, now: Explanation, one: ChangesOf) -> None:
    """Compare from which earlier names the history is counted."""
    old, new = (each.relations.formerly for each in (was, now))
    if old and not new:
        one.add(Danger.OTHER, f"no longer counts the history of {old.slo}")
    elif new and new.slo != was.slo and (not old or old.slo != new.slo):
        one.add(Danger.OTHER, f"counts the history of {new.slo}, too")


def _stage(slo: Explanation) -> str:
    return "shadow" if slo.shadow else "recorded only" if slo.recorded_only else "live"


def _stages(was: Explanation, now: Explanation, one: ChangesOf) -> None:
    old, new = _stage(was), _stage(now)
    if old != new:
        danger = Danger.LOST if old == "live" else Danger.MORE if new == "live" else Danger.OTHER
        channels = channels_of(was if old == "live" else now)
        word = "no longer notifies" if old == "live" else "notifies"
        who = f": {word} {', '.join(channels)}" if channels and "live" in {old, new} else ""
        one.add(danger, f"is {new}, was {old}{who}")


def _related(was: Explanation, now: Explanation, one: ChangesOf) -> None:
    old, new = ({each.slo for each in slo.relations.depends_on} for slo in (was, now))
    for name in sorted(new - old):
        one.add(Danger.LESS, f"its pages wait while {name} pages")
    for name in sorted(old - new):
        one.add(Danger.MORE, f"its pages no longer wait for {name}")
    parts = [{each.slo: each.weight for each in slo.relations.parts} for slo in (was, now)]
    if parts[0] != parts[1]:
        before, after = (
            ", ".join(f"{name} x {weight}" for name, weight in each.items()) for each in parts
        )
        one.add(Danger.OTHER, f"consists of {after}, was {before}")


def _words(was: Explanation, now: Explanation, one: ChangesOf) -> None:
    if was.description != now.description:
        one.add(Danger.WORDS, f"description {word_diff(was.description, now.description)}")
    old, new = _other_values(was), _other_values(now)
    for key in [*new, *(key for key in old if key not in new)]:
        before, after = old.get(key), new.get(key)
        if before != after:
            one.add(Danger.WORDS, f"{key} {after or 'is gone'}, was {before or 'not set'}")
    names = {tier.tier: tier.alert for tier in was.tiers}
    renamed: dict[tuple[str, str], list[str]] = {}
    for tier in now.tiers:
        before = names.get(tier.tier, tier.alert)
        if before != tier.alert:
            renamed.setdefault((tier.alert, before), []).append(tier.tier)
    for (name, before), tiers in renamed.items():
        verb = "is" if len(tiers) == 1 else "are"
        one.add(Danger.WORDS, f"{', '.join(tiers)} {verb} called {name}, was {before}")


def _other_values(slo: Explanation) -> dict[str, str]:
    found = dict[str, str]()
    for value in slo.values:
        if value.key in CAUSES or value.key in _GUARDS:
            continue
        if value.key == "label":
            name, _, text = value.value.partition("=")
            found[f"label {name}"] = text
        elif not value.key.endswith("name"):  # alerts' names are compared tier by tier
            found[value.key] = value.value
    return found
