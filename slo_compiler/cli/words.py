"""What the commands say: counts, summaries and tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

SHOWN_FAILURES = 5  # of one cause


def count(number: int, word: str) -> str:
    """Say a number of things: 1 SLO, 2 SLOs."""
    return f"{number} {word}" + ("s" if number != 1 else "")


def color() -> bool | None:
    """Follow NO_COLOR (no-color.org); otherwise click colours a terminal only."""
    return False if os.environ.get("NO_COLOR") else None


def say(message: str) -> None:
    """Tell a person something, beside the results."""
    click.echo(message, err=True)


def size(compiled: Any) -> str:  # noqa: ANN401
    """Say how much was compiled."""
    counts = compiled.counts
    return f"{count(counts['slos'], 'SLO')} of {count(counts['tenants'], 'tenant')}"


def skipped(compiled: Any) -> str:  # noqa: ANN401
    """Say who agrees, or which tools could not be asked."""
    missing = compiled.verification.skipped
    if not missing:
        return ", promtool and amtool agree"
    return f"; SKIPPED, because not found: {', '.join(missing)}"


def summary(compiled: Any, folder: Path, changes: Any) -> None:  # noqa: ANN401
    """Tell what a compile has written."""
    counts = compiled.counts
    written = len(changes.added) + len(changes.changed)
    what = f"{count(written, 'file')} written" if written else "no file changed"
    if changes.removed:
        what += f", {len(changes.removed)} removed"
    say(
        f"{size(compiled)} -> {folder}: {what} "
        f"({count(counts['recording_rules'], 'recording rule')}, "
        f"{count(counts['alerting_rules'], 'alert')})"
        f"{skipped(compiled)}"
    )


def table(results: Sequence[Any]) -> None:
    """Print one line for each kind of proof, and each failure with its manifest's line."""
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
    width = max(len(result.kind) for result in results)
    for kind in sorted({result.kind for result in results}):
        own = [result for result in results if result.kind == kind]
        failed = sum(len(result.failures) for result in own)
        checks = sum(result.checks for result in own)
        seconds = sum(result.seconds for result in own)
        click.echo(
            f"{kind:<{width}}  {len(own):>4} proofs  {checks:>6} checks  {failed:>4} failed  "
            f"{seconds:>7.1f} s"
        )
    for result in results:
        if result.kind == "routes" and result.name in ("inhibition", "isolation"):
            click.echo(result.note)


def asked(answers: Sequence[Any], queries: int, url: str) -> None:
    """Print one line for each SLO that a Prometheus was asked about."""
    width = max(len(answer.name) for answer in answers)
    click.echo(f"{'SLO':<{width}}  {'selectors':>9}  {'series':>8}  {'events/day':>12}")
    for answer in answers:
        per_day = "-" if answer.events_per_day is None else f"{answer.events_per_day:,.0f}"
        click.echo(
            f"{answer.name:<{width}}  {answer.selectors:>9,}  {answer.series:>8,}  {per_day:>12}"
        )
    selectors, series = sum(a.selectors for a in answers), sum(a.series for a in answers)
    click.echo(
        f"{count(selectors, 'selector')} asked, {series:,} series found, "
        f"with {queries:,} queries to {url}"
    )
