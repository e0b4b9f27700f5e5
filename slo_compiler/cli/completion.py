"""What a shell may complete: names of tenants and SLOs, IDs of findings, files.

Decision: completion runs at each press of a key, so that it imports nothing that it does not need,
and whatever goes wrong completes nothing: neither a finding nor a traceback is printed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from slo_compiler.cli.names import Sources

VARIABLE = "_SLO_COMPILER_COMPLETE"  # click's, made of the program's name
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def is_asked() -> bool:
    """Whether a shell runs the program for completion."""
    return bool(os.environ.get(VARIABLE))


def _safe(complete: Completer) -> Completer:
    def completed(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            return complete(context, parameter, incomplete)
        except Exception:  # noqa: BLE001  (a shell would show it amid the line that is typed)
            return []

    return completed


@_safe
def files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete a file."""
    return [CompletionItem(incomplete, type="file")]


@_safe
def tenants(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the name of a tenant."""
    return _items(_sources(context).tenants(), incomplete)


@_safe
def slos(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete TENANT/SERVICE/SLO."""
    sources = _sources(context)
    near = _near(sources, incomplete)
    if len(near) > 1:
        return [CompletionItem(f"{tenant}/") for tenant in near]
    return _items(
        (f"{tenant}/{service}/{name}" for tenant in near for service, name in sources.slos(tenant)),
        incomplete,
    )


@_safe
def slos_or_more(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete TENANT, TENANT/SERVICE or TENANT/SERVICE/SLO."""
    sources = _sources(context)
    near = _near(sources, incomplete)
    found = [*near]
    if len(near) == 1:
        (tenant,) = near
        pairs = sources.slos(tenant)
        found += dict.fromkeys(f"{tenant}/{service}" for service, _ in pairs)
        found += [f"{tenant}/{service}/{name}" for service, name in pairs]
    return _items(found, incomplete)


@_safe
def finding_ids(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the ID of a finding; shells that show a help get its severity and meaning."""
    from slo_compiler.cli import lint_ids

    return [
        CompletionItem(id_, help=f"{severity}: {summary}")
        for id_, severity, summary in lint_ids.entries()
        if id_.startswith(incomplete)
    ]


def _near(sources: Sources, incomplete: str) -> list[str]:
    """Give the tenants that a name begins with, or that it names."""
    tenant, slash, _ = incomplete.partition("/")
    return [
        name for name in sources.tenants() if (name == tenant if slash else name.startswith(tenant))
    ]


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _sources(context: click.Context) -> Sources:
    from slo_compiler.cli.inputs import find_project
    from slo_compiler.cli.names import Sources

    project = context.params.get("project") or find_project(Path.cwd())
    return Sources.of(project) if project else Sources(Path(), (), ())
