"""How findings are printed: as text with a caret, as JSON, as GitHub annotations, as SARIF."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import click

from slo_compiler import __version__
from slo_compiler.diagnostics import Diagnostic, Position, Severity

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
MAX_LINE = 160  # longer source lines are cut around the caret


def text(diagnostics: Sequence[Diagnostic]) -> str:
    """Return each finding with its line, a caret and the next step."""
    return "\n".join(map(_shown, diagnostics)) + ("\n" if diagnostics else "")


def _shown(found: Diagnostic) -> str:
    at, color = found.position, _COLORS[found.severity]
    label = click.style(f"{found.severity}[{found.id}]", fg=color, bold=True)
    lines = [f"{click.style(printable(str(at)), bold=True)}: {label} {printable(found.message)}"]
    before, marked, after = _around(at)
    if (before + marked + after).strip():
        gutter = f"{at.line:>5} | "
        before, marked, after = map(printable, (before, marked, after))
        caret = click.style("^" * max(width(marked), 1), fg=color, bold=True)
        lines += [gutter + before + marked + after, " " * (len(gutter) + width(before)) + caret]
    if found.help:
        lines.append(f"      = {printable(found.help)}")
    return "\n".join(lines)


def _around(at: Position) -> tuple[str, str, str]:
    """Cut the source line into what is before, under and after the caret."""
    begin = at.column - 1
    first = 0
    if len(at.text) > MAX_LINE:
        first = max(0, min(begin - MAX_LINE // 2, len(at.text) - MAX_LINE))
    line = at.text[first : first + MAX_LINE].replace("\t", " ").rstrip()
    begin -= first
    return line[:begin], line[begin : begin + at.width], line[begin + at.width :]


def printable(value: str) -> str:
    """Show control characters as escapes: a manifest may not write to the reader's terminal."""
    return "".join(c if c.isprintable() else _escaped(c) for c in value)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 1 << 16 else f"\\U{ord(char):08x}"


def width(value: str) -> int:
    """Columns that text takes on a terminal: two for wide characters, none for combining ones."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in value
    )


def table(rows: Iterable[Sequence[str]], sides: str = "") -> Iterator[str]:
    """Align columns, two spaces apart; each side is `<` (the default) or `>`."""
    cells = [[*map(printable, row)] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        parts = []
        for number, (cell, size) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (size - width(cell))
            parts.append(blank + cell if sides[number : number + 1] == ">" else cell + blank)
        yield "  ".join(parts).rstrip()


def percent(ratio: float) -> str:
    """Print a ratio in percent, of two digits: 0.0012%, 35%."""
    shown = f"{ratio * 100:.2g}" if ratio < 1 else f"{ratio * 100:,.0f}"
    return f"{shown}%"


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Return the findings as a JSON list."""
    return json.dumps([*map(_record, diagnostics)], indent=2) + "\n"


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
    """Return the findings as GitHub workflow commands, which annotate lines of a pull request."""

    def escaped(value: str, *more: str) -> str:
        value = printable(value)
        for char in ("%", *more):
            value = value.replace(char, f"%{ord(char):02X}")
        return value

    lines = [
        f"::{_severity(found, 'notice')} file={escaped(found.position.path, ':', ',')},"
        f"line={found.position.line},col={found.position.column},"
        f"endColumn={found.position.column + found.position.width},"
        f"title={escaped(found.id, ':', ',')}::"
        + escaped(found.message)
        + (f"%0A{escaped(found.help)}" if found.help else "")
        for found in diagnostics
    ]
    return "".join(f"{line}\n" for line in lines)


def _severity(found: Diagnostic, info: str) -> str:
    """Give a severity in the words of a format, which differ for infos only."""
    return info if found.severity is Severity.INFO else str(found.severity)


def sarif(
    diagnostics: Sequence[Diagnostic], texts: Mapping[str, tuple[str, str]] | None = None
) -> str:
    """Give the findings as a SARIF 2.1.0 log, for code scanning.

    Args:
        diagnostics: the findings.
        texts: summary and whole text of each ID.
    """
    rules = sorted({found.id for found in diagnostics})
    driver = {
        "name": "slo-compiler",
        "version": __version__,
        "rules": [_rule(rule, (texts or {}).get(rule)) for rule in rules],
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
    return json.dumps(log, indent=2) + "\n"


def _rule(id_: str, text: tuple[str, str] | None) -> dict[str, Any]:
    if text is None:
        return {"id": id_}
    summary, whole = text
    return {"id": id_, "shortDescription": {"text": summary}, "help": {"text": whole}}


def _result(found: Diagnostic, rule: int) -> dict[str, Any]:
    at = found.position
    message = found.message + (f". {found.help}" if found.help else "")
    region = {
        "startLine": at.line,
        "startColumn": at.column,
        "endColumn": at.column + at.width,
    }
    where = {"artifactLocation": {"uri": _uri(at.path)}, "region": region}
    return {
        "ruleId": found.id,
        "ruleIndex": rule,
        "level": _severity(found, "note"),
        "message": {"text": message},
        "locations": [{"physicalLocation": where}],
    }


def _uri(path: str) -> str:
    """Write a path as a URI reference, relative as long as the path is."""
    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/~")
    return f"file://{quoted}" if path.startswith("/") else quoted


FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
