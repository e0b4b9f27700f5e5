"""Which Prometheus a command queries, and with which credentials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import CommandT, shared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def credentials(prefix: str) -> Callable[[CommandT], CommandT]:
    """Give a command the options of headers and of a token; their names begin with `prefix`."""
    return shared(
        click.option(
            f"{prefix}header",
            "headers",
            multiple=True,
            metavar="HEADER",
            help='A header of the queries, such as "X-Scope-OrgID: customer-b"; may be repeated.',
        ),
        click.option(
            f"{prefix}token-file",
            "token_file",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="A file with a bearer token for the queries.",
        ),
    )


def endpoint(
    url: str, headers: Sequence[str], token_file: Path | None, *, option: str, prefix: str
) -> tuple[str, list[tuple[str, str]]]:
    """Read the options that name a server.

    Args:
        url: where its API is.
        headers: of the queries.
        token_file: has a bearer token.
        option: the name of the URL's option.
        prefix: what the names of the other two begin with.

    Raises:
        UsageError: one of them is none.
    """
    from slo_compiler.live import options

    named = option
    try:
        address = options.base_url(url, f"{prefix}header")
        named = f"{prefix}header"
        found = [options.header(text) for text in headers]
        named = f"{prefix}token-file"
        if token_file:
            found.append(options.token_header(token_file))
    except (ValueError, OSError) as error:
        raise click.BadParameter(str(error), param_hint=f"'{named}'") from None
    return address, found
