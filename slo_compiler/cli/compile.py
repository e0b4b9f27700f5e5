"""`slo-compiler compile`."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import FORMAT, LOG, NO_CACHE, PROJECT, SOURCES, STRICT, shared
from slo_compiler.cli.run import Run
from slo_compiler.cli.words import listed, say, summary
from slo_compiler.diagnostics import Position

if TYPE_CHECKING:
    from slo_compiler.write import Changes


@click.command("compile")
@SOURCES
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Output folder.  [default: the project's, generated/]",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 with a diff if the folder is out of date."
)
@click.option(
    "--allow-removal",
    is_flag=True,
    help="Let all files of a tenant go whose manifest is gone; without a terminal it is needed.",
)
@click.option("--force", is_flag=True, help="Replace generated files that were edited by hand.")
@shared(PROJECT, FORMAT, STRICT, LOG, NO_CACHE)
def compile_command(
    sources: tuple[str, ...],
    output: Path | None,
    *,
    check: bool,
    allow_removal: bool,
    force: bool,
    project: Path | None,
    format_: str,
    strict: bool,
    log_json: Path | None,
    no_cache: bool,
) -> None:
    """Compile manifests into an output folder.

    SOURCE is a manifest, a folder of manifests, or - for stdin; the default is what the project
    file names. Nothing is written unless everything verifies.

    \b
    Examples:
      slo-compiler compile
      slo-compiler compile --check                 # in CI: is generated/ up to date?
      slo-compiler compile tenants/customer-b.yaml -o /tmp/out
      slo-compiler compile --allow-removal         # in CI: after a tenant's manifest was deleted
    """
    from slo_compiler import history, write

    run = Run(
        project,
        sources,
        format_,
        strict=strict,
        log=log_json,
        writes=not check,
        cache=not no_cache,
    )
    with run.reporting():
        compiled = run.compile()
        folder = output or compiled.settings.root / compiled.settings.spec.output
        history.check(write.recorded(folder).get("slos"), compiled.interfaces, run.report)
        compare = partial(write.compare, folder, compiled.artefacts, run.report, force=force)
        if check:
            changes = compare()
            run.log(compiled, changes)
            _compare(run, folder, changes)
            if changes.any:
                for line in write.diff(folder, compiled.artefacts, changes):
                    end = not line.endswith("\n")
                    click.echo(line, nl=end, err=run.machine_format)
            run.report.raise_if_failed()
        else:
            with write.exclusive(folder, partial(_waiting, run, folder)):
                changes = compare()
                if not allow_removal:
                    _confirm_removals(run, folder, changes)
                run.report.raise_if_failed()
                if changes.any:
                    run.progress(f"writing {len(changes.added) + len(changes.changed)} files")
                    write.write(folder, compiled.artefacts, changes)
            run.log(compiled, changes)
        run.clear()
        summary(compiled, folder, changes)


def _waiting(run: Run, folder: Path) -> None:
    run.clear()
    say(f"waiting for another compile that writes to {folder}")


def _compare(run: Run, folder: Path, changes: Changes) -> None:
    """Report an output folder that is out of date, and files in it that no compile wrote."""
    if changes.any:
        counts = ((changes.changed, "changed"), (changes.added, "missing"))
        rest = ((changes.removed, "of no manifest"), (changes.leftovers, "of a killed run"))
        what = [f"{len(paths)} {word}" for paths, word in (*counts, *rest) if paths]
        run.report.error(
            Position(str(folder)),
            "out-of-date",
            f"{folder} is out of date: {listed(what)}",
            "run slo-compiler compile",
        )
    for path in changes.foreign:
        run.report.error(
            Position(str(folder / path)),
            "foreign-rules",
            "the compiler did not write this file, and a deploy of the folder would load it",
            "move it to a folder of your own rules",
        )


def _confirm_removals(run: Run, folder: Path, changes: Changes) -> None:
    """Name the tenants whose files all go; without a person who reads it, that is an error."""
    if os.environ.get("CI") or not sys.stderr.isatty():
        for tenant, path in changes.removed_tenants.items():
            run.report.error(
                Position(str(folder / path)),
                "tenant-removed",
                f'no manifest declares tenant "{tenant}" any more: all of its rules would go',
                "is a source missing? if the tenant is to go, run this with --allow-removal",
            )
    elif changes.removed_tenants:
        run.clear()
        say(f"removing all rules of {listed([*changes.removed_tenants])}: no manifest is left")
