"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from slo_compiler.cli import completion

# As the keys of report.FORMATS, which are not imported for --help.
FORMAT_NAMES = ("text", "json", "github", "sarif")

CommandT = TypeVar("CommandT", bound=Callable[..., object])

SOURCES = click.argument(
    "sources", nargs=-1, metavar="[SOURCE]...", shell_complete=completion.files
)
PROJECT = click.option(
    "--project",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Project file.  [default: slo-compiler.yaml, here or in a folder above]",
)
FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice(FORMAT_NAMES),
    default="text",
    show_default=True,
    help="How findings are reported: as text on stderr, all others on stdout.",
)


def text_or_json(help_: str) -> Callable[[CommandT], CommandT]:
    """Give a command the option of how its result is printed."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help=help_,
    )


STRICT = click.option(
    "--strict", is_flag=True, help="Exit 1 on warnings and where a tool is missing, too."
)
NO_CACHE = click.option(
    "--no-cache",
    is_flag=True,
    help="Compile all files anew, and keep no results in .slo-compiler-cache/.",
)
LOG = click.option(
    "--log-json",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append an audit record of this run to a file: steps, durations, digests.",
)
STDIN_NAME = click.option(
    "--stdin-filename",
    metavar="FILE",
    shell_complete=completion.files,
    help="The file of which - is the new text; its place in the project counts.",
)


def shared(*options: Callable[[CommandT], CommandT]) -> Callable[[CommandT], CommandT]:
    """Apply several options to a command, in the order of its help."""

    def decorate(command: CommandT) -> CommandT:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def writable(path: Path | None, option: str) -> None:
    """Open a file that a run will write at its end, so that a bad path is found at its start.

    Raises:
        UsageError: it cannot be written.
    """
    if path is None:
        return
    try:
        with path.open("ab"):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise click.UsageError(f"{option}: cannot write {path}: {reason}") from None
