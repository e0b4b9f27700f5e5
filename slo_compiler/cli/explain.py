"""`slo-compiler explain`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from slo_compiler.cli import completion
from slo_compiler.cli.options import PROJECT, SOURCES, text_or_json
from slo_compiler.cli.run import Run
from slo_compiler.cli.why import why


@click.command()
@click.argument(
    "slo", metavar="TENANT[/SERVICE[/SLO]]", required=False, shell_complete=completion.slos_or_more
)
@SOURCES
@click.option(
    "--alert",
    metavar="FILE",
    help="Explain a fired alert: its labels, or JSON of Alertmanager or a webhook; - for stdin.",
)
@click.option("--resolved", is_flag=True, help="Print the SLO with all that it inherits, as YAML.")
@text_or_json("How the explanation is printed.")
@PROJECT
def explain(
    slo: str | None,
    sources: tuple[str, ...],
    *,
    alert: str | None,
    resolved: bool,
    format_: str,
    project: Path | None,
) -> None:
    """Explain an SLO: its budget, when its alerts fire, its queries, its receivers, its cost.

    Also what it depends on, its earlier name, the parts of a composite, its exclusions with their
    next times, and the matchers that its selectors get.

    \b
    Examples:
      slo-compiler explain customer-b/checkout/availability
      slo-compiler explain customer-b/checkout --format json
      slo-compiler explain customer-b --resolved     # entries of spec.slos, nothing left out
      slo-compiler explain --alert alert.json        # or labels: {tenant="customer-b", ...}
    """
    if alert is not None:
        if slo is not None or resolved:
            raise click.UsageError("--alert names the SLO itself: leave out TENANT and --resolved")
        why(alert, project, format_)
        return
    if slo is None:
        raise click.UsageError("name a TENANT, TENANT/SERVICE or TENANT/SERVICE/SLO, or --alert")
    from slo_compiler import clock
    from slo_compiler.diagnostics import nearest
    from slo_compiler.view import explain as explaining
    from slo_compiler.view import resolved as yaml_of
    from slo_compiler.view import text as text_of

    run = Run(project, sources)
    with run.reporting():
        settings, tenants = run.resolve()
        found = explaining.select(tenants, slo)
        if not found:
            near = explaining.similar(tenants, slo)
            names = sorted({tenant.name for tenant in tenants})
            hint = f"; did you mean {' or '.join(near)}?" if near else ": " + nearest(slo, names)
            raise click.UsageError(f'no SLO "{slo}"{hint}')
        if resolved:
            click.echo(yaml_of.as_yaml(s for _, slos in found for s in slos), nl=False)
            return
        document = settings.manifest.document if settings.manifest else None
        explained = [
            *explaining.explain(found, tenants, settings.spec, document, run.report, clock.now())
        ]
        if format_ == "json":
            click.echo(json.dumps([asdict(one) for one in explained], indent=2))
        else:
            click.echo("\n".join(map(text_of.as_text, explained)), nl=False)
