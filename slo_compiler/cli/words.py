"""What the commands print: counts, summaries and tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

SHOWN_FAILURES = 5  # of one cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from slo_compiler.live import Answered
    from slo_compiler.pipeline import Compiled
    from slo_compiler.proofs.run import ProofResult
    from slo_compiler.write import Changes


def count(number: int, word: str) -> str:
    """Count things: 1 SLO, 2 SLOs."""
    return f"{number} {word}" + ("s" if number != 1 else "")


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def color() -> bool | None:
    """Follow NO_COLOR (no-color.org); otherwise click colours a terminal only."""
    return False if os.environ.get("NO_COLOR") else None


def say(message: str) -> None:
    """Print something for people, beside the results."""
    click.echo(message, err=True)


def size(compiled: Compiled) -> str:
    """Count what was compiled."""
    counts = compiled.counts
    return f"{count(counts['slos'], 'SLO')} of {count(counts['tenants'], 'tenant')}"


def checked(compiled: Compiled) -> str:
    """Name the tools that agree, those that are missing, and how to get these."""
    ran, missing = [*compiled.verification.ran], compiled.verification.skipped
    agree = f", {listed(ran)} agree{'s' * (len(ran) == 1)}" if ran else ""
    if not missing:
        return agree
    from slo_compiler import tools

    return f"{agree}; SKIPPED, because not found: {', '.join(missing)}\n  {tools.how_to_get()}"


def summary(compiled: Compiled, folder: Path, changes: Changes) -> None:
    """Print what a compile has written."""
    counts = compiled.counts
    written = len(changes.added) + len(changes.changed)
    what = f"{count(written, 'file')} written" if written else "no file changed"
    if changes.removed:
        what += f", {len(changes.removed)} removed"
    say(
        f"{size(compiled)} -> {folder}: {what} "
        f"({count(counts['recording_rules'], 'recording rule')}, "
        f"{count(counts['alerting_rules'], 'alert')})"
        f"{checked(compiled)}"
    )


def proved(results: Sequence[ProofResult]) -> None:
    """Print one line for each kind of proof, and each failure with its manifest's line."""
    from slo_compiler.report import table

    for result in sorted(results, key=lambda r: (r.kind, r.name)):
        for cause in dict.fromkeys(failure.cause for failure in result.failures):
            failures = [failure for failure in result.failures if failure.cause == cause]
            for failure in failures[:SHOWN_FAILURES]:
                label = click.style("failed", fg="red", bold=True)
                where = f"{failure.origin}: " if failure.origin else ""
                click.echo(f"{where}{label} {result.name}: {failure.test}\n      {failure.message}")
            more = len(failures) - SHOWN_FAILURES
            if more > 0:
                click.echo(f"      and {more} more of {result.name}")
            if cause:
                click.echo(f"      because of {cause}")
    rows = []
    for kind in sorted({result.kind for result in results}):
        own = [result for result in results if result.kind == kind]
        known = sum(result.cached for result in own)
        rows.append(
            (
                kind,
                count(len(own), "proof"),
                count(sum(result.checks for result in own), "check"),
                f"{sum(len(result.failures) for result in own)} failed",
                f"{sum(result.seconds for result in own):.1f} s",
                f"{known} proved before" if known else "",
            )
        )
    lines(table(rows, "<>>>>"))
    for result in sorted(results, key=lambda result: result.name):
        if result.kind == "routes" and result.name in ("inhibition", "isolation"):
            click.echo(result.note)


def answered(answers: Sequence[Answered], queries: int, url: str, *, err: bool) -> None:
    """Print one line for each SLO that a Prometheus was queried about."""
    from slo_compiler.report import table

    rows = [("SLO", "selectors", "series", "events/day")]
    for each in answers:
        per_day = "-" if each.events_per_day is None else f"{each.events_per_day:,.0f}"
        rows.append((each.name, f"{each.selectors:,}", f"{each.series:,}", per_day))
    lines(table(rows, "<>>>"), err=err)
    selectors, series = sum(a.selectors for a in answers), sum(a.series for a in answers)
    click.echo(
        f"{count(selectors, 'selector')} queried, {series:,} series found, "
        f"with {queries:,} queries to {url}",
        err=err,
    )


def lines(of: Iterable[str], *, err: bool = False) -> None:
    """Print lines."""
    for line in of:
        click.echo(line, err=err)
