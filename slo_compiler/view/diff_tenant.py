"""What changes of a tenant as a whole: its channels, and rules that no SLO explains?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from slo_compiler.duration import Duration
from slo_compiler.view.changes import ChangesOf, Danger
from slo_compiler.view.state import RuleFacts, TenantState
from slo_compiler.view.word_diff import word_diff


def compare_tenant(was: TenantState, now: TenantState) -> Iterator[ChangesOf]:
    """Compare the owner and the channels of a tenant."""
    one = ChangesOf(now.name, now.at)
    if was.owner != now.owner:
        one.add(Danger.WORDS, f"owner {now.owner}, was {was.owner}")
    for name, channel in now.channels.items():
        before = was.channels.get(name)
        if before is None or before.name != channel.name:  # reported with the receivers of alerts
            continue
        parts = [
            f"{key} {new or 'not set'}, was {old or 'not set'}"
            for key in dict.fromkeys([*channel.settings, *before.settings])
            for old, new in [(before.settings.get(key), channel.settings.get(key))]
            if old != new
        ]
        if parts:
            one.at = channel.at
            one.add(Danger.OTHER, f"channel {channel.name}: {'; '.join(parts)}")
    yield one


def unexplained(
    was: TenantState, now: TenantState, explained: Collection[str]
) -> Iterator[ChangesOf]:
    """Report rules and routes that change although no change is about them.

    Args:
        was: the tenant before.
        now: the tenant after.
        explained: what the other changes are about.
    """
    if was.owner != now.owner:  # which is in the labels of many
        return
    mine = {each for each in explained if each.partition("/")[0] == now.name}
    for about in now.rules:
        if about in mine or about not in was.rules or (about == now.name and mine):
            continue
        one = ChangesOf(about, now.at)
        _rules(was.rules[about], now.rules[about], one)
        yield one
    if not mine and (was.route, was.intervals) != (now.route, now.intervals):
        one = ChangesOf(now.name, now.at)
        one.add(Danger.OTHER, f"routes: {word_diff(_words(was), _words(now))}")
        yield one


def _rules(was: Mapping[str, RuleFacts], now: Mapping[str, RuleFacts], one: ChangesOf) -> None:
    gone, more = ([key for key in a if key not in b] for a, b in ((was, now), (now, was)))
    for danger, names, word in ((Danger.LOST, gone, "is gone"), (Danger.MORE, more, "is new")):
        for key in names:
            one.add(danger, f"the rule {key} {word}")
    by_words: dict[tuple[Danger, str], list[str]] = {}
    for key, new_rule in now.items():
        old_rule = was.get(key, new_rule)
        name = key.partition(" ")[0]
        if old_rule.wait != new_rule.wait:
            old, new = (
                Duration.parse(each.wait).ms if each.wait else 0 for each in (old_rule, new_rule)
            )
            words = f"for {new_rule.wait or 'nothing'}, was {old_rule.wait or 'nothing'}"
            danger = Danger.LESS if new > old else Danger.MORE
            by_words.setdefault((danger, words), []).append(name)
        if old_rule.text != new_rule.text:
            words = word_diff(old_rule.text.strip(), new_rule.text.strip())
            by_words.setdefault((Danger.OTHER, words), []).append(name)
    for (danger, words), names in by_words.items():
        one.add(danger, f"{', '.join(dict.fromkeys(names))}: {words}")


def _words(tenant: TenantState) -> str:
    """Write the routes of a tenant in one line."""
    hours = "; ".join(f"{name}: {each}" for name, those in tenant.intervals for each in those)
    return f"{tenant.route} {hours}"
