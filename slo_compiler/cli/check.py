"""`slo-compiler check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import (
    FORMAT,
    LOG,
    NO_CACHE,
    PROJECT,
    SOURCES,
    STDIN_NAME,
    STRICT,
    shared,
)
from slo_compiler.cli.run import Run
from slo_compiler.cli.server import credentials, endpoint
from slo_compiler.cli.words import answered, checked, say, size

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@SOURCES
@click.option(
    "--live",
    metavar="URL",
    help="Also query a Prometheus whether the series are there, and are what the SLOs need.",
)
@credentials("--live-")
@shared(STDIN_NAME, PROJECT, FORMAT, STRICT, LOG, NO_CACHE)
def check(
    sources: tuple[str, ...],
    project: Path | None,
    format_: str,
    *,
    live: str | None,
    headers: tuple[str, ...],
    token_file: Path | None,
    stdin_filename: str | None,
    strict: bool,
    log_json: Path | None,
    no_cache: bool,
) -> None:
    """Check manifests with all lints, promtool and amtool; write nothing.

    Where there is no error, this reports what compile does not: findings of severity info. A SOURCE
    among the project's sources is checked with all of them, and its own findings are reported.

    \b
    Examples:
      slo-compiler check
      slo-compiler check tenants/customer-b.yaml --format github
      slo-compiler check - --stdin-filename tenants/customer-b.yaml < draft.yaml
      slo-compiler check --live http://prometheus:9090
    """
    url, asked_with = _live_options(live, headers, token_file)
    run = Run(
        project,
        sources,
        format_,
        strict=strict,
        log=log_json,
        with_context=True,
        stdin_name=stdin_filename,
        cache=not no_cache,
    )
    with run.reporting():
        compiled = run.compile()
        if url:
            _ask(run, url, asked_with)
        run.log(compiled, None)
        run.report.raise_if_failed()
        run.clear()
        say(f"{size(compiled)}: no errors{checked(compiled)}")


def _live_options(
    live: str | None, given: Sequence[str], token_file: Path | None
) -> tuple[str | None, list[tuple[str, str]]]:
    """Read the options of --live.

    Raises:
        UsageError: one of them is none, or there is no URL.
    """
    if not live:
        if given or token_file:
            raise click.UsageError("--live-header and --live-token-file need --live URL")
        return None, []
    return endpoint(live, given, token_file, option="--live", prefix="--live-")


def _ask(run: Run, url: str, headers: Sequence[tuple[str, str]]) -> None:
    """Query a Prometheus, and print one line for each SLO."""
    from slo_compiler import live
    from slo_compiler.live.client import Client

    settings, planned = run.plan()
    client = Client(url, headers)
    answers = live.ask(
        client,
        planned.plan.tenants,
        settings.spec.prometheus,
        settings.at("spec", "prometheus", key=True),
        run.report,
        run.progress,
    )
    run.clear()
    if answers:
        answered(answers, client.asked, url, err=run.machine_format)
