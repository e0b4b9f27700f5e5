"""`slo-compiler report`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import PROJECT, SOURCES
from slo_compiler.cli.run import EXIT_FINDINGS, Run
from slo_compiler.cli.server import credentials, endpoint
from slo_compiler.cli.words import count, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slo_compiler.cli.inputs import Selection
    from slo_compiler.schema.severity import SeverityLevel


@click.command()
@SOURCES
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="slo-report.html",
    show_default=True,
    help="The file to write; - for stdout.",
)
@click.option("--prometheus", metavar="URL", help="Also show the state that a Prometheus records.")
@credentials("--")
@PROJECT
def report(
    sources: tuple[str, ...],
    *,
    output: Path,
    prometheus: str | None,
    headers: tuple[str, ...],
    token_file: Path | None,
    project: Path | None,
) -> None:
    """Write all SLOs, alerts and routes as one HTML file that opens from disk.

    A catalogue with search and filters; of each SLO its budget, when its tiers fire, who is
    notified at which hours, and the path of each alert through the routing tree; dependencies;
    findings. The file needs no network. The same manifests give the same bytes; with --prometheus
    it contains the state at that moment.

    \b
    Examples:
      slo-compiler report
      slo-compiler report -o public/index.html
      slo-compiler report --prometheus http://prometheus:9090
    """
    from slo_compiler import catalogue, pipeline
    from slo_compiler.diagnostics import Report

    server = None
    if prometheus is not None:
        server = endpoint(prometheus, headers, token_file, option="--prometheus", prefix="--")
    elif headers or token_file:
        raise click.UsageError("--header and --token-file need --prometheus")
    run = Run(project, sources)
    with run.reporting():
        read = run.select()
        run.progress("planning")
        found, whole = run.report, read.whole
        planned = pipeline.plan_project(read.settings, read.files, found, whole=whole)
        found.raise_if_failed()
        facts = catalogue.facts_of(read.settings, planned, found.diagnostics, whole=whole)
        live = None
        if server is not None:
            run.progress("asking")
            levels = planned.tenants[0].levels if planned.tenants else ()
            live = _live(server, levels, read, {tenant.name for tenant in planned.tenants})
        run.clear()
        run.report = Report()  # the page has the findings
        text = catalogue.page(facts, live)
        if str(output) == "-":
            click.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
        size = f"{len(text.encode()) / 1000:,.0f} kB"
        number, tenants = count(len(facts.slos), "SLO"), count(len(facts.tenants), "tenant")
        say(f"{number} of {tenants} -> {output}: {size}")


def _live(
    server: tuple[str, Sequence[tuple[str, str]]],
    levels: Sequence[SeverityLevel],
    read: Selection,
    tenants: set[str],
) -> dict[str, object]:
    """Query a Prometheus; without an answer there is no report."""
    from slo_compiler import clock, pipeline, status
    from slo_compiler.catalogue.live import live_of
    from slo_compiler.cli.status import refused
    from slo_compiler.diagnostics import Report
    from slo_compiler.live.client import Client, RefusedError, ServerError

    try:
        found = status.ask(Client(*server), [] if read.whole else sorted(tenants))
    except (ServerError, RefusedError) as error:
        refused(error)
        sys.exit(EXIT_FINDINGS)
    behind: list[tuple[str, str]] = []
    if found.running is not None:
        manifests = pipeline.manifests_of(read.settings, read.files, Report())
        behind = [*status.compare(found.running, manifests)]
    return live_of(found, levels, behind, clock.now())
