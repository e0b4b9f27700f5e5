"""What promtool and amtool find in the staged output, reported at the manifest's line."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from slo_compiler import process, tools
from slo_compiler.cache import Cache, code_digest, key_of
from slo_compiler.diagnostics import Position, Report
from slo_compiler.emit.artefact import Artefact

# Of a file that promtool refuses, and of a rule in it.
_REFUSED = re.compile(
    r"^Checking (?P<path>[^\n]*)\n\s*FAILED:(?P<text>.*?)(?=^Checking |\Z)",
    re.MULTILINE | re.DOTALL,
)
_FINDING = re.compile(
    r'^.*?: (?:\d+:\d+: )?group "(?P<group>[^"]*)", rule (?P<rule>\d+), '
    r'"(?P<name>[^"]*)": (?P<message>.*)$'
)
_AGREES = "SUCCESS"  # what both print of each file that they agree with
_BATCH_BYTES = 2_000_000  # which take promtool a third of a second
_MAX_AGREED = 100_000  # digests


@dataclass(frozen=True, slots=True)
class Verification:
    """Which checkers have read all files, now or before, and where they are; which are missing."""

    ran: dict[str, str]
    skipped: tuple[str, ...]


def verify(
    artefacts: Sequence[Artefact],
    report: Report,
    project: Path | None = None,
    cache: Cache | None = None,
) -> Verification:
    """Run each checker on its files, in a temporary folder; findings go to `report`.

    Args:
        artefacts: all files.
        report: takes the findings.
        project: the folder of the project file; its tools are found, too.
        cache: keeps what promtool agreed with, which it does not check again.
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
        # amtool also reads the templates that a configuration names, which are not ours.
        agreed = _Agreed(cache if checker == "promtool" else None, found)
        left = [file for file in files if file.checked_digest not in agreed.digests]
        if left:
            with tempfile.TemporaryDirectory(prefix="slo-compiler-") as stage:
                for file in left:
                    path = Path(stage) / file.path
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(file.checked, encoding="utf-8")
                run(found.absolute(), Path(stage), left, report)
        if not report.failed:
            agreed.keep({file.checked_digest for file in files})
    return Verification(ran, tuple(skipped))


class _Agreed:
    """Digests of what a tool agreed with, for as long as the tool is the same one."""

    def __init__(self, cache: Cache | None, tool: Path) -> None:
        self._cache, self._key = cache, ""
        self.digests: frozenset[str] = frozenset()
        if cache is not None:
            with suppress(tools.ToolsError):  # without a version nothing is known of it
                self._key = key_of(["agreed", code_digest(), tools.identity(tool)])
                self.digests = cache.get(self._key) or self.digests

    def keep(self, digests: AbstractSet[str]) -> None:
        """Keep that it agreed with these as well."""
        if self._cache is None or not self._key or digests <= self.digests:
            return
        both = self.digests | digests
        self._cache.put(self._key, both if len(both) <= _MAX_AGREED else frozenset(digests))


def _promtool(binary: Path, folder: Path, files: Sequence[Artefact], report: Report) -> None:
    """Check files, as many batches at a time as there are processors."""
    batches = [*_batches(files, folder)]

    def checked(number: int) -> tuple[int, process.Done]:
        paths = [file.path for file in batches[number]]
        command: list[str | Path] = [binary, "check", "rules", "--lint=all", "--lint-fatal", *paths]
        return number, process.run(command, folder=folder, environment=tools.environment())

    jobs = [partial(checked, number) for number in range(len(batches))]
    try:
        answers = dict(process.in_parallel(jobs))
    except process.ProcessError as error:
        report.error(Position(files[0].path), "promtool", str(error), tools.NO_ANSWER)
        return
    for number, batch in enumerate(batches):
        if not _promtool_found(binary, batch, answers[number], report):
            return


def _batches(files: Sequence[Artefact], folder: Path) -> Iterator[Sequence[Artefact]]:
    """Divide files so that each batch takes promtool a fraction of a second."""
    batch: list[Artefact] = []
    size = 0
    for file in files:
        batch.append(file)
        size += (folder / file.path).stat().st_size
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _promtool_found(
    binary: Path, files: Sequence[Artefact], done: process.Done, report: Report
) -> bool:
    """Report what promtool found; gives whether it is about these files, not about promtool."""
    first = Position(files[0].path)
    if done.code == 0:
        agrees = done.output.count(_AGREES) >= len(files)
        if not agrees:
            report.error(first, "promtool", _unclear("promtool", done), tools.NO_ANSWER)
        return agrees
    origins = {file.path: file.origins for file in files}
    refused = [*_REFUSED.finditer(done.output)]
    for file in refused:
        found = [*filter(None, map(_FINDING.match, map(str.strip, file["text"].splitlines())))]
        for finding in found:
            at = origins.get(file["path"], {}).get(f"{finding['group']}/{finding['rule']}")
            # Its place in our expression means nothing in the manifest's.
            message = re.sub(
                r"^could not parse expression: (?:\d+:\d+: )?(?:parse error: )?",
                "",
                finding["message"],
            )
            report.error(
                _narrowed(at, message) if at else Position(file["path"]),
                "promtool",
                f"promtool refuses {finding['name']}: {message}",
                _checked_by(binary),
            )
        if not found:
            message = f"promtool failed: {_short(file['text'])}"
            report.error(Position(file["path"]), "promtool", message, _checked_by(binary))
    if not refused:
        message = f"promtool failed: {_short(done.output)}"
        report.error(first, "promtool", message, _checked_by(binary))
    return bool(refused)


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
