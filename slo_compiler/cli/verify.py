"""`slo-compiler verify`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import LOG, NO_CACHE, PROJECT, SOURCES, shared, text_or_json
from slo_compiler.cli.run import EXIT_FINDINGS, Run
from slo_compiler.cli.words import count, listed, say, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slo_compiler.pipeline import Compiled
    from slo_compiler.write import FoundFile

SHORT = 12  # hex digits of a digest that people compare


@click.command()
@click.argument(
    "folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@SOURCES
@click.option(
    "--part",
    metavar="FOLDER",
    default="",
    help="DIR is this folder of the output alone, such as prometheus/rules.",
)
@text_or_json("How the comparison is printed.")
@shared(PROJECT, LOG, NO_CACHE)
def verify(
    folder: Path,
    sources: tuple[str, ...],
    *,
    part: str,
    format_: str,
    project: Path | None,
    log_json: Path | None,
    no_cache: bool,
) -> None:
    """Prove that a folder is byte for byte what the manifests compile to.

    DIR is any folder, such as the one that a server has mounted. Each file is the same, differs,
    is missing or is extra; all but the first is exit code 1. Nothing is written to it, and no tool
    is needed.

    \b
    Examples:
      slo-compiler verify generated
      slo-compiler verify /etc/prometheus/rules --part prometheus/rules
      slo-compiler verify generated --format json
    """
    from slo_compiler import write
    from slo_compiler.diagnostics import Report

    run = Run(project, sources, cache=not no_cache, log=log_json)
    with run.reporting():
        compiled = run.compile(checked=False)
        run.clear()
        run.report = Report()  # warnings and infos are for `check` to report
        part = part.strip("/")
        parts = sorted({Path(a.path).parent.as_posix() for a in compiled.artefacts} - {"."})
        if part and not any(f"{each}/".startswith(f"{part}/") for each in parts):
            raise click.UsageError(f'--part: the output has no folder "{part}": {listed(parts)}')
        files = write.states(folder, compiled.artefacts, part)
        run.audit.add(
            folder=str(folder),
            part=part,
            compiled=_facts(compiled),
            counts=Counter(str(each.state) for each in files),
            files={each.path: each.found for each in files},
        )
        show = _as_json if format_ == "json" else _as_text
        show(folder, part, compiled, files)
        if not _is_same(files):
            run.exit_code = EXIT_FINDINGS


def _is_same(files: Sequence[FoundFile]) -> bool:
    return all(each.state == "same" for each in files)


def _facts(compiled: Compiled) -> dict[str, object]:
    from slo_compiler import __version__

    spec = compiled.settings.spec
    return {
        "digest": f"sha256:{compiled.artefacts[-1].digest}",
        "slo_compiler": __version__,
        "prometheus": str(spec.prometheus.version),
        "alertmanager": str(spec.alertmanager.version),
        "tenants": compiled.counts["tenants"],
        "slos": compiled.counts["slos"],
    }


def _as_json(folder: Path, part: str, compiled: Compiled, files: Sequence[FoundFile]) -> None:
    record = {
        "folder": str(folder),
        "part": part,
        "same": _is_same(files),
        "compiled": _facts(compiled),
        "files": [asdict(each) for each in files],
    }
    click.echo(json.dumps(record, indent=2, ensure_ascii=True))


def _as_text(folder: Path, part: str, compiled: Compiled, files: Sequence[FoundFile]) -> None:
    """Print the files that are not the same, then the counts, then what they were compared with."""
    from slo_compiler.report import printable, table
    from slo_compiler.write import FileState

    rows = [
        (str(each.state), each.path, f"{_short(each.found)} {_short(each.compiled)}")
        for each in files
        if each.state != "same"
    ]
    if rows:
        rows = [("", "file", f"{'here':<{SHORT}} compiled"), *rows]
    for line in table(rows):
        click.echo(line)
    number = {state: sum(each.state is state for each in files) for state in FileState}
    parts = [f"{number[state]} {state}" for state in number if number[state]]
    what = "is" if _is_same(files) else "is not"
    whole = f"the folder {part} of what" if part else "what"
    facts = _facts(compiled)
    say(
        f"{printable(str(folder))} {what} {whole} the manifests compile to: "
        f"{count(len(files), 'file')}, {listed(parts)}"
    )
    digest = str(facts["digest"])[: len("sha256:") + SHORT]
    say(
        f"compiled {size(compiled)}: {digest}, slo-compiler {facts['slo_compiler']}, "
        f"for Prometheus {facts['prometheus']} and Alertmanager {facts['alertmanager']}"
    )


def _short(digest: str) -> str:
    return digest[:SHORT] or "-" * SHORT
