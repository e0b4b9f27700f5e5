"""Who is notified that was not before, or no longer, and at which hours?"""

from __future__ import annotations

from dataclasses import dataclass

from slo_compiler.duration import Duration
from slo_compiler.view.changes import ChangesOf, Danger
from slo_compiler.view.explain import Explanation


@dataclass(frozen=True, slots=True, order=True)
class _Notice:
    """A channel that gets the alerts of a tier: after a wait, at some hours."""

    channel: str
    tier: str
    after: str
    hours: str

    @property
    def alert(self) -> str:
        """The alert, as explain names it."""
        return f"{self.tier} after {self.after}" if self.after else self.tier

    @property
    def to(self) -> str:
        """The channel, with its hours."""
        return f"{self.channel} ({self.hours})" if self.hours else self.channel


def compare_receivers(was: Explanation, now: Explanation, one: ChangesOf) -> None:
    """Compare channels; a wait or hours that moved are one change, not a loss and a gain."""
    if live(was) != live(now):  # which is reported already
        return
    old, new = _notices(was), _notices(now)
    lost, more = old - new, new - old
    tiers = [{tier.tier for tier in slo.tiers} for slo in (was, now)]
    lost = {each for each in lost if each.tier not in tiers[0] - tiers[1]}  # as gone
    more = {each for each in more if each.tier not in tiers[1] - tiers[0]}  # as new
    moved = _moved(lost, more)
    _moves(moved, one)
    lost -= {before for before, _ in moved}
    more -= {after for _, after in moved}
    for danger, notices, verb in ((Danger.LOST, lost, "no longer get"), (Danger.MORE, more, "get")):
        for alerts, channels in _by_alerts(notices).items():
            ending = "s" if len(channels) == 1 else ""
            now_ = "now " if danger is Danger.MORE else ""
            one.add(danger, f"{', '.join(channels)} {now_}{verb}{ending} {alerts}")


def live(slo: Explanation) -> bool:
    """Return whether an SLO's alerts notify channels."""
    return not slo.shadow and not slo.recorded_only


def channels_of(slo: Explanation) -> list[str]:
    """Return the channels that get any of an SLO's alerts."""
    return sorted({each.channel for each in _notices(slo)})


def _notices(slo: Explanation) -> set[_Notice]:
    found = set()
    for audience in slo.notified:
        for alert in audience.alerts:
            tier, _, after = alert.partition(" after ")
            found |= {_Notice(each, tier, after, audience.hours) for each in audience.channels}
    return found


def _moved(lost: set[_Notice], more: set[_Notice]) -> list[tuple[_Notice, _Notice]]:
    """Pair what a channel no longer gets of a tier with what it gets instead, if that is clear."""
    by_key: dict[tuple[str, str], tuple[list[_Notice], list[_Notice]]] = {}
    for side, notices in enumerate((lost, more)):
        for each in sorted(notices):
            by_key.setdefault((each.channel, each.tier), ([], []))[side].append(each)
    return [(old[0], new[0]) for old, new in by_key.values() if len(old) == len(new) == 1]


def _moves(moved: list[tuple[_Notice, _Notice]], one: ChangesOf) -> None:
    """Report waits and hours that moved; channels and alerts of the same move together."""
    same: dict[tuple[Danger, str], list[_Notice]] = {}
    for before, after in moved:
        parts, danger = [], Danger.OTHER
        if before.after != after.after:
            parts.append(f"after {after.after or 'no wait'}, was {before.after or 'no wait'}")
            old, new = (
                Duration.parse(each.after).ms if each.after else 0 for each in (before, after)
            )
            danger = Danger.LESS if new > old else Danger.MORE
        if before.hours != after.hours:
            parts.append(f"{after.hours or 'at all hours'}, was {before.hours or 'at all hours'}")
            if not before.hours:
                danger = Danger.LESS
            elif not after.hours and danger is not Danger.LESS:
                danger = Danger.MORE
        same.setdefault((danger, "; ".join(parts)), []).append(before)
    for (danger, words), notices in same.items():
        channels = list(dict.fromkeys(each.channel for each in notices))
        alerts = list(dict.fromkeys(each.tier for each in notices))
        ending = "s" if len(channels) == 1 else ""
        one.add(danger, f"{', '.join(channels)} get{ending} {', '.join(alerts)} {words}")


def _by_alerts(notices: set[_Notice]) -> dict[str, list[str]]:
    """Give the channels that get the same alerts, by these."""
    by_channel: dict[str, list[str]] = {}
    for each in sorted(notices):
        by_channel.setdefault(each.to, []).append(each.alert)
    found: dict[str, list[str]] = {}
    for channel, alerts in by_channel.items():
        found.setdefault(", ".join(alerts), []).append(channel)
    return found
