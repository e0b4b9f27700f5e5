"""When do an SLO's alerts fire that did not before, or no longer?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal

from slo_compiler.duration import Duration
from slo_compiler.view.changes import ChangesOf, Danger
from slo_compiler.view.explain import SLOWER, Explanation, TierFacts

# A change of one of these moves the thresholds of all tiers.
CAUSES = ("objective", "period", "policy")

_SHOWN = Context(prec=6)  # digits of a threshold


def compare_tiers(was: Explanation, now: Explanation, one: ChangesOf) -> None:
    """Compare budgets and tiers; what follows from one cause is one change."""
    old_values, new_values = _causes(was), _causes(now)
    causes = [
        f"{key} {new_values[key]}, was {old_values[key]}"
        for key in CAUSES
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
    yield from _detection(pairs)


def _detection(pairs: Sequence[tuple[TierFacts, TierFacts]]) -> Iterator[str]:
    """Compare the detection times of the first tier of which one moved."""
    for old, new in pairs:
        if old.fires_at_full_outage != new.fires_at_full_outage:
            name = "" if old is pairs[0][0] else f"{new.tier}: "
            yield (
                f"{name}an outage is found in {new.fires_at_full_outage}, "
                f"was {old.fires_at_full_outage}"
            )
            break
    for old, new in pairs:
        before, after = old.fires_at_ten_times, new.fires_at_ten_times
        if before != after:
            name = "" if old is pairs[0][0] else f"{new.tier}: "
            yield f"{name}{SLOWER}x its threshold {_found(after)}, was {_found(before)}"
            break


def _found(time: str) -> str:
    return f"in {time}" if time else "above 100%"


def _slower(attribute: str, before: str, after: str) -> Danger:
    """How dangerous a change of a tier is: what it waits for longer, or for more of, delays it."""
    if attribute == "wait":
        old, new = (Duration.parse(each).ms if each else 0 for each in (before, after))
    elif attribute == "guard":
        old, new = (sum(map(int, re.findall(r"[0-9]+", each))) for each in (before, after))
    else:
        return Danger.OTHER
    return Danger.LESS if new > old else Danger.MORE


def _percent(tier: TierFacts) -> str:
    rounded = _SHOWN.create_decimal(Decimal(tier.threshold) * 100)
    return f"{rounded.normalize():f}%"


def _number(percent: str) -> Decimal:
    return Decimal(percent.removesuffix("%"))
