"""What a reader does with a hint that prints a replacement: puts it where the finding points."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from linting import findings

from slo_compiler.diagnostics import Diagnostic

Files = dict[str, str]
Follow = Callable[[str, Diagnostic, re.Match[str]], str]

_TAKEN = re.compile(r"\b(?:i?rate|increase)(?=\()")


def _marked(text: str, found: Diagnostic, write: Callable[[str, str, str], str]) -> str:
    """Change the line of a finding; `write` gets what is before, in and behind the mark."""
    lines = text.splitlines(keepends=True)
    line, start = lines[found.position.line - 1], found.position.column - 1
    end = start + found.position.width
    lines[found.position.line - 1] = write(line[:start], line[start:end], line[end:])
    return "".join(lines)


def replace_mark(by: str) -> Follow:
    """Put a text, or a group of the hint such as {0}, in the place of what is marked."""
    return lambda text, found, hint: _marked(
        text, found, lambda before, _, after: before + by.format(*hint.groups()) + after
    )


def _function_around(text: str, found: Diagnostic, hint: re.Match[str]) -> str:
    """Replace the function that the mark is in."""

    def write(before: str, marked: str, after: str) -> str:
        *_, last = _TAKEN.finditer(before)
        return before[: last.start()] + hint[1] + before[last.end() :] + marked + after

    return _marked(text, found, write)


def _selector(text: str, found: Diagnostic, hint: re.Match[str]) -> str:
    """Replace the selector whose name is marked."""
    return _marked(
        text,
        found,
        lambda before, _, after: before + hint[1] + re.sub(r"^\{.*?\}", "", after),
    )


def _grouping(text: str, found: Diagnostic, hint: re.Match[str]) -> str:
    """Replace the aggregation that is marked, and what it is by."""
    return _marked(
        text,
        found,
        lambda before, _, after: before + hint[1] + re.sub(r"^ (?:by|without) \(.*?\)", "", after),
    )


def _matcher(text: str, found: Diagnostic, hint: re.Match[str]) -> str:
    """Replace the matcher whose value is marked."""

    def write(before: str, _: str, after: str) -> str:
        return re.sub(r"\w+(?:=~|!~|!=|=)\"$", "", before) + hint[1] + after.removeprefix('"')

    return _marked(text, found, write)


def _turned_around(text: str, found: Diagnostic, hint: re.Match[str]) -> str:
    """Write sum(rate(x[$window])) for rate(sum(x)[$window:30s])."""
    return _marked(
        text,
        found,
        lambda before, marked, after: (
            re.sub(rf"{hint[2]}\($", f"{hint[1]}({hint[2]}(", before)
            + re.sub(rf"^{marked}\((.*?)\)\[\$window[^\]]*\]", r"\1[$window])", f"{marked}{after}")
        ),
    )


def _query(text: str, found: Diagnostic, hint: re.Match[str]) -> str:
    """Replace the query of a key, and add minus if the hint names it."""
    key, value, minus = hint[1], hint[2], hint[3]

    def write(found: re.Match[str]) -> str:
        more = f"{found[1]}{minus}\n" if minus else ""
        return f"{found[1]}{key}: {value}\n{more}"

    del found
    return re.sub(rf"(?m)^( +){key}: .*\n", write, text)


def _key(text: str, found: Diagnostic, hint: re.Match[str]) -> str:
    """Rename a key of the line that is marked."""
    return _marked(
        text,
        found,
        lambda before, marked, after: before.replace(f"{hint[2]}:", f"{hint[1]}:") + marked + after,
    )


def _matcher_removed(text: str, found: Diagnostic, _: re.Match[str]) -> str:
    return _marked(
        text,
        found,
        lambda before, _, after: (
            re.sub(r",? *\w+(?:=~|!~|!=|=)\"$", "", before) + after.removeprefix('"')
        ),
    )


def merged(*path: str | int) -> Follow:
    """Merge the YAML of the hint's first group into a part of the document."""

    def follow(text: str, _: Diagnostic, hint: re.Match[str]) -> str:
        data = part = yaml.safe_load(text)
        for step in path:
            part = part[step]
        _merge(part, yaml.safe_load(f"{{{hint[1]}}}"))
        return str(yaml.safe_dump(data, sort_keys=False))

    return follow


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _share(text: str, _: Diagnostic, hint: re.Match[str]) -> str:
    """Raise the share of the tier that is last in the example."""
    before, _, after = text.rpartition("budget_share: ")
    return f"{before}budget_share: {re.sub(r'^[0-9.]+%', hint[1], after)}"


_SLO = ("spec", "slos", 0)
# How each kind of hint is followed; the first that matches.
HINTS: tuple[tuple[str, Follow], ...] = (
    (r"write (\w+): ('.*?'|\[.*?\])(?: and (minus: .*))?", _query),
    (r"write rate\(\.\.\.\[\$window\]\)", replace_mark("rate")),
    (r"write (\[\$window\]): .*", replace_mark("$window")),
    (r"write (avg_over_time)\(\.\.\.\[\$window:?\]\), or .*", _function_around),
    (r"write (\w+\([^.]*\[\$window\]\))(?:, or .*)?", _selector),
    (r"write (\w+(?:=~|!~|!=|=)\".*\")", _matcher),
    (r"write (\w+ by \(.*?\)) \(\.\.\.\)(?:, or .*)?", _grouping),
    (r"turn it around: (\w+)\((\w+)\(\.\.\.\[\$window\]\)\)", _turned_around),
    (r"aggregate both by the same labels: (.*)\(\.\.\.\)", replace_mark("{0}")),
    (r"call it (\w+): instead of (\w+):, or .*", _key),
    (r"remove it, or write what is meant", _matcher_removed),
    (r"remove (formerly)", lambda text, *_: re.sub(r"(?m)^ +formerly: .*\n", "", text)),
    (r"(?:add|write) (alerting: [^<]*?)(?:, or .*| or less)?", merged(*_SLO)),
    (r"to alert, name a policy: (alerting: .*)", merged(*_SLO)),
    (r"lower the objective to ([0-9.]+) or less", replace_mark("{0}")),
    (r"write (prometheus: \{.*\}) in the project file, or .*", merged("spec")),
    (r"name what it is recorded as there, or declare (prometheus: .*)", merged("spec")),
    (r"to add them instead, write: (extra_matchers): .*", replace_mark("{0}")),
    (r"write (unit: \w+) if they are, .*", merged(*_SLO, "sli", "latency")),
    (r".*, or raise budget_share to ([0-9.]+%)", _share),
)


def followed(files: Files, id_: str) -> Files | None:
    """Follow the hints of all findings of an ID; None if they print no replacement."""
    for _ in range(8):
        found = next((d for d in findings(files) if d.id == id_), None)
        if found is None:
            return files
        matching = ((re.fullmatch(pattern, found.help), follow) for pattern, follow in HINTS)
        hint, follow = next(((m, f) for m, f in matching if m), (None, None))
        if hint is None or follow is None:
            return None
        path = found.position.path
        if "in the project file" in found.help or "declare prometheus" in found.help:
            path = "slo-compiler.yaml"
        files = {**files, path: follow(files[path], found, hint)}
    return files
