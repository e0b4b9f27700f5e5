"""Period sums in two and three levels, which the compiler does not write: docs/cost.md has why.

A sum takes in longer tiles up to the last full hour (or day), adds the shorter ones since, and
takes off what the first hour (or day) has too much: the same tiles, a period ago.
"""
# ruff: noqa: INP001 - imported by a script

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from approaches import Approach, Rule, ours

_SLOW = 150  # seconds between evaluations of what reads or records tiles
PERIOD = "30d"
_MS = "59s999ms"  # a range that leaves out the tile at its far end, in 2.x and 3.x alike
HOUR_START, DAY_START = "slo:hour_start:seconds", "slo:day_start:seconds"
STARTS = {HOUR_START: 3600, DAY_START: 86400}  # and what they are multiples of, in seconds


def two_levels(series: int, slos: int = 1) -> Approach:
    """Sum 720 hours, and 10m tiles since the last full hour."""
    return _changed(series, slos, "two levels", days=False)


def three_levels(series: int, slos: int = 1) -> Approach:
    """Sum 30 days, hours since the last midnight, and 10m tiles since the last full hour."""
    return _changed(series, slos, "three levels", days=True)


def no_period(series: int, slos: int = 1) -> Approach:
    """Leave out the sums of the period: what no way to count them can be cheaper than."""
    approach = ours(series, slos)
    rules = [rule for rule in approach.rules if not rule.name.endswith(f"increase{PERIOD}")]
    return replace(approach, name=_name("no period sums", slos), rules=rules)


def _changed(series: int, slos: int, name: str, *, days: bool) -> Approach:
    approach = ours(series, slos)
    of = f'{{tenant="{approach.tenant}"}}'
    rules = [
        Rule(start, f"{span} * floor(vector(time() / {span}))", _SLOW)
        for start, span in STARTS.items()
        if days or start == HOUR_START
    ]
    for rule in approach.rules:
        if rule.name.endswith(f"increase{PERIOD}"):
            rules += _counts(rule.name.removesuffix(PERIOD), of, days=days)
        else:
            rules.append(rule)
    return replace(approach, name=_name(name, slos), rules=rules)


def _counts(tile: str, of: str, *, days: bool) -> Iterator[Rule]:
    """Give the rules that record longer tiles, and that of the period."""
    fine, hour, day = (f"{tile}{length}{of}" for length in ("10m", "1h", "1d"))
    since_hour = _since(fine, HOUR_START, of, f"[49m{_MS}:10m]")
    yield Rule(f"{tile}1h", f"sum_over_time({tile}2m30s{of}[59m{_MS}])", _SLOW)
    if not days:
        sums = f"(sum_over_time({hour}[29d23h59m{_MS}:1h]) or 0 * {fine}) + {since_hour}"
        yield Rule(f"{tile}{PERIOD}", sums, _SLOW)
        return
    yield Rule(f"{tile}1d", f"sum_over_time({tile}2m30s{of}[23h59m{_MS}])", _SLOW)
    since_day = _since(hour, DAY_START, of, f"[22h59m{_MS}:1h]")
    sums = f"(sum_over_time({day}[29d23h59m{_MS}:1d]) or 0 * {fine}) + {since_day} + {since_hour}"
    yield Rule(f"{tile}{PERIOD}", sums, _SLOW)


def _since(tile: str, start: str, of: str, subquery: str) -> str:
    """Sum the tiles since a start, less those of a period ago."""
    more = f"{tile} - ({tile} offset {PERIOD} or 0 * {tile})"
    cut = f"(last_over_time({start}{of}[10m] @ end()) < time())"
    return f"(sum_over_time((({more}) and on (tenant) {cut}){subquery}) or 0 * {tile})"


def _name(name: str, slos: int) -> str:
    return name if slos == 1 else f"{name}, 1 of {slos}"
