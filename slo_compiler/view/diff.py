"""What a change of manifests changes, for whom: facts of SLOs compared, the most dangerous first.

What is compared is what `explain` shows, which comes from the plan. So a change that moves no
threshold, route or query, such as one of order, is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum

from slo_compiler.duration import Duration
from slo_compiler.view.explain import Explanation, TierFacts
from slo_compiler.view.word_diff import word_diff

# A change of one of these moves the thresholds of all tiers.
_CAUSES = ("objective", "period", "policy")
_GUARDS = ("min_errors", "min_events")  # are compared tier by tier


class Danger(IntEnum):
    """How dangerous a change is: what is lost comes first."""

    LOST = 0  # an alert or a notification that there was
    LESS = 1  # alerts come later, or for more errors only
    OTHER = 2  # other events are counted
    MORE = 3  # alerts come sooner, or more people get them
    NEW = 4
    WORDS = 5  # names, texts and links


@dataclass(frozen=True, slots=True)
class Change:
    """One change, in words, and the SLOs that it is about: several if it is the same for them."""

    danger: Danger
    text: str
    slos: tuple[str, ...]
    at: str  # where the first of them is declared now; before, if it is gone


@dataclass(slots=True)
class _Found:
    """The changes of one SLO."""

    slo: str
    at: str
    changes: list[tuple[Danger, str]] = field(default_factory=list)

    def add(self, danger: Danger, text: str) -> None:
        self.changes.append((danger, text))


def compare(old: Sequence[Explanation], new: Sequence[Explanation]) -> list[Change]:
    """Compare all SLOs of two states of a project; the most dangerous changes come first."""
    before = {each.slo: each for each in old}
    after = {each.slo: each for each in new}
    former = {_former(each): each.slo for each in new if _former(each) in before.keys() - after}
    found = [*_gone(before, after, former)]
    for name, now in after.items():
        was = before.get(name) or before.get(_former(now))
        one = _Found(name, now.at)
        found.append(one)
        if was is None:
            one.add(Danger.NEW, _introduced(now))
        else:
            _compare(was, now, one)
    return _joined(found)


def _former(slo: Explanation) -> str:
    return slo.relations.formerly.slo if slo.relations.formerly else ""


def _gone(
    before: Mapping[str, Explanation], after: Mapping[str, Explanation], former: Mapping[str, str]
) -> Iterator[_Found]:
    for name, was in before.items():
        if name in after or name in former:
            continue
        one = _Found(name, was.at)
        service, own = name.rpartition("/")[0], name.rpartition("/")[2]
        new = [other for other in after.keys() - before if other.rpartition("/")[0] == service]
        hint = f"; if it is {new[0]} now, formerly: {own} keeps its history" if new else ""
        alerts = "is gone, with its alerts" if was.tiers and not was.shadow else "is gone"
        one.add(Danger.LOST, alerts + hint)
        yield one


def _introduced(now: Explanation) -> str:
    values = {value.key: value.value for value in now.values}
    kind = "shadow, " if now.shadow else "recorded only, " if now.recorded_only else ""
    return f"is new: {kind}{values['objective']} over {values['period']}"


def _compare(was: Explanation, now: Explanation, one: _Found) -> None:
    if was.slo != now.slo:
        one.add(Danger.WORDS, f"was {was.slo}, whose history it keeps")
    _stages(was, now, one)
    _thresholds(was, now, one)
    _notified(was, now, one)
    _counted(was, now, one)
    _related(was, now, one)
    _words(was, now, one)


def _stage(slo: Explanation) -> str:
    return "shadow" if slo.shadow else "recorded only" if slo.recorded_only else "live"


def _stages(was: Explanation, now: Explanation, one: _Found) -> None:
    old, new = _stage(was), _stage(now)
    if old != new:
        danger = Danger.LOST if old == "live" else Danger.MORE if new == "live" else Danger.OTHER
        one.add(danger, f"is {new}, was {old}")


def _thresholds(was: Explanation, now: Explanation, one: _Found) -> None:
    """Compare budgets and tiers; what follows from one cause is one change."""
    old_values, new_values = _causes(was), _causes(now)
    causes = [
        f"{key} {new_values[key]}, was {old_values[key]}"
        for key in _CAUSES
        if key in old_values and key in new_values and old_values[key] != new_values[key]
    ]
    old, new = ({tier.tier: tier for tier in each.tiers} for each in (was, now))
    dangers, pairs = set[Danger](), list[tuple[TierFacts, TierFacts]]()
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            if not now.recorded_only:
                one.add(Danger.LOST, f"{name} is gone")
        elif name not in old:
            if not was.recorded_only:
                one.add(Danger.MORE, f"{name} is new: it fires above {_percent(new[name])}")
        else:
            pairs.append((old[name], new[name]))
    effects = [*_effects(pairs, dangers)]
    if not causes and not effects:
        return
    if old_values["objective"] != new_values["objective"]:
        less = _number(new_values["objective"]) < _number(old_values["objective"])
        dangers.add(Danger.LESS if less else Danger.MORE)
    shown = "; ".join(effects)
    text = ", ".join(causes) + (f": {shown}" if causes and shown else shown)
    one.add(min(dangers, default=Danger.OTHER), text)


def _causes(slo: Explanation) -> dict[str, str]:
    return {value.key: value.value for value in slo.values}


def _effects(pairs: Sequence[tuple[TierFacts, TierFacts]], dangers: set[Danger]) -> Iterator[str]:
    """Compare tiers; what is the same of several tiers is written once."""
    moved = []
    for old, new in pairs:
        if old.threshold != new.threshold:
            less = Decimal(new.threshold) > Decimal(old.threshold)
            dangers.add(Danger.LESS if less else Danger.MORE)
            moved.append(f"{new.tier} above {_percent(new)}, was {_percent(old)}")
    if moved:
        yield f"fires {'; '.join(moved)}"
    for words, attribute in (
        ("is a {} alert, was {}", "severity"),
        ("looks at {}, was {}", "long_window"),
        ("ends after {}, was {}", "short_window"),
        ("waits for {}, was {}", "wait"),
        ("wants at least {}, was {}", "guard"),
    ):
        same: dict[str, list[str]] = {}
        for old, new in pairs:
            before, after = getattr(old, attribute), getattr(new, attribute)
            if before != after:
                dangers.add(_slower(attribute, before, after))
                text = words.format(after or "nothing", before or "nothing")
                same.setdefault(text, []).append(new.tier)
        for text, tiers in same.items():
            yield text if len(tiers) == len(pairs) else f"{', '.join(tiers)} {text}"
    found = [(old.fires_at_full_outage, new.fires_at_full_outage) for old, new in pairs[:1]]
    for before, after in found:
        if before != after:
            yield f"an outage is found in {after}, was {before}"


def _slower(attribute: str, before: str, after: str) -> Danger:
    """How dangerous a change of a tier is: what it waits for longer, or for more of, delays it."""
    if attribute == "wait":
        old, new = (Duration.parse(each or "0s").ms for each in (before, after))
    elif attribute == "guard":
        old, new = (sum(map(int, re.findall(r"[0-9]+", each))) for each in (before, after))
    else:
        return Danger.OTHER
    return Danger.LESS if new > old else Danger.MORE


def _percent(tier: TierFacts) -> str:
    return f"{(Decimal(tier.threshold) * 100).normalize():f}%"


def _number(percent: str) -> Decimal:
    return Decimal(percent.removesuffix("%"))


def _notified(was: Explanation, now: Explanation, one: _Found) -> None:
    old, new = _receivers(was), _receivers(now)
    tiers = [{tier.tier for tier in slo.tiers} for slo in (was, now)]
    for danger, pairs, named, words in (
        (Danger.LOST, old - new, tiers[0] - tiers[1], "no longer gets"),
        (Danger.MORE, new - old, tiers[1] - tiers[0], "now gets"),
    ):
        by_channel: dict[str, list[str]] = {}
        for alert, channel, hours in sorted(pairs):
            if alert.partition(" ")[0] in named:  # as gone, or as new
                continue
            when = f" ({hours})" if hours else ""
            by_channel.setdefault(f"{channel}{when}", []).append(alert)
        for channel, alerts in by_channel.items():
            one.add(danger, f"{channel} {words} {', '.join(alerts)}")


def _receivers(slo: Explanation) -> set[tuple[str, str, str]]:
    return {
        (alert, channel, audience.hours)
        for audience in slo.notified
        for alert in audience.alerts
        for channel in audience.channels
    }


def _counted(was: Explanation, now: Explanation, one: _Found) -> None:
    """Compare what is counted: labels, isolation, queries, exclusions."""
    if was.by != now.by:
        old, new = (", ".join(each.by) or "nothing" for each in (was, now))
        one.add(Danger.OTHER, f"by {new}, was {old}: recorded history does not carry over")
    isolation = [each.relations.isolation for each in (was, now)]
    matchers = [", ".join(each.matchers) if each else "" for each in isolation]
    if matchers[0] != matchers[1]:
        old, new = (each or "nothing" for each in matchers)
        one.add(Danger.OTHER, f"reads series with {new}, was {old}")
    old_queries = {name: _renamed(text, was.slo, now.slo) for name, text in was.queries}
    for name, text in now.queries:
        before = old_queries.get(name)
        # What follows from other matchers is said by them.
        if before is not None and before != text and matchers[0] == matchers[1]:
            one.add(Danger.OTHER, f"{name}: {word_diff(before, text)}")
    for word, danger, more, less in (
        ("is excluded", Danger.LESS, now, was),
        ("is no longer excluded", Danger.MORE, was, now),
    ):
        known = {(each.name, each.when) for each in less.relations.exclusions}
        for each in more.relations.exclusions:
            if (each.name, each.when) not in known:
                one.add(danger, f"{word} by {each.name}: {each.when}")


def _renamed(text: str, old: str, new: str) -> str:
    """Write an expression with the new identity, so that a rename alone is no other query."""
    for label, before, after in zip(
        ("tenant", "service", "slo"), old.split("/"), new.split("/"), strict=True
    ):
        text = text.replace(f'{label}="{before}"', f'{label}="{after}"')
    return text


def _related(was: Explanation, now: Explanation, one: _Found) -> None:
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


def _words(was: Explanation, now: Explanation, one: _Found) -> None:
    if was.description != now.description:
        one.add(Danger.WORDS, f"description {word_diff(was.description, now.description)}")
    old, new = _other_values(was), _other_values(now)
    for key in [*new, *(key for key in old if key not in new)]:
        before, after = old.get(key), new.get(key)
        if before != after:
            one.add(Danger.WORDS, f"{key} {after or 'is gone'}, was {before or 'not set'}")
    names = {tier.tier: tier.alert for tier in was.tiers}
    for tier in now.tiers:
        if names.get(tier.tier, tier.alert) != tier.alert:
            one.add(Danger.WORDS, f"{tier.tier} is called {tier.alert}, was {names[tier.tier]}")


def _other_values(slo: Explanation) -> dict[str, str]:
    found = dict[str, str]()
    for value in slo.values:
        if value.key in _CAUSES or value.key in _GUARDS:
            continue
        if value.key == "label":
            name, _, text = value.value.partition("=")
            found[f"label {name}"] = text
        elif not value.key.endswith("name"):  # alerts' names are compared tier by tier
            found[value.key] = value.value
    return found


def _joined(found: Sequence[_Found]) -> list[Change]:
    """Make one change of those that say the same of several SLOs."""
    same: dict[tuple[Danger, str], list[_Found]] = {}
    for one in found:
        for danger, text in one.changes:
            same.setdefault((danger, text), []).append(one)
    changes = [
        Change(danger, text, tuple(sorted(one.slo for one in slos)), slos[0].at)
        for (danger, text), slos in same.items()
    ]
    return sorted(changes, key=lambda change: (change.danger, change.slos, change.text))
