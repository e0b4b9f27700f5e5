"""A backtest as text and as JSON: what fired, when, for how long, at what budget."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from slo_compiler.backtest.compare import incidents, notifying
from slo_compiler.backtest.episodes import Episode
from slo_compiler.backtest.moments import exact, rounded, shown
from slo_compiler.backtest.run import Backtest, SLOBacktest
from slo_compiler.duration import Duration
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import Identity
from slo_compiler.report import table

_HEADER = ("fired", "for", "tier", "severity", "budget left")


def as_text(result: Backtest) -> Iterator[str]:
    """Give the lines of a result: each SLO with its episodes, then what they are worth."""
    for each in result.slos:
        identity = each.slo.identity
        episodes = result.of(identity)
        left = budget(each.budget_at_end)
        yield f"{name(identity)}: {promise(each.slo)}; {counts(episodes)}; budget left {left}"
        if episodes:
            yield from (f"  {line}" for line in table([_HEADER, *map(_row, episodes)], "<>"))
    yield ""
    yield from quality(result)


def quality(result: Backtest) -> Iterator[str]:
    """Describe the data behind the result: its resolution, and the history that is not there."""
    rules = _spans(result.evaluated_every)
    samples = _spans(result.sampled_every) or "an unknown time"
    yield (
        f"From {shown(result.span.start)} to {shown(result.span.end)} UTC. Resolution: alerts are "
        f"evaluated every {rules}, on {result.samples:,} samples as stored, {samples} apart."
    )
    yield from notes(result)


def notes(result: Backtest) -> Iterator[str]:
    """Describe which history is missing, and what follows."""
    short: dict[int, list[SLOBacktest]] = {}
    for each in result.slos:
        for selector in each.missing:
            yield f"note: {name(each.slo.identity)}: no sample of {selector}"
        if each.first is not None:
            short.setdefault(each.first // 3_600_000 * 3_600_000, []).append(each)
    for first, some in sorted(short.items()):
        longest = max(each.slo.resolved.period.longest for each in some)
        if first <= result.span.start - longest.ms:
            continue
        names = ", ".join(name(each.slo.identity) for each in some[:3])
        more = f" and {len(some) - 3} more" if len(some) > 3 else ""  # noqa: PLR2004
        yield (
            f"note: the history of {names}{more} begins at {shown(first)}: windows and budgets "
            f"that reach further back hold what is there; {longest} need history from "
            f"{shown(result.span.start - longest.ms)} on"
        )


def name(identity: Identity) -> str:
    """Name an SLO as commands do."""
    return f"{identity.tenant}/{identity.service}/{identity.slo}"


def promise(slo: PlannedSLO) -> str:
    """Print objective and period: 99.9% over 30d."""
    return f"{slo.resolved.objective}% over {slo.resolved.period}"


def counts(episodes: Iterable[Episode]) -> str:
    """Count what people are notified of, by severity: 2 pages, 1 ticket."""
    some = notifying(episodes)
    parts = []
    for severity in dict.fromkeys(each.severity for each in some):
        number = len(incidents([e for e in some if e.severity == severity], []))
        parts.append(plural(number, severity))
    return ", ".join(parts) or "nothing fired"


def plural(number: int, severity: str) -> str:
    """Count alerts of a severity: 1 page, 2 pages."""
    return f"{number} {severity}" + ("s" if number != 1 else "")


def budget(left: float | None) -> str:
    """Print what is left of a budget."""
    return "-" if left is None else f"{left * 100:.1f}%"


def _row(each: Episode) -> Sequence[str]:
    length = rounded(Duration(each.end - each.start))
    tier = each.tier + (f" (escalation {each.escalation})" if not each.first else "")
    if each.by:
        tier += " {" + ", ".join(f'{k}="{v}"' for k, v in each.by.items()) + "}"
    return (
        shown(each.start) + (" or before" if each.before else ""),
        length + (" and on" if each.open else ""),
        tier,
        each.severity + (" (shadow)" if each.shadow else ""),
        f"{budget(each.budget_at_start)} -> {budget(each.budget_at_end)}",
    )


def _spans(some: Iterable[Duration]) -> str:
    words = [*map(str, some)]
    return " or ".join(words) if len(words) < 3 else f"{words[0]} to {words[-1]}"  # noqa: PLR2004


def as_json(result: Backtest) -> str:
    """Give a result as JSON."""
    return json.dumps(record(result), indent=2) + "\n"


def record(result: Backtest) -> dict[str, Any]:
    """Give a result as JSON's types; times are RFC 3339, in UTC."""
    return {
        "from": exact(result.span.start),
        "to": exact(result.span.end),
        "resolution": {
            "evaluated_every_seconds": [each.seconds for each in result.evaluated_every],
            "sampled_every_seconds": [each.seconds for each in result.sampled_every],
            "samples": result.samples,
        },
        "notes": [*notes(result)],
        "slos": [
            {
                "slo": name(each.slo.identity),
                "objective": str(each.slo.resolved.objective),
                "period": str(each.slo.resolved.period),
                "history_from": None if each.first is None else exact(each.first),
                "budget_left": each.budget_at_end,
                "alerts": [_record(one) for one in result.of(each.slo.identity)],
            }
            for each in result.slos
        ],
    }


def _record(each: Episode) -> dict[str, Any]:
    return {
        "tier": each.tier,
        "severity": each.severity,
        "escalation": each.escalation or None,
        "series": dict(each.by),
        "shadow": each.shadow,
        "from": exact(each.start),
        "to": exact(each.end),
        "seconds": (each.end - each.start) // 1000,
        "fired_before": each.before,
        "still_fires": each.open,
        "budget_left": [each.budget_at_start, each.budget_at_end],
    }
