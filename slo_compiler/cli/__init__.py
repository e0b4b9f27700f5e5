"""The command line; this package is the only place that prints, exits and catches."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Callable
from typing import Any

import click

from slo_compiler import process
from slo_compiler.cli import completion, stdio
from slo_compiler.cli.backtest import backtest
from slo_compiler.cli.check import check
from slo_compiler.cli.compile import compile_command
from slo_compiler.cli.cost import cost
from slo_compiler.cli.diff import diff
from slo_compiler.cli.explain import explain
from slo_compiler.cli.fill_secrets import fill_secrets
from slo_compiler.cli.importing import import_command
from slo_compiler.cli.reference import lints, schema
from slo_compiler.cli.repo import init, tools
from slo_compiler.cli.report import report
from slo_compiler.cli.status import status
from slo_compiler.cli.test import test
from slo_compiler.cli.verify import verify
from slo_compiler.cli.words import say

__all__ = ["main"]


class Program(click.Group):
    """All commands: whatever ends one, there is no traceback, no tool and no folder left."""

    def __call__(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401  (as click's own method)
        """Run a command as all that this process does, and exit.

        Runs are short and make almost no cycles: to search for them, at the end too, takes a tenth
        of a short run.
        """
        gc.disable()
        atexit.register(gc.freeze)
        return super().__call__(*args, **extra)

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401  (as click's own method)
        """Run a command and exit."""
        stdio.repair()
        if completion.is_asked():
            return _complete(super().main, *args, **extra)
        try:
            with process.ended_by_signals():
                return super().main(*args, **extra)
        except process.Interrupted as end:
            say(f"slo-compiler: ended by {end.signal.name}")
            raise
        except OSError as error:
            stdio.leave(error)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that the line names; what the system refuses is reported in one line."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            stdio.leave(error)


def _complete(main: Callable[..., Any], *args: Any, **extra: Any) -> Any:  # noqa: ANN401
    """Complete a word for a shell; what goes wrong shows nothing amid the line that is typed."""
    try:
        return main(*args, **extra)
    except Exception:  # noqa: BLE001  (whatever it is: the variables are the shell's)
        sys.exit(stdio.EXIT_FAILED)


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="slo-compiler", prog_name="slo-compiler")
def main() -> None:
    """Compile tenants' SLO manifests to Prometheus rules and Alertmanager routes.

    Exit codes: 0 clean, 1 findings, 2 usage; 128 and the signal's number if one ended it.

    \b
    Completion of commands, SLOs and IDs, for bash (or zsh; for fish see docs/install.md):
      eval "$(_SLO_COMPILER_COMPLETE=bash_source slo-compiler)"
    """


COMMANDS = (
    compile_command,
    check,
    test,
    verify,
    explain,
    diff,
    cost,
    status,
    backtest,
    report,
    import_command,
    fill_secrets,
    lints,
    init,
    tools,
    schema,
)
for _command in COMMANDS:
    main.add_command(_command)
