"""How findings are told: as text with a caret, as JSON, as GitHub annotations, as SARIF."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click

from slo_compiler import __version__
from slo_compiler.diagnostics import Diagnostic, Severity

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
MAX_LINE = 160  # longer source lines are cut around the caret


def text(diagnostics: Sequence[Diagnostic]) -> str:
    """Tell each finding with its line, a caret and the next step."""
    return "\n".join(map(_told, diagnostics)) + ("\n" if diagnostics else "")


def _told(found: Diagnostic) -> str:
    at, color = found.position, _COLORS[found.severity]
    label = click.style(f"{found.severity}[{found.id}]", fg=color, bold=True)
    lines = [f"{click.style(str(at), bold=True)}: {label} {_printable(found.message)}"]
    if at.text.strip():
        source, column = _cut(at.text.expandtabs(1), at.column)
        gutter = f"{at.line:>5} | "
        width = min(at.width, max(len(source) - column + 1, 1))
        caret = click.style("^" * width, fg=color, bold=True)
        lines += [gutter + _printable(source), " " * (len(gutter) + column - 1) + caret]
    if found.help:
        lines.append(f"      = {_printable(found.help)}")
    return "\n".join(lines)


def _cut(line: str, column: int) -> tuple[str, int]:
    if len(line) <= MAX_LINE:
        return line, column
    start = max(0, min(column - MAX_LINE // 2, len(line) - MAX_LINE))
    return line[start : start + MAX_LINE], column - start


def _printable(value: str) -> str:
    """Show control characters as escapes: a manifest may not write to the reader's terminal."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in value)


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Tell the findings as a JSON list."""
    return json.dumps([*map(_record, diagnostics)], indent=2, ensure_ascii=False) + "\n"


def _record(found: Diagnostic) -> dict[str, Any]:
    at = found.position
    return {
        "path": at.path,
        "line": at.line,
        "column": at.column,
        "end_column": at.column + at.width,
        "severity": str(found.severity),
        "id": found.id,
        "message": found.message,
        "help": found.help,
    }


def github(diagnostics: Sequence[Diagnostic]) -> str:
    """Tell the findings as GitHub workflow commands, which annotate the lines of a pull request."""

    def escaped(value: str, *more: str) -> str:
        for char in ("%", "\r", "\n", *more):
            value = value.replace(char, f"%{ord(char):02X}")
        return value

    lines = [
        f"::{found.severity} file={escaped(found.position.path, ':', ',')},"
        f"line={found.position.line},col={found.position.column},"
        f"title={escaped(found.id, ':', ',')}::"
        + escaped(found.message + (f"\n{found.help}" if found.help else ""))
        for found in diagnostics
    ]
    return "".join(f"{line}\n" for line in lines)


def sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """Tell the findings as a SARIF 2.1.0 log, for code scanning."""
    rules = sorted({found.id for found in diagnostics})
    driver = {
        "name": "slo-compiler",
        "version": __version__,
        "rules": [{"id": rule} for rule in rules],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(found, rules.index(found.id)) for found in diagnostics],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _result(found: Diagnostic, rule: int) -> dict[str, Any]:
    at = found.position
    message = found.message + (f". {found.help}" if found.help else "")
    region = {
        "startLine": at.line,
        "startColumn": at.column,
        "endColumn": at.column + at.width,
    }
    where = {"artifactLocation": {"uri": at.path}, "region": region}
    return {
        "ruleId": found.id,
        "ruleIndex": rule,
        "level": str(found.severity),
        "message": {"text": message},
        "locations": [{"physicalLocation": where}],
    }


FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
