"""What is wrong, where, and what to do about it: findings as data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum

MAX_CHOICES = 40  # that are listed: there are 600 time zones, and may be 1,000 SLOs
MAX_PLACES = 20  # files in which a finding has the same cause, that are listed


class Severity(StrEnum):
    """How bad a finding is: errors stop the compile, warnings do with --strict, infos never do."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a source: 1-based line and column, and how many characters to mark."""

    path: str
    line: int = 1
    column: int = 1
    width: int = 1
    text: str = field(default="", compare=False)  # the source line, for the caret
    use: Position | None = field(default=None, compare=False)  # of a template, that leads here

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    def __reduce__(self) -> tuple[type[Position], tuple[object, ...]]:
        """Be pickled by its parts: each rule has one, and a dataclass takes thrice as long."""
        return Position, (self.path, self.line, self.column, self.width, self.text, self.use)


@dataclass(frozen=True, slots=True)
class Cause:
    """What several findings of one ID follow from; of them, that of the lowest rank explains it."""

    name: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: the rule that was broken, the place, the message and the next step."""

    position: Position
    severity: Severity
    id: str
    message: str
    help: str = ""
    cause: Cause | None = None  # of all findings that have it, one is shown

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order of reports: by file, then place, then ID."""
        at = self.position
        return (at.path, at.line, at.column, self.id, self.message)


class CompileError(Exception):
    """The one root of everything that a user's input can do wrong."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: Sequence[Diagnostic] = tuple(diagnostics)
        super().__init__("; ".join(f"{d.position}: {d.message}" for d in self.diagnostics))


class Report:
    """Collects findings, so that all of them are reported in one run."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}
        self._uses: dict[tuple[Position, str], Position] = {}

    def error(
        self,
        position: Position,
        id_: str,
        message: str,
        help_: str = "",
        cause: Cause | None = None,
    ) -> None:
        """Add an error."""
        self._add(Diagnostic(position, Severity.ERROR, id_, message, help_, cause))

    def warning(self, position: Position, id_: str, message: str, help_: str = "") -> None:
        """Add a warning."""
        self._add(Diagnostic(position, Severity.WARNING, id_, message, help_))

    def _add(self, found: Diagnostic) -> None:
        """Add a finding; one in a template is reported for the first of its uses only."""
        use = found.position.use
        if use is not None:
            if self._uses.setdefault((found.position, found.id), use) != use:
                return
            found = replace(found, help="; ".join(filter(None, (found.help, f"used at {use}"))))
        self._found[found] = None

    def info(self, position: Position, id_: str, message: str, help_: str = "") -> None:
        """Add what is worth knowing, and never fails."""
        self._add(Diagnostic(position, Severity.INFO, id_, message, help_))

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add findings that were made elsewhere; one in a template for its first use only."""
        for found in diagnostics:
            use = found.position.use
            if use is None or self._uses.setdefault((found.position, found.id), use) == use:
                self._found[found] = None

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All findings so far, sorted by place."""
        return sorted(self._found, key=Diagnostic.sort_key)

    @property
    def failed(self) -> bool:
        """Whether any finding is an error."""
        return any(d.severity is Severity.ERROR for d in self._found)

    def without(self, ignored: Collection[str]) -> Report:
        """Give a report that passes on what it gets, less what may be ignored."""
        return FilteredReport(self, ignored) if ignored else self

    def raise_if_failed(self) -> None:
        """Stop here if there is an error, with everything found so far.

        Raises:
            CompileError: with all findings, warnings included.
        """
        if self.failed:
            raise CompileError(self.diagnostics)


class FilteredReport(Report):
    """Passes findings on to another report, but for some IDs, and for places of known errors."""

    def __init__(self, report: Report, ignored: Collection[str]) -> None:
        super().__init__()
        self._report = report
        self._ignored = ignored
        self._wrong = {d.position for d in report.diagnostics if d.severity is Severity.ERROR}

    def _add(self, found: Diagnostic) -> None:
        if found.id not in self._ignored and found.position not in self._wrong:
            self._report._add(found)  # noqa: SLF001  (its own kind)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Pass findings on that were made elsewhere."""
        self._report.extend(d for d in diagnostics if d.id not in self._ignored)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All findings of the other report."""
        return self._report.diagnostics

    @property
    def failed(self) -> bool:
        """Whether any finding of the other report is an error."""
        return self._report.failed


def one_per_cause(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Join the findings that share a cause: one is kept, and has the places of the others."""
    joined: dict[tuple[str, str], list[Diagnostic]] = {}
    kept: list[Diagnostic] = []
    for found in sorted(diagnostics, key=Diagnostic.sort_key):
        if found.cause is None:
            kept.append(found)
        else:
            joined.setdefault((found.id, found.cause.name), []).append(found)
    for findings in joined.values():
        first = min(findings, key=lambda found: found.cause.rank if found.cause else 0)
        places = {found.position for found in findings} - {first.position}
        if places:
            also = f"the same at {_places(sorted(places))}"
            first = replace(first, help="; ".join(filter(None, (first.help, also))))
        kept.append(first)
    return sorted(kept, key=Diagnostic.sort_key)


def _places(positions: Sequence[Position]) -> str:
    """Write the lines of each file: `a.yaml:3,5, b.yaml:7`."""
    lines: dict[str, list[int]] = {}
    for at in positions:
        lines.setdefault(at.path, []).append(at.line)
    files = [f"{path}:{','.join(map(str, dict.fromkeys(of)))}" for path, of in lines.items()]
    more = len(files) - MAX_PLACES
    return ", ".join(files[:MAX_PLACES]) + (f", and in {more} more files" if more > 0 else "")


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return which valid choice was probably meant, or list them: `did you mean "x"?`."""
    options = sorted(set(choices))
    close = get_close_matches(word, options, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    more = ["..."] if len(options) > MAX_CHOICES else []
    return f"expected one of: {', '.join(options[:MAX_CHOICES] + more)}" if options else ""
