"""What is wrong with a text that is no YAML: where it broke, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from slo_compiler.diagnostics import Position


def syntax_error(
    path: str, lines: Sequence[str], error: yaml.MarkedYAMLError
) -> tuple[Position, str, str, str]:
    """Return where YAML broke; at the end of the file, the end of its last line is marked."""
    mark = error.problem_mark or error.context_mark
    at, problem = Position(path), str(error.problem or error.context)
    if mark is not None and mark.line < len(lines):
        at = Position(path, mark.line + 1, mark.column + 1, 1, lines[mark.line])
    elif lines:
        at = Position(path, len(lines), len(lines[-1]) + 1, 1, lines[-1])
    hint = next((hint for words, hint in _HINTS.items() if words in problem), "")
    begin = error.context_mark
    hint = _comment_hint(lines[: at.line]) or hint
    if any(words in problem for words in _INDENTATION):
        hint = _indentation_hint(lines, at.line) or hint
    if not hint and error.context and begin is not None and begin.line + 1 < at.line:
        hint = f"{error.context}, which begins on line {begin.line + 1}"
    return at, "yaml-syntax", f"not valid YAML: {problem}", hint


_INDENTATION = (
    "did not find expected key",
    "did not find expected '-' indicator",
    "mapping values are not allowed",
)
_UNQUOTED = re.compile(r":\s+(#[^\s,}\]\"']+)[,}\]]")


def _comment_hint(lines: Sequence[str]) -> str:
    """Find a text that begins with # and is not quoted: the rest of its line is a comment."""
    for number, line in reversed([*enumerate(lines, start=1)]):
        if found := _UNQUOTED.search(line):
            return f'"#" begins a comment on line {number}: put it into quotes, "{found[1]}"'
    return ""


def _indentation_hint(lines: Sequence[str], at: int) -> str:
    """Return how far the line is off, if it is indented almost like the one before."""
    texts = [line for line in lines[: at - 1] if line.strip() and not line.lstrip().startswith("#")]
    if not texts or at > len(lines):
        return ""
    here, before = (len(line) - len(line.lstrip(" -")) for line in (lines[at - 1], texts[-1]))
    if abs(here - before) != 1:
        return ""
    return f"this line is indented by {here}, the one before by {before}: indent both the same"


_HINTS = {
    "mapping values are not allowed": 'put text that holds ": " into quotes',
    "cannot start any token": "put text that begins with this character into quotes",
    "tab character": "indent with spaces",
    "undefined alias": "put text that begins with * into quotes, or define the anchor first",
}
