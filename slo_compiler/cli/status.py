"""`slo-compiler status`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli import completion
from slo_compiler.cli.options import PROJECT, text_or_json
from slo_compiler.cli.run import EXIT_FINDINGS
from slo_compiler.cli.server import credentials, endpoint
from slo_compiler.cli.words import color, count, listed, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slo_compiler.live.client import Headers
    from slo_compiler.schema.severity import SeverityLevel
    from slo_compiler.status import Status


@click.command()
@click.option("--prometheus", metavar="URL", required=True, help="The Prometheus to query.")
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    shell_complete=completion.tenants,
    help="Only this tenant; may be repeated.",
)
@credentials("--")
@click.option(
    "--watch",
    metavar="SECONDS",
    type=click.IntRange(min=1),
    help="Query again and again, until it is interrupted.",
)
@text_or_json("How the state is printed.")
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit with 1 if an alert fires, data is missing, or other rules run than those here.",
)
@PROJECT
def status(
    *,
    prometheus: str,
    tenants: tuple[str, ...],
    headers: tuple[str, ...],
    token_file: Path | None,
    watch: int | None,
    format_: str,
    exit_code: bool,
    project: Path | None,
) -> None:
    """Show the state of the SLOs, the most dangerous first: error ratios, budgets, alerts.

    Queries recorded series only, in a handful of queries however many SLOs there are. In a project
    it also names tenants that run other rules than their manifests make.

    \b
    Examples:
      slo-compiler status --prometheus http://prometheus:9090
      slo-compiler status --prometheus http://prometheus:9090 --tenant customer-b --watch 30
      slo-compiler status --prometheus http://prometheus:9090 --format json --exit-code
    """
    url, asked_with = endpoint(prometheus, headers, token_file, option="--prometheus", prefix="--")
    levels, manifests = _project(project, tenants)
    while True:
        fine = _show(url, asked_with, tenants, levels, manifests, format_, watch=watch)
        if watch is None:
            sys.exit(EXIT_FINDINGS if fine is None or (exit_code and not fine) else 0)
        time.sleep(watch)


def _project(
    path: Path | None, tenants: Sequence[str]
) -> tuple[Sequence[SeverityLevel], Mapping[str, str] | None]:
    """Read the severities, and of each tenant the file and digest of its manifest.

    Without a project, or where its manifests cannot be read, there is nothing to compare with.
    """
    from slo_compiler import pipeline
    from slo_compiler.cli import inputs
    from slo_compiler.diagnostics import CompileError, Report
    from slo_compiler.schema.severity import BY_DEFAULT, severities_of

    found = path or inputs.find_project(Path.cwd())
    if found is None:
        say("not compared with manifests: no project file here or above")
        return BY_DEFAULT, None
    report = Report()
    try:
        read = inputs.select(found, (), report)
        manifests = pipeline.manifests_of(read.settings, read.files, report)
        report.raise_if_failed()
    except CompileError:
        say("not compared with manifests: these have errors; run slo-compiler check")
        return BY_DEFAULT, None
    wanted = {t: m for t, m in manifests.items() if not tenants or t in tenants}
    return severities_of(read.settings.spec.severities), wanted


def _show(
    url: str,
    headers: Headers,
    tenants: Sequence[str],
    levels: Sequence[SeverityLevel],
    manifests: Mapping[str, str] | None,
    format_: str,
    *,
    watch: int | None,
) -> bool | None:
    """Query once, and print; return whether all is well, None where there was no answer."""
    from slo_compiler import status as states
    from slo_compiler.live.client import Client, RefusedError, ServerError
    from slo_compiler.status import text
    from slo_compiler.status.model import SLODanger

    client = Client(url, headers, prefix="--")
    try:
        found = states.ask(client, tenants)
    except (ServerError, RefusedError) as error:
        refused(error)
        return None
    behind = (
        [*states.compare(found.running, manifests)]
        if found.running is not None and manifests is not None
        else []
    )
    if watch and format_ == "text" and sys.stdout.isatty():
        click.clear()
    if format_ == "json":
        click.echo(text.as_json(found, levels, behind), nl=False)
    elif found.slos:
        for line in text.as_text(found, levels, behind):
            click.echo(line)
    _summary(found, levels, url, tenants)
    for words in client.warned:
        say(f"{url}: {words}")
    danger = text.counts(found, levels)
    worst = (SLODanger.PAGE, SLODanger.NO_DATA, SLODanger.ALERT)
    wrong = behind or found.tenant_alerts or any(danger[each] for each in worst)
    return bool(found.slos) and not wrong


def refused(error: Exception) -> None:
    """Print why a server gave no answer."""
    label = click.style("error", fg="red", bold=True) if color() is not False else "error"
    help_ = getattr(error, "help", "")
    say(f"{label}: {error}" + (f"\n      = {help_}" if help_ else ""))


def _summary(
    found: Status, levels: Sequence[SeverityLevel], url: str, tenants: Sequence[str]
) -> None:
    from slo_compiler.status import text
    from slo_compiler.status.model import SLODanger

    if not found.slos:
        wanted = f" of {listed([*tenants])}" if tenants else ""
        say(f"{url} has recorded no SLO{wanted}: are the rules loaded?")
        return
    danger = text.counts(found, levels)
    words = {
        SLODanger.PAGE: "with a page",
        SLODanger.NO_DATA: "without data",
        SLODanger.ALERT: "with another alert",
        SLODanger.OVERSPENT: "overspent",
        SLODanger.BURNING: "burning",
    }
    parts = [f"{danger[each]} {what}" for each, what in words.items() if danger[each]]
    number = len({slo.tenant for slo in found.slos})
    more = "" if found.running is not None else "; the server has no alerts of its own"
    say(
        f"{count(len(found.slos), 'SLO')} of {count(number, 'tenant')}: "
        f"{listed(parts) or 'all within budget'} ({found.queries} queries{more})"
    )
