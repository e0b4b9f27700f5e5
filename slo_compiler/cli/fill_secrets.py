"""`slo-compiler fill-secrets`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import click

from slo_compiler import naming
from slo_compiler.cli.run import Run
from slo_compiler.cli.words import count, say

_OF_REPOS = (".git", ".hg", ".svn", naming.PROJECT_FILE, naming.LOCK_FILE)


@click.command("fill-secrets")
@click.argument(
    "sources",
    nargs=-1,
    required=True,
    metavar="CONFIG...",
    type=click.Path(path_type=Path, exists=True),
)
@click.option(
    "--files",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with a file for each secret, at the path that the configuration names.",
)
@click.option(
    "--prefix",
    default="",
    metavar="PATH",
    help="Beginning of these paths that names of files and variables leave out.",
)
@click.option("--api", is_flag=True, help="Write the body of Mimir's API, alertmanager_config.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write into this folder, which is in no repo; without it, one file is printed.",
)
def fill_secrets(
    sources: tuple[Path, ...], files: Path | None, prefix: str, output: Path | None, *, api: bool
) -> None:
    """Put secrets into Alertmanager configurations for servers that read no files, as Mimir.

    CONFIG is a configuration, or a folder of which each alertmanager.yaml is one. Each `*_file:
    PATH` becomes the secret itself, from --files or else from the environment; a run without
    secrets names all variables. If one is missing, nothing is written. No message has a secret.

    \b
    Examples:
      slo-compiler fill-secrets generated/mimir --files /run/secrets -o /dev/shm/mimir
      slo-compiler fill-secrets generated/mimir/acme/alertmanager.yaml --api | curl ...
    """
    from slo_compiler.filling import SecretSource, filled
    from slo_compiler.templating import block

    wanted = dict(_targets(sources))
    _check_place(sources, output, len(wanted))
    run = Run()
    with run.reporting():
        source = SecretSource(files, prefix, os.environ)
        texts: dict[Path, str] = {}
        for target, path in wanted.items():
            text = filled(str(path), _read(path), source, run.report)
            if text is not None:
                texts[target] = (
                    f"template_files: {{}}\nalertmanager_config: {block(text.strip(), 2)}\n"
                    if api
                    else text
                )
        run.report.raise_if_failed()
        if output is None:
            click.echo(next(iter(texts.values())), nl=False, color=False)
        else:
            for target, text in texts.items():
                _write(output / target, text)
            say(f"filled {count(len(texts), 'configuration')} in {output}")


def _targets(sources: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Give each configuration and where it goes, relative to the output."""
    seen: dict[Path, Path] = {}
    for source in sources:
        found = [source] if source.is_file() else sorted(source.rglob("alertmanager.y*ml"))
        if not found:
            raise click.UsageError(f"{source} has no alertmanager.yaml")
        for path in found:
            target = path.relative_to(source) if source.is_dir() else Path(path.name)
            if target in seen:
                raise click.UsageError(f"{seen[target]} and {path} would be the same file")
            seen[target] = path
            yield target, path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise click.UsageError(f"{path} is not UTF-8") from None


def _check_place(sources: Sequence[Path], output: Path | None, number: int) -> None:
    """Refuse to write where a secret would be kept or seen.

    Raises:
        UsageError: the place is in a repo or among the configurations, or it is a terminal.
    """
    if output is None:
        if number > 1:
            raise click.UsageError(f"there are {number} configurations: name a folder with -o")
        if sys.stdout.isatty():
            raise click.UsageError("the output would show secrets: pipe it, or use -o")
        place = _redirected()
    else:
        place = output.resolve()
    if place is None:
        return
    folders = [
        source.resolve() if source.is_dir() else source.resolve().parent for source in sources
    ]
    for parent in (place, *place.parents):
        mark = next((mark for mark in _OF_REPOS if (parent / mark).exists()), None)
        if mark is not None or parent in folders:
            why = f"{parent} has {mark}" if mark else f"{parent} has the configurations"
            raise click.UsageError(f"{place} is in a source tree ({why}): choose another place")


def _redirected() -> Path | None:
    """Give the file that the output goes to, if it is one and the system names it."""
    with suppress(OSError, ValueError):
        path = Path(os.readlink(f"/proc/self/fd/{sys.stdout.fileno()}"))  # noqa: PTH115  (may be gone)
        return path if path.is_file() else None
    return None


def _write(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = path.with_name(f".{path.name}.slo-compiler-tmp")
    with suppress(FileNotFoundError):
        staged.unlink()
    try:
        opened = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(opened, "w", encoding="utf-8") as file:  # noqa: PTH123  (a descriptor)
            file.write(text)
        staged.replace(path)
    except BaseException:
        with suppress(OSError):
            staged.unlink()
        raise
