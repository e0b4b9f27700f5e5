"""`slo-compiler lints` and `schema`: what there is to look up."""

from __future__ import annotations

import json

import click

from slo_compiler.cli import completion


@click.command()
@click.argument("id_", required=False, metavar="[ID]", shell_complete=completion.finding_ids)
def lints(id_: str | None) -> None:
    """List all lints, or explain a finding by its ID.

    \b
    Examples:
      slo-compiler lints
      slo-compiler lints fires-within-budget
      slo-compiler lints unknown-key                 # errors are explained, too
    """
    from slo_compiler.lint import document

    if id_ is None:
        click.echo(document.listing(), nl=False)
        return
    text = document.explanation(id_)
    if text is None:
        raise click.UsageError(f'no lint "{id_}": {document.meant(id_)}')
    click.echo(text, nl=False)


@click.command()
@click.argument(
    "kind",
    type=click.Choice(["Tenant", "Project", "AlertPolicy", "SLOTemplate"], case_sensitive=False),
    default="Tenant",
)
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of manifest, for editors.

    \b
    Examples:
      slo-compiler schema > .vscode/tenant.schema.json
      # first line of a manifest, for yaml-language-server:
      # yaml-language-server: $schema=.vscode/tenant.schema.json
    """
    from slo_compiler.schema.json_schema import json_schema

    click.echo(json.dumps(json_schema(kind), indent=2))
