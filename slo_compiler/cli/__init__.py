"""The command line; this package is the only place that prints, exits and catches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from slo_compiler import __version__
from slo_compiler import report as reporting
from slo_compiler.cli.run import EXIT_FINDINGS, Run
from slo_compiler.cli.words import asked as asked_about
from slo_compiler.cli.words import say, size, skipped, summary, table
from slo_compiler.diagnostics import nearest

Command = TypeVar("Command", bound=Callable[..., Any])

_SOURCES = click.argument("sources", nargs=-1, metavar="[SOURCE]...")
_PROJECT = click.option(
    "--project",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Project file.  [default: slo-compiler.yaml, if it is there]",
)
_FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice([*reporting.FORMATS]),
    default="text",
    show_default=True,
    help="How findings are told, on stderr.",
)
_STRICT = click.option("--strict", is_flag=True, help="Exit 1 on warnings, too.")
_NO_CACHE = click.option(
    "--no-cache",
    is_flag=True,
    help="Compile all files anew, and keep no results in .slo-compiler-cache/.",
)
_LOG = click.option(
    "--log-json",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append an audit record of this run to a file: steps, durations, digests.",
)


def _shared(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="slo-compiler")
def main() -> None:
    """Compile tenants' SLO manifests to Prometheus rules and Alertmanager routes.

    Exit codes: 0 clean, 1 findings, 2 usage.

    \b
    Shell completion, for bash (or zsh, fish):
      eval "$(_SLO_COMPILER_COMPLETE=bash_source slo-compiler)"
    """


@main.command()
@_SOURCES
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Output folder.  [default: the project's, generated/]",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 with a diff if the folder is out of date."
)
@_shared(_PROJECT, _FORMAT, _STRICT, _LOG, _NO_CACHE)
def compile(  # noqa: A001
    sources: tuple[str, ...],
    output: Path | None,
    *,
    check: bool,
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
    """
    from slo_compiler import write  # noqa: PLC0415

    run = Run(
        project,
        sources,
        format_,
        strict=strict,
        log=log_json,
        writes=True,
        cache=not no_cache,
    )
    with run.reporting():
        compiled = run.compile()
        folder = output or compiled.settings.root / compiled.settings.spec.output
        changes = write.compare(folder, compiled.artefacts, run.report)
        run.report.raise_if_failed()
        if check:
            for line in write.diff(folder, compiled.artefacts, changes):
                click.echo(line, nl=line.endswith("\n") is False)
        else:
            run.progress(f"writing {len(changes.added) + len(changes.changed)} files")
            if changes.any:
                write.write(folder, compiled.artefacts, changes)
        run.log(compiled, changes)
        if check and changes.any:
            say(f"{folder} is out of date: run slo-compiler compile")
            run.exit_code = EXIT_FINDINGS
        else:
            summary(compiled, folder, changes)


def _read_by(reader: str) -> Callable[..., Any]:
    """Read an option by a function of live.options; what it refuses is a usage error."""

    def callback(_context: click.Context, _option: click.Parameter, given: Any) -> Any:  # noqa: ANN401
        if not given:
            return given
        from slo_compiler.live import options  # noqa: PLC0415

        read = getattr(options, reader)
        try:
            return tuple(map(read, given)) if isinstance(given, tuple) else read(given)
        except (ValueError, OSError) as error:
            raise click.BadParameter(str(error)) from None

    return callback


@main.command()
@_SOURCES
@click.option(
    "--live",
    metavar="URL",
    callback=_read_by("base_url"),
    help="Also ask a Prometheus whether the series are there, and are what the SLOs need.",
)
@click.option(
    "--live-header",
    multiple=True,
    metavar="HEADER",
    callback=_read_by("header"),
    help='A header to ask with, such as "X-Scope-OrgID: customer-b"; may be repeated.',
)
@click.option(
    "--live-token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    callback=_read_by("token_header"),
    help="A file that holds a bearer token to ask with.",
)
@_shared(_PROJECT, _FORMAT, _STRICT, _LOG, _NO_CACHE)
def check(
    sources: tuple[str, ...],
    project: Path | None,
    format_: str,
    *,
    live: str | None,
    live_header: tuple[tuple[str, str], ...],
    live_token_file: tuple[str, str] | None,
    strict: bool,
    log_json: Path | None,
    no_cache: bool,
) -> None:
    """Check manifests with all lints, promtool and amtool; write nothing.

    Where there is no error, this tells what compile does not: findings of severity info.

    \b
    Examples:
      slo-compiler check
      slo-compiler check tenants/customer-b.yaml --format github
      git show HEAD:tenants/customer-b.yaml | slo-compiler check -
      slo-compiler check --live http://prometheus:9090
    """
    if not live and (live_header or live_token_file):
        raise click.UsageError("--live-header and --live-token-file need --live URL")
    headers = [*live_header, *([live_token_file] if live_token_file else [])]
    run = Run(project, sources, format_, strict=strict, log=log_json, cache=not no_cache)
    with run.reporting():
        compiled = run.compile()
        if live:
            _ask(run, live, headers)
        run.log(compiled, None)
        run.report.raise_if_failed()
        say(f"{size(compiled)}: no errors{skipped(compiled)}")


@main.command()
@click.argument("lint_id", required=False, metavar="[ID]")
def lints(lint_id: str | None) -> None:
    """List all lints, or explain one.

    \b
    Examples:
      slo-compiler lints
      slo-compiler lints fires-within-budget
    """
    from slo_compiler.lint import document  # noqa: PLC0415

    if lint_id is None:
        click.echo(document.listing(), nl=False)
    elif (rule := document.find(lint_id)) is None:
        raise click.UsageError(f'no lint "{lint_id}": {document.meant(lint_id)}')
    else:
        click.echo(document.explained(rule), nl=False)


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the results to a file, as JUnit XML.",
)
@_PROJECT
def test(folder: Path | None, junit: Path | None, project: Path | None) -> None:
    """Run the proofs of an output folder with promtool and amtool.

    FOLDER is what compile wrote; the default is the project's output.

    \b
    Examples:
      slo-compiler test
      slo-compiler test generated --junit results.xml
    """
    from slo_compiler import tools  # noqa: PLC0415
    from slo_compiler.proofs import run as prove  # noqa: PLC0415

    run = Run(project, (), "text", strict=False, log=None)
    with run.reporting():
        folder = folder or run.output()
        found = {name: tools.find(name) for name in tools.CLIENTS}
        missing = [name for name, path in found.items() if path is None]
        if found["promtool"] is None or found["amtool"] is None:
            raise click.ClickException(
                f"not found: {', '.join(missing)}; slo-compiler tools fetches them"
            )
        work = prove.jobs(folder, found["promtool"], found["amtool"])
        results = []
        for result in prove.run(work):
            results.append(result)
            run.progress(f"proved {len(results)} of {len(work)}: {result.name}")
        run.clear()
        if junit:
            junit.write_text(prove.junit(results), encoding="utf-8")
        table(results)
        run.exit_code = EXIT_FINDINGS if any(result.failures for result in results) else 0


@main.command()
@click.argument("slo", metavar="TENANT[/SERVICE[/SLO]]")
@_SOURCES
@click.option("--resolved", is_flag=True, help="Print the SLO with all that it inherits, as YAML.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the explanation is printed.",
)
@_PROJECT
def explain(
    slo: str, sources: tuple[str, ...], *, resolved: bool, format_: str, project: Path | None
) -> None:
    """Explain an SLO: its budget, when its alerts fire, its queries, who hears of it, its cost.

    \b
    Examples:
      slo-compiler explain customer-b/checkout/availability
      slo-compiler explain customer-b/checkout --format json
      slo-compiler explain customer-b --resolved     # entries of spec.slos, nothing left out
    """
    from slo_compiler.view import explain as explaining  # noqa: PLC0415
    from slo_compiler.view import resolved as yaml_of  # noqa: PLC0415
    from slo_compiler.view import text as text_of  # noqa: PLC0415

    run = Run(project, sources, "text", strict=False, log=None)
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
        told = [*explaining.explain(found, tenants, settings.spec, document, run.report)]
        if format_ == "json":
            click.echo(json.dumps([asdict(one) for one in told], indent=2, ensure_ascii=False))
        else:
            click.echo("\n".join(map(text_of.as_text, told)), nl=False)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def init(folder: Path) -> None:
    """Write a working GitOps repo: a project file, a first tenant, a Makefile and CI.

    Files that are there already are left alone.

    \b
    Examples:
      slo-compiler init my-slos && cd my-slos && make rules
    """
    from slo_compiler.init import write_repo  # noqa: PLC0415

    for path, written in write_repo(folder):
        say(f"{'wrote' if written else 'kept '}  {path}")


@main.command()
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@click.option("--servers", is_flag=True, help="Also the Prometheus server, for tests.")
def tools(suites: tuple[str, ...], *, servers: bool) -> None:
    """Fetch promtool and amtool without root (Debian and Ubuntu).

    They go to $SLO_COMPILER_TOOLS, or .tools in the current folder; what is there stays.
    SUITE is a release such as forky; the default is the newest.
    """
    from slo_compiler import tools as fetching  # noqa: PLC0415

    sys.exit(fetching.main([*suites, *(["--servers"] if servers else [])]))


@main.command()
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
    from slo_compiler.schema.json_schema import json_schema  # noqa: PLC0415

    click.echo(json.dumps(json_schema(kind), indent=2))


def _ask(run: Run, url: str, headers: Sequence[tuple[str, str]]) -> None:
    """Ask a Prometheus, and print one line for each SLO."""
    from slo_compiler import live  # noqa: PLC0415
    from slo_compiler.live.client import Client  # noqa: PLC0415

    settings, planned = run.plan()
    asked = Client(url, headers)
    at = settings.at("spec", "prometheus", key=True)
    answers = live.ask(
        asked,
        planned.plan.tenants,
        settings.spec.prometheus,
        at,
        run.report,
        run.progress,
    )
    run.clear()
    if not answers:
        return
    asked_about(answers, asked.asked, url)
