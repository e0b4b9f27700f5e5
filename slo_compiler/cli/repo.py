"""`slo-compiler init` and `tools`: what a repo begins with."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from slo_compiler.cli.words import say


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def init(folder: Path) -> None:
    """Write a working GitOps repo: a project file, a first tenant, a Makefile and CI.

    Files that are there already are left alone.

    \b
    Examples:
      slo-compiler init my-slos && cd my-slos && make rules
    """
    from slo_compiler.init import write_repo

    for path, written in write_repo(folder):
        say(f"{'wrote' if written else 'kept '}  {path}")
    there = "" if folder == Path() else f"cd {folder} && "
    say(
        "next:\n"
        f"  {there}make rules    # compile tenants/example.yaml into generated/\n"
        f"  {there}make test     # prove when its alerts fire, and whom they reach\n"
        "  then edit tenants/example.yaml; slo-compiler explain example shows what it means"
    )


@click.command()
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@click.option("--servers", is_flag=True, help="Also the Prometheus server, for tests.")
def tools(suites: tuple[str, ...], *, servers: bool) -> None:
    """Fetch promtool and amtool without root (Debian and Ubuntu).

    They go to $SLO_COMPILER_TOOLS, or .tools in the current folder; what is there stays.
    SUITE is a release such as forky; the default is the newest.
    """
    from slo_compiler import tools as fetching

    sys.exit(fetching.main([*suites, *(["--servers"] if servers else [])]))
