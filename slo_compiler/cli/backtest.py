"""`slo-compiler backtest`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from slo_compiler.cli import completion
from slo_compiler.cli.options import PROJECT, text_or_json
from slo_compiler.cli.run import EXIT_FINDINGS, Run
from slo_compiler.cli.server import credentials, endpoint
from slo_compiler.cli.states import planned, project_file
from slo_compiler.cli.status import refused
from slo_compiler.cli.words import lines, say

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from slo_compiler.backtest.moments import History
    from slo_compiler.backtest.run import Backtest, HistorySource
    from slo_compiler.backtest.scope import BacktestScope
    from slo_compiler.plan import PlannedTenant

_ANSWER_SECONDS = 120.0  # samples are many


@click.command()
@click.option("--prometheus", metavar="URL", required=True, help="Whose history is evaluated.")
@click.option(
    "--from",
    "from_",
    metavar="TIME",
    default="30d",
    show_default=True,
    help="Where it begins: 2026-11-01, 2026-11-01T12:00Z, or 30d for 30 days ago.",
)
@click.option(
    "--to", metavar="TIME", default="now", show_default=True, help="Where it ends, likewise."
)
@click.option("--against", metavar="STATE", help="A git revision or a folder to compare with.")
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    shell_complete=completion.tenants,
    help="Only this tenant; may be repeated.",
)
@click.option(
    "--slo",
    "slos",
    multiple=True,
    metavar="TENANT/SERVICE/SLO",
    shell_complete=completion.slos_or_more,
    help="Only this SLO; may be repeated.",
)
@click.option("--no-cache", is_flag=True, help="Keep no samples in .slo-compiler-cache/backtest/.")
@credentials("--")
@text_or_json("How the result is printed.")
@PROJECT
def backtest(
    *,
    prometheus: str,
    from_: str,
    to: str,
    against: str | None,
    tenants: tuple[str, ...],
    slos: tuple[str, ...],
    no_cache: bool,
    headers: tuple[str, ...],
    token_file: Path | None,
    format_: str,
    project: Path | None,
) -> None:
    """Show which alerts would have fired over the history that a Prometheus has.

    Fetches the samples that the SLOs read, and lets a VictoriaMetrics of its own evaluate the
    compiled rules over them: when each alert would have fired, for how long, at what budget.

    \b
    Examples:
      slo-compiler backtest --prometheus http://prometheus:9090 --from 30d
      slo-compiler backtest --prometheus http://prometheus:9090 --against main --tenant customer-b
      slo-compiler backtest --prometheus http://prometheus:9090 --from 2026-11-01 --to 2026-11-08
    """
    from slo_compiler.backtest.moments import History

    url, asked_with = endpoint(prometheus, headers, token_file, option="--prometheus", prefix="--")
    span = History(*_span(from_, to))
    with ExitStack() as stack:
        own = project_file(None, project, stack)
        sides = [
            planned(word, project, stack) for word in ((against, None) if against else (None,))
        ]
        if None in sides:
            sys.exit(EXIT_FINDINGS)
        scopes = _scopes([side or () for side in sides], tenants, slos, against)
        folder = own.parent
        temporary = stack.enter_context(TemporaryDirectory(prefix="slo-compiler-"))
        results = _run(url, asked_with, scopes, span, folder, Path(temporary) if no_cache else None)
    _print(results, against, format_)


def _span(from_: str, to: str) -> tuple[int, int]:
    from slo_compiler import clock
    from slo_compiler.backtest.moments import milliseconds, moment

    now = clock.now().replace(microsecond=0, second=0)

    def read(option: str, text: str) -> int:
        try:
            return milliseconds(moment(text, now)) // 60_000 * 60_000
        except (ValueError, OverflowError) as error:
            raise click.BadParameter(str(error), param_hint=f"'{option}'") from None

    start, end = read("--from", from_), read("--to", to)
    if end > milliseconds(now):
        raise click.BadParameter("it lies in the future", param_hint="'--to'")
    if start >= end:
        raise click.BadParameter("it is not before --to", param_hint="'--from'")
    return start, end


def _scopes(
    sides: Sequence[Sequence[PlannedTenant]],
    tenants: Collection[str],
    slos: Collection[str],
    against: str | None,
) -> list[BacktestScope]:
    """Choose the rules of each side; exits where VictoriaMetrics cannot evaluate them."""
    from slo_compiler.backtest import choice
    from slo_compiler.backtest.scope import scope_of
    from slo_compiler.cli.states import print_errors
    from slo_compiler.diagnostics import CompileError, Report

    known = [[slo.identity for tenant in side for slo in tenant.slos] for side in sides]
    everywhere = [identity for side in known for identity in side]
    for option, words, parts in (("--tenant", tenants, (1,)), ("--slo", slos, (1, 2, 3))):
        if why := choice.unknown(words, everywhere, parts):
            raise click.BadParameter(why, param_hint=f"'{option}'")
    wanted = [choice.chosen(side, tenants, slos) for side in known]
    if not any(wanted):
        raise click.UsageError("no SLO is of these tenants and of these names")
    found = []
    for word, side, chosen in zip((against, None)[-len(sides) :], sides, wanted, strict=True):
        report = Report()
        try:
            found.append(scope_of(side, {*chosen}, report))
        except CompileError as error:
            report.extend(error.diagnostics)
            print_errors(word, Path.cwd(), report, "cannot be evaluated by VictoriaMetrics")
            sys.exit(EXIT_FINDINGS)
    return found


def _run(
    url: str,
    headers: list[tuple[str, str]],
    scopes: Sequence[BacktestScope],
    span: History,
    folder: Path,
    temporary: Path | None,
) -> list[Backtest]:
    """Evaluate each side; prints why, and exits, where that is not possible."""
    from slo_compiler.backtest import engine
    from slo_compiler.backtest.run import HistorySource, NoHistoryError, backtest
    from slo_compiler.backtest.store import ChunkStore
    from slo_compiler.cache import FOLDER
    from slo_compiler.live.client import Client, RefusedError, ServerError

    run = Run()

    def progress(step: str, done: int, of: int) -> None:
        run.progress(step, done + 1 if of else None, of)

    client = Client(url, headers, _ANSWER_SECONDS, prefix="--")
    store = ChunkStore(temporary or folder / FOLDER)
    source = HistorySource(client, headers, store)
    try:
        programs = engine.programs(folder)
        source.client.connect()
        found = [backtest(source, programs, scope, span, progress) for scope in scopes]
    except (ServerError, RefusedError, engine.EngineError) as error:
        run.clear()
        refused(error)
    except NoHistoryError:
        run.clear()
        refused(_no_history(source, scopes))
    else:
        run.clear()
        source.store.trim()
        for words in source.client.warned:
            say(f"{url}: {words}")
        return found
    sys.exit(EXIT_FINDINGS)


def _no_history(source: HistorySource, scopes: Sequence[BacktestScope]) -> Exception:
    from slo_compiler.live.client import ServerError

    selectors = [each.text for scope in scopes for each in scope.selectors]
    first = f", such as {selectors[0]}" if selectors else ""
    return ServerError(
        f"{source.client.url} has no sample of what the SLOs read{first}",
        "is it the Prometheus that scrapes them, and does its retention reach back to --from?",
    )


def _print(results: Sequence[Backtest], against: str | None, format_: str) -> None:
    from slo_compiler.backtest import compare, compare_text, text

    if against is None:
        (result,) = results
        if format_ == "json":
            click.echo(text.as_json(result), nl=False)
        else:
            lines(text.as_text(result))
        return
    old, new = results
    differences = compare.compare(old, new)
    if format_ == "json":
        click.echo(compare_text.as_json(differences, old, new, against), nl=False)
    else:
        word = Path(against).resolve().name if Path(against).is_dir() else against
        lines(compare_text.as_text(differences, old, new, word))
