"""Imported SLOs as the text of a manifest, with a comment where a decision was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import yaml

from slo_compiler.diagnostics import Report, Severity
from slo_compiler.importing.model import ImportedSLO

Kept = Sequence[tuple[ImportedSLO, dict[str, Any]]]  # SLOs and their native data
_OPEN = "# Decide where alerts go: the other tool leaves that open."


class _Dumper(yaml.SafeDumper):
    """Writes numbers as they were written, long texts as blocks, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002
        return True


def _number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    text = f"{value:f}"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(Decimal, _number)
_Dumper.add_representer(str, _text)


def manifest_text(
    title: str,
    comments: Iterable[str],
    head: dict[str, Any],
    routes: dict[str, Any],
    kept: Kept,
    *,
    routed: bool,
) -> str:
    """Write a manifest.

    Args:
        title: the first line.
        comments: on the whole of it.
        head: the document, without routes and SLOs.
        routes: channels and escalation.
        kept: the SLOs.
        routed: whether the routes are of the imported files.
    """
    parts = [f"# {line(title)}", *comments, yaml_text(head).rstrip("\n")]
    if routes:
        parts += [*([] if routed else [f"  {_OPEN}"]), _indented(yaml_text(routes), 2)]
    parts.append("  slos:")
    for slo, data in kept:
        parts += [f"  # {line(slo.at)}", *(f"  {each}" for each in comments_of(slo.report))]
        parts.append(_indented(yaml_text([data]), 2))
    return "\n".join(parts) + "\n"


def yaml_text(data: Any) -> str:  # noqa: ANN401
    """Write data as YAML."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def comments_of(report: Report) -> list[str]:
    """Give what is no error as comments."""
    found = [d for d in report.diagnostics if d.severity is not Severity.ERROR]
    return [f"# {line(d.position)}: {line(d.message)}" for d in found]


def line(text: object) -> str:
    """Give a text as one line of a comment, which it cannot leave."""
    one = " ".join(str(text).split())
    return "".join(char if char.isprintable() else "?" for char in one)


def _indented(text: str, by: int) -> str:
    return "\n".join(f"{' ' * by}{each}" if each else "" for each in text.rstrip("\n").split("\n"))
