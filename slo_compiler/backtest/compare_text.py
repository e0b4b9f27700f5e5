"""The comparison of two states as text and as JSON: a table of incidents, and one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from slo_compiler.backtest.compare import Incident, SeverityDifference, SLODifference
from slo_compiler.backtest.episodes import Episode
from slo_compiler.backtest.moments import exact, rounded, shown
from slo_compiler.backtest.run import Backtest
from slo_compiler.backtest.text import name, plural, quality, record
from slo_compiler.duration import Duration
from slo_compiler.report import table

_NAMED = 3  # incidents in a sentence


def as_text(
    differences: Sequence[SLODifference], old: Backtest, new: Backtest, word: str
) -> Iterator[str]:
    """Give the lines of a comparison with the state that `word` names."""
    for each in differences:
        yield f"{name(each.identity)}: {sentence(each, word)}"
        rows = [_row(one.severity, i) for one in each.severities for i in one.incidents]
        if rows:
            header = ("severity", "incident", word, "now", "found")
            yield from (f"  {line}" for line in table([header, *rows]))
    yield ""
    yield from quality(new)
    if {*quality(old)} != {*quality(new)}:
        yield from (f"{word}: {line}" for line in quality(old))


def sentence(each: SLODifference, word: str) -> str:
    """Describe the effect of a change on an SLO in one sentence."""
    if each.old is None:
        return f"not in {word}"
    if each.new is None:
        return f"only in {word}"
    before, after = each.old.resolved, each.new.resolved
    changes = [
        f"{new} instead of {old}"
        for old, new in ((before.objective, after.objective), (before.period, after.period))
        if old != new
    ]
    effects = [effect for one in each.severities for effect in _effects(one)]
    alerts = "; ".join(effects) or "the same alerts"
    return f"{', '.join(changes)}: {alerts}" if changes else alerts


def _effects(one: SeverityDifference) -> Iterator[str]:
    more = one.new - one.old
    if more:
        yield f"{plural(abs(more), one.severity)} {'more' if more > 0 else 'fewer'}"
    moved = [i for i in one.incidents if i.later_ms]
    for incident in moved[:_NAMED]:
        yield f"the incident of {shown(incident.start)} is found {_found(incident)}"
    if len(moved) > _NAMED:
        yield f"{len(moved) - _NAMED} more at another time"


def _found(incident: Incident) -> str:
    if incident.later_ms is None:
        return "no more" if incident.old else "now alone"
    if incident.later_ms == 0:
        return "at the same time"
    span = rounded(Duration(abs(incident.later_ms)))
    return f"{span} {'later' if incident.later_ms > 0 else 'earlier'}"


def _row(severity: str, incident: Incident) -> Sequence[str]:
    return (
        severity,
        shown(incident.start),
        _first(incident.old),
        _first(incident.new),
        _found(incident),
    )


def _first(episodes: Sequence[Episode]) -> str:
    if not episodes:
        return "-"
    first = min(episodes, key=lambda each: each.start)
    length = rounded(Duration(max(each.end for each in episodes) - first.start))
    return f"{shown(first.start)} {first.tier}, for {length}"


def as_json(differences: Sequence[SLODifference], old: Backtest, new: Backtest, word: str) -> str:
    """Give both results and their comparison as JSON."""
    found: dict[str, Any] = {
        "against": word,
        "old": record(old),
        "new": record(new),
        "differences": [
            {
                "slo": name(each.identity),
                "summary": sentence(each, word),
                "severities": [
                    {
                        "severity": one.severity,
                        "old": one.old,
                        "new": one.new,
                        "incidents": [
                            {
                                "from": exact(incident.start),
                                "to": exact(incident.end),
                                "old": bool(incident.old),
                                "new": bool(incident.new),
                                "later_seconds": None
                                if incident.later_ms is None
                                else incident.later_ms / 1000,
                            }
                            for incident in one.incidents
                        ],
                    }
                    for one in each.severities
                ],
            }
            for each in differences
        ],
    }
    return json.dumps(found, indent=2) + "\n"
