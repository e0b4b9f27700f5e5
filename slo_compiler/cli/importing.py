"""`slo-compiler import`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from slo_compiler.cli.options import PROJECT
from slo_compiler.cli.run import EXIT_FINDINGS, Run
from slo_compiler.cli.words import count, say

# As importing.formats.FORMATS, which is not imported for --help.
FORMATS = ("sloth", "pyrra", "openslo", "compose", "rules")
WITH_PERIOD = ("sloth",)
WITH_COMPAT = ("sloth", "pyrra")
COMPAT_MODES = ("alongside", "instead")
WITH_TENANTS = ("compose",)  # whose files may name tenants


@click.command("import")
@click.argument("format_", metavar="FORMAT", type=click.Choice(FORMATS))
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--tenant", help="Name of the tenant whose SLOs these are, unless they name it.")
@click.option("--period", help="The period that Sloth was run with.  [default: 30d]")
@click.option(
    "--compat",
    type=click.Choice(COMPAT_MODES),
    help="Record the series that the dashboards of Sloth or Pyrra read, too: alongside its rules, "
    "or instead of them.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write TENANT.yaml into this folder; without it, the manifest is printed.",
)
@click.option("--force", is_flag=True, help="Replace TENANT.yaml if it exists.")
@PROJECT
def import_command(
    format_: str,
    files: tuple[str, ...],
    tenant: str | None,
    period: str | None,
    compat: str | None,
    output: Path | None,
    project: Path | None,
    *,
    force: bool,
) -> None:
    """Make manifests out of files of another tool: sloth, pyrra, openslo, compose or rules.

    What was approximated or left out is a finding at its line and a comment of the manifest. An SLO
    that cannot be imported is an error; the others are written, and the exit code is 1.

    \b
    Examples:
      slo-compiler import sloth slos/*.yml --tenant checkout -o tenants
      slo-compiler import sloth slos/ --tenant checkout --period 28d
      slo-compiler import pyrra slos/ --tenant checkout -o tenants
      slo-compiler import pyrra slos/ --tenant checkout --compat alongside -o tenants
      slo-compiler import openslo slos/ --tenant checkout -o tenants
      slo-compiler import compose compose.yml -o tenants
      slo-compiler import rules rules/*.yml --tenant checkout -o tenants
    """
    from slo_compiler import naming, pipeline, reading
    from slo_compiler.cli import inputs
    from slo_compiler.diagnostics import Report
    from slo_compiler.importing import formats
    from slo_compiler.importing.manifest import import_files
    from slo_compiler.importing.model import Options
    from slo_compiler.schema.texts import DNS_LABEL

    if tenant is not None and not DNS_LABEL.fullmatch(tenant):
        raise click.UsageError("--tenant: use lowercase letters, digits and inner hyphens")
    _refuse_options(format_, tenant, period, compat)
    if format_ not in WITH_TENANTS:
        _refuse_existing(output, [f"{tenant}.yaml"], force=force)
    run = Run(project)
    with run.reporting():
        path = project or inputs.find_project(Path.cwd())
        settings = pipeline.read_project(path, run.report)
        found = reading.read_sources(files, settings.root, run.report)
        format_of = {each.name: each for each in formats.FORMATS}
        sources = output.as_posix() if output else naming.SOURCES_FOLDER
        options = Options(tenant or "", settings, period, sources, compat)
        shared = pipeline.read_shared(settings, Report()).environment.shared
        written = import_files(format_of[format_], found, options, run.report, shared)
        files_of = {f"{name}.yaml": text for name, text in written.manifests.items()}
        _refuse_existing(output, files_of, force=force)
        if written.text is None:
            say("nothing was written")
        elif output is None:
            click.echo(written.text, nl=False, color=False)
        else:
            output.mkdir(parents=True, exist_ok=True)
            for name, text in files_of.items():
                (output / name).write_text(text, encoding="utf-8")
            if written.project and path is None:
                Path(naming.PROJECT_FILE).write_text(written.project, encoding="utf-8")
                say(f"wrote {naming.PROJECT_FILE}")
        where = f" to {', '.join(str(output / name) for name in files_of)}" if output else ""
        where = where if files_of else ""
        of_them = f", {written.approximated} of them changed" if written.approximated else ""
        refused = f", {count(written.refused, 'SLO')} refused" if written.refused else ""
        say(f"imported {count(written.slos, 'SLO')}{where}{of_them}{refused}")
        if run.report.failed:
            run.exit_code = EXIT_FINDINGS


def _refuse_options(
    format_: str, tenant: str | None, period: str | None, compat: str | None
) -> None:
    """Refuse options that do not go with the format."""
    if tenant is None and format_ not in WITH_TENANTS:
        raise click.UsageError(f"--tenant is missing: {format_} files name no tenant")
    if period and format_ not in WITH_PERIOD:
        raise click.UsageError(f"--period: {format_} names the period of each SLO itself")
    if compat and format_ not in WITH_COMPAT:
        raise click.UsageError(f"--compat: no series are known that readers of {format_} need")


def _refuse_existing(folder: Path | None, names: Iterable[str], *, force: bool) -> None:
    for target in [folder / name for name in names] if folder and not force else ():
        if target.exists():
            raise click.UsageError(
                f"{target} exists; choose another folder, or replace it: --force"
            )
