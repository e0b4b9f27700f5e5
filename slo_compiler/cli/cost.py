"""`slo-compiler cost`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli import completion
from slo_compiler.cli.options import PROJECT, SOURCES, text_or_json
from slo_compiler.cli.run import Run
from slo_compiler.cli.server import credentials, endpoint
from slo_compiler.cli.words import count, listed, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slo_compiler.cost import Assumed
    from slo_compiler.pipeline import Settings
    from slo_compiler.plan import PlannedTenant

_NUMBER = click.FloatRange(min=0, max=1e9)


@click.command()
@SOURCES
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    shell_complete=completion.tenants,
    help="Only this tenant; may be repeated.",
)
@click.option(
    "--target",
    default="prometheus",
    show_default=True,
    metavar="TARGET",
    help="Whose engine evaluates the rules: prometheus, operator, thanos, mimir, victoriametrics.",
)
@click.option(
    "--series",
    type=_NUMBER,
    default=1,
    show_default=True,
    help="Series that each selector of an SLI matches.",
)
@click.option(
    "--values",
    type=_NUMBER,
    default=1,
    show_default=True,
    help="Series of each SLO with `by`: combinations of its labels.",
)
@click.option("--live", metavar="URL", help="Query a Prometheus for the numbers of both.")
@credentials("--live-")
@text_or_json("How the costs are printed.")
@PROJECT
def cost(
    sources: tuple[str, ...],
    *,
    tenants: tuple[str, ...],
    target: str,
    series: float,
    values: float,
    live: str | None,
    headers: tuple[str, ...],
    token_file: Path | None,
    format_: str,
    project: Path | None,
) -> None:
    """Estimate what the rules cost: rules, series, samples that evaluation reads, CPU time.

    Each tenant and SLO has a line, the dearest first. An SLO's rules are those about it alone; its
    other figures have its share of the rules that its tenant's SLOs have in common.

    \b
    Examples:
      slo-compiler cost
      slo-compiler cost --tenant customer-b --series 40
      slo-compiler cost --live http://prometheus:9090 --format json
    """
    if not live and (headers or token_file):
        raise click.UsageError("--live-header and --live-token-file need --live URL")
    given = endpoint(live, headers, token_file, option="--live", prefix="--live-") if live else None
    from slo_compiler import cost as costing
    from slo_compiler.render import tenant_rules
    from slo_compiler.view import cost as view

    if target not in costing.ENGINES:
        raise click.BadParameter(
            f'no rules are evaluated for "{target}": name {listed([*costing.ENGINES])}',
            param_hint="'--target'",
        )
    run = Run(project, sources)
    with run.reporting():
        settings, planned = _planned(run, tenants)
        assumed = costing.Assumed(series, values)
        if given:
            assumed = _counted(run, settings, planned, assumed, *given)
        found = [
            each
            for one in planned
            if (each := costing.tenant_cost(one, tenant_rules(one), settings.spec, target, assumed))
        ]
        if len(found) < len(planned):
            missing = count(len(planned) - len(found), "tenant")
            say(f"without {missing} whose rules do not fit {target}: slo-compiler check says why")
        words = [*_assumptions(assumed, live)]
        if format_ == "json":
            click.echo(json.dumps(view.as_data(found, target, words), indent=2))
        else:
            for line in view.as_text(found, words):
                click.echo(line)


def _planned(run: Run, names: Sequence[str]) -> tuple[Settings, list[PlannedTenant]]:
    """Plan the tenants of these names, or all.

    Raises:
        UsageError: there is no tenant of a name.
    """
    from slo_compiler.diagnostics import nearest
    from slo_compiler.plan import plan_tenant

    settings, tenants = run.resolve()
    known = {tenant.name for tenant in tenants}
    for name in names:
        if name not in known:
            raise click.UsageError(f'no tenant "{name}": {nearest(name, sorted(known))}')
    wanted = [one for one in tenants if one.slos and (not names or one.name in names)]
    planned = [plan_tenant(one, settings.spec.prometheus, run.report) for one in wanted]
    run.report.raise_if_failed()
    return settings, planned


def _counted(
    run: Run,
    settings: Settings,
    planned: Sequence[PlannedTenant],
    assumed: Assumed,
    url: str,
    headers: Sequence[tuple[str, str]],
) -> Assumed:
    """Query a Prometheus for how many series there are; that it gives no answer is a finding."""
    from slo_compiler.live.client import Client, ServerError
    from slo_compiler.live.series import count_series

    run.progress(f"asking {url}")
    try:
        return count_series(Client(url, headers), planned, assumed)
    except ServerError as error:
        at = settings.at("spec", "prometheus", key=True)
        run.report.error(at, "live-unreachable", error.message, error.help)
        run.report.raise_if_failed()
        raise
    finally:
        run.clear()


def _assumptions(assumed: Assumed, live: str | None) -> list[str]:
    """Return what the figures assume."""
    from slo_compiler.view.cost import EVALUATION, LOADED

    series = f"{assumed.series:g} for each selector of an SLI (--series), {assumed.values:g} for"
    counted = f"as {live} counts them now; where it refuses, {series} each `by` (--values)"
    return [
        "series: " + (counted if live else f"{series} each SLO with `by` (--values)"),
        f"samples/s: {LOADED}",
        f"CPU: {EVALUATION}",
    ]
