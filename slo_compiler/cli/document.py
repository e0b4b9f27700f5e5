"""All commands and their options as docs/commands.md (`python -m` this prints it)."""

from __future__ import annotations

import click

from slo_compiler.cli import COMMANDS, main

_HEAD = """\
# Commands

What `slo-compiler COMMAND --help` prints. Generated from the commands' own words; do not edit.

"""
_WIDTH = 100


def markdown() -> str:
    """Give the page: what the program prints for `--help`, and each command."""
    pages = [_section("slo-compiler", main)]
    pages += [_section(f"slo-compiler {each.name}", each) for each in COMMANDS]
    return _HEAD + "\n".join(pages)


def _section(name: str, command: click.Command) -> str:
    context = click.Context(
        command, info_name=name, terminal_width=_WIDTH, help_option_names=["-h", "--help"]
    )
    text = command.get_help(context)
    title = name if command is main else name.removeprefix("slo-compiler ")
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return f"## {title}\n\n```text\n{lines}\n```\n"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201  (that is what it is for)
