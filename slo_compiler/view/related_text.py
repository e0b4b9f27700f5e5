"""What bears on an SLO, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler.report import table
from slo_compiler.view.relations import ExclusionFacts, IsolationFacts, Relations


def lines(found: Relations) -> Iterator[str]:
    """Write each relation that an SLO has as a block; an empty line precedes each."""
    if found.depends_on:
        yield from ("", "  depends on, so that its own pages wait while one of these pages")
        yield from _table([(each.slo, each.at) for each in found.depends_on])
    if former := found.formerly:
        day = f", renamed on {former.renamed}" if former.renamed else ""
        yield from ("", f"  formerly {former.slo}{day}  ({former.at})")
        until = f"; from {former.removable} on, remove it" if former.removable else ""
        yield f"    the events of both names count{until}"
    if found.parts:
        yield from ("", "  made of these SLOs, by the weight of each event")
        yield from _table(
            [
                (part.weight, part.slo, part.at, "excluded at times" if part.excluded_alone else "")
                for part in found.parts
            ]
        )
    for exclusion in found.exclusions:
        yield ""
        yield from _exclusion(exclusion)
    if found.isolation:
        yield ""
        yield from _isolation(found.isolation)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from (f"    {line}" for line in table(rows))


def _exclusion(found: ExclusionFacts) -> Iterator[str]:
    yield f"  excluded: {found.name}  ({found.declared_by}, {found.at})"
    yield f"    {found.when}, {found.location}, and {found.after} longer"
    for each in found.upcoming:
        when = "now " if each.active else "next"
        yield f"    {when} {each.start} to {each.end}"
    if not found.upcoming:
        yield "    over: it can be removed, and what it took out of the budget stays out"


def _isolation(found: IsolationFacts) -> Iterator[str]:
    at = f"  ({found.at})" if found.at else ""
    if not found.matchers:
        yield f"  isolation: none, selectors get no matcher{at}"
        return
    yield f"  isolation: every selector gets {', '.join(found.matchers)}{at}"
    if found.dropped:
        yield f"    these replace {found.dropped}: series of all tenants with them are read"
