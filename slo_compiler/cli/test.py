"""`slo-compiler test`."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli import completion
from slo_compiler.cli.audit import versions
from slo_compiler.cli.options import LOG, PROJECT, shared, writable
from slo_compiler.cli.run import EXIT_FINDINGS, Run
from slo_compiler.cli.words import proved, say
from slo_compiler.diagnostics import Position

if TYPE_CHECKING:
    from slo_compiler.proofs.run import ProofResult


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    shell_complete=completion.tenants,
    help="Only this tenant; may be repeated.",
)
@click.option(
    "--slo",
    metavar="TENANT/SERVICE/SLO",
    shell_complete=completion.slos,
    help="Only this SLO.",
)
@click.option(
    "--only", type=click.Choice(["unit", "routes"]), help="Only tests of rules, or of routes."
)
@click.option(
    "--all", "again", is_flag=True, help="Also run what passed before, with the same tool."
)
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the results to a file, as JUnit XML.",
)
@shared(PROJECT, LOG)
def test(
    folder: Path | None,
    *,
    tenants: tuple[str, ...],
    slo: str | None,
    only: str | None,
    again: bool,
    junit: Path | None,
    project: Path | None,
    log_json: Path | None,
) -> None:
    """Run the proofs of an output folder with promtool and amtool.

    FOLDER is what compile wrote; the default is the project's output. Where the project's targets
    leave out the proofs, they are made in a temporary folder and run against the rules in FOLDER.

    \b
    Examples:
      slo-compiler test
      slo-compiler test --slo customer-b/checkout/availability
      slo-compiler test --tenant customer-b --only routes
      slo-compiler test generated --all --junit results.xml
    """
    from slo_compiler import tools
    from slo_compiler.proofs import run as proving

    if slo and slo.count("/") != len(("tenant", "service")):
        raise click.UsageError(f'--slo: expected TENANT/SERVICE/SLO, found "{slo}"')
    if slo and tenants:
        raise click.UsageError("--tenant and --slo exclude each other")
    writable(junit, "--junit")
    wanted = proving.Wanted(
        tenants=frozenset(tenants),
        slo=slo or "",
        routes=only != "unit",
        unit_tests=only != "routes",
    )
    run = Run(project, log=log_json)
    with run.reporting(), ExitStack() as stack:
        settings = run.settings()
        given, folder = folder, folder or settings.root / settings.spec.output
        run.audit.add(folder=str(folder), digest=_digest(folder))
        promtool = _tool("promtool", settings.root) if wanted.unit_tests else None
        amtool = _tool("amtool", settings.root) if wanted.routes else None
        if not proving.has_proofs(folder) and (given is None or project):
            stage = stack.enter_context(tempfile.TemporaryDirectory(prefix="slo-compiler-"))
            folder = _make_proofs(run, folder, Path(stage))
        if run.audit.wanted:
            run.audit.add(tools=versions({"promtool": promtool, "amtool": amtool}))
        known = proving.ProofCache() if again else proving.ProofCache.beside(settings.root)
        try:
            work = proving.jobs(
                folder, promtool, amtool, report=run.report, wanted=wanted, cache=known
            )
        except tools.ToolsError as error:
            raise click.ClickException(str(error)) from None
        results: list[ProofResult] = []
        run.audit.step("proving")
        for result in proving.run(work):
            results.append(result)
            run.progress(f"{result.name}: proved", len(results), len(work))
        run.clear()
        results.sort(key=_order)  # they come as they end, several at once
        run.audit.add(proofs=[_fact(result) for result in results])
        known.trim()
        if junit:
            junit.write_text(proving.junit(results), encoding="utf-8")
        proved(results)
        run.exit_code = EXIT_FINDINGS if any(result.failures for result in results) else 0


def _digest(folder: Path) -> str | None:
    """Return the digest of an output's record, which has those of all files; None without one."""
    from slo_compiler import naming

    path = folder / naming.LOCK_FILE
    return f"sha256:{sha256(path.read_bytes()).hexdigest()}" if path.is_file() else None


def _order(result: ProofResult) -> tuple[str, str]:
    return result.kind, result.name


def _fact(result: ProofResult) -> dict[str, object]:
    """Return what the audit record has of a proof."""
    return {
        "kind": result.kind,
        "name": result.name,
        "checks": result.checks,
        "failures": len(result.failures),
        "cached": result.cached,
        "seconds": round(result.seconds, 6),
    }


def _tool(name: str, project: Path) -> Path:
    """Find a tool.

    Raises:
        ClickException: it is not there.
    """
    from slo_compiler import tools

    found = tools.find(name, project=project)
    if found is None:
        raise click.ClickException(f"{name} was not found; {tools.how_to_get()}")
    return found


def _make_proofs(run: Run, output: Path, stage: Path) -> Path:
    """Make the proofs of the project in a folder, beside links to what was compiled."""
    from slo_compiler import naming

    rules = output / naming.RULES_FOLDER
    if not rules.is_dir():
        at = Position(str(output))
        run.report.error(at, "no-output", "it holds no rules", "run slo-compiler compile first")
        run.report.raise_if_failed()
    for artefact in run.make_proofs():
        path = stage / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    (stage / naming.RULES_FOLDER).symlink_to(rules.absolute(), target_is_directory=True)
    config = output / naming.ALERTMANAGER_FILE
    (stage / naming.ALERTMANAGER_FILE).symlink_to(config.absolute())
    run.clear()
    say(f"{output} holds no proofs: they were made from the manifests")
    return stage
