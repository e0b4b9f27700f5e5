"""What promtool and amtool find in the staged output, reported at the manifest's line."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slo_compiler import process, tools
from slo_compiler.diagnostics import Position, Report
from slo_compiler.emit.artefact import Artefact

_PROMTOOL_FINDING = re.compile(
    r'^(?P<file>.*?): (?:\d+:\d+: )?group "(?P<group>[^"]*)", rule (?P<rule>\d+), '
    r'"(?P<name>[^"]*)": (?P<message>.*)$'
)
_AGREES = "SUCCESS"  # what both print of each file that they agree with


@dataclass(frozen=True, slots=True)
class Verification:
    """Which checkers ran, and where they are; and which were not found."""

    ran: dict[str, str]
    skipped: tuple[str, ...]


def verify(
    artefacts: Sequence[Artefact], report: Report, project: Path | None = None
) -> Verification:
    """Run each checker on its files, in a temporary folder; findings go to `report`.

    Tools are also found beside the project file, whose folder is `project`.
    """
    ran: dict[str, str] = {}
    skipped = []
    for checker, run in (("promtool", _promtool), ("amtool", _amtool)):
        files = [artefact for artefact in artefacts if artefact.checker == checker]
        if not files:
            continue
        found = tools.find(checker, project=project)
        if found is None:
            skipped.append(checker)
            continue
        ran[checker] = str(found)
        with tempfile.TemporaryDirectory(prefix="slo-compiler-") as stage:
            for file in files:
                path = Path(stage) / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(file.checked, encoding="utf-8")
            run(found.absolute(), Path(stage), files, report)
    return Verification(ran, tuple(skipped))


def _promtool(binary: Path, folder: Path, files: Sequence[Artefact], report: Report) -> None:
    paths = [file.path for file in files]
    command: list[str | Path] = [binary, "check", "rules", "--lint=all", "--lint-fatal", *paths]
    try:
        done = process.run(command, folder=folder)
    except process.ProcessError as error:
        report.error(Position(paths[0]), "promtool", str(error), tools.NO_ANSWER)
        return
    if done.code == 0:
        if done.output.count(_AGREES) < len(files):
            report.error(
                Position(paths[0]), "promtool", _unclear("promtool", done), tools.NO_ANSWER
            )
        return
    output = done.output
    origins = {file.path: file.origins for file in files}
    reported = False
    for line in output.splitlines():
        finding = _PROMTOOL_FINDING.match(line.strip())
        if finding:
            at = origins.get(finding["file"], {}).get(f"{finding['group']}/{finding['rule']}")
            # Its place in our expression means nothing in the manifest's.
            message = re.sub(
                r"^could not parse expression: (?:\d+:\d+: )?(?:parse error: )?",
                "",
                finding["message"],
            )
            report.error(
                _narrowed(at, message) if at else Position(finding["file"]),
                "promtool",
                f"promtool refuses {finding['name']}: {message}",
                _checked_by(binary),
            )
            reported = True
    if not reported:
        failed = re.search(r"^Checking (.*)\n\s*FAILED:", output, re.MULTILINE)
        at = Position(failed[1] if failed else paths[0])
        text = output[failed.end() :] if failed else output
        report.error(at, "promtool", f"promtool failed: {_short(text)}", _checked_by(binary))


def _amtool(binary: Path, folder: Path, files: Sequence[Artefact], report: Report) -> None:
    for file in files:
        at = file.origins.get("", Position(file.path))
        try:
            done = process.run([binary, "check-config", file.path], folder=folder)
        except process.ProcessError as error:
            report.error(at, "amtool", str(error), tools.NO_ANSWER)
            return
        if done.code == 0:
            if _AGREES not in done.output:
                report.error(at, "amtool", _unclear("amtool", done), tools.NO_ANSWER)
            continue
        output = done.output
        text = re.sub(
            r"^Checking '.*?'\s+FAILED: |^amtool: error:.*", "", output, flags=re.MULTILINE
        )
        named = [
            file.origins[name]
            for quoted in re.findall(r'"([^"]*)"|`([^`]*)`|field (\S+) not found', text)
            for name in quoted
            if name and name in file.origins
        ]
        report.error(
            named[0] if named else at,
            "amtool",
            f"amtool refuses it: {_short(text or output)}",
            _checked_by(binary),
        )


def _unclear(name: str, done: process.Done) -> str:
    """Describe a tool that exits as if it agreed, and does not print so: another program."""
    return f'{name} exits with 0, but does not report "{_AGREES}": {_short(done.output)}'


def _narrowed(at: Position, message: str) -> Position:
    """Mark what a message quotes, at its place in the marked part of the line."""
    begin = at.column - 1
    for token in re.findall(r'"([^"]+)"|(\w+)\(\)', message):
        word = token[0] or token[1]
        found = at.text.find(word, begin, begin + at.width)
        if found >= 0:
            return replace(at, column=found + 1, width=len(word))
    return at


def _checked_by(binary: Path) -> str:
    """Return which version refuses: it may be another than the one that will evaluate the rules."""
    try:
        return f"checked by {binary.name} {tools.version(binary)}"
    except tools.ToolsError:
        return ""


def _short(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return "; ".join(lines[:5]) or "it prints nothing"
