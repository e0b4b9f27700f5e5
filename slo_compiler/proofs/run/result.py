"""What a proof found, and how a tool is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slo_compiler import process, tools

# A file of unit tests takes up to half a minute for a tenant of fifty SLOs; amtool answers at once.
UNIT_TESTS_SECONDS = 900.0
NO_ANSWER = 124  # the exit code that timeout(1) has for it
ROUTES_SECONDS = process.LIMIT_SECONDS


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed: the check, what came instead, and the manifest's lines behind it."""

    test: str
    message: str
    origin: str = ""
    cause: str = ""  # what many failures have in common, such as one inhibit rule


@dataclass(frozen=True, slots=True)
class ProofResult:
    """One proof: a file of unit tests, the routes of one tenant, or one matter of all routes."""

    name: str
    kind: str  # "unit tests" or "routes"
    tests: tuple[str, ...]
    checks: int
    seconds: float
    failures: tuple[Failure, ...]
    note: str = ""
    cached: bool = False  # it passed in an earlier run, with the same input and tool


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, and what identifies it: its version, size and time of change."""

    path: Path
    identity: str = ""

    @classmethod
    def at(cls, path: Path, *, identified: bool) -> Tool:
        """Look at a tool, and identify it where results are kept.

        Raises:
            ToolsError: it does not run.
        """
        if not identified:
            return cls(path)
        return cls(path, tools.identity(path))


Job = Callable[[], ProofResult]


def call(command: Sequence[str | Path], folder: Path, limit: float) -> tuple[int, str]:
    """Run a tool in a folder; give its exit code and all that it printed."""
    try:
        done = process.run(command, folder=folder, limit=limit, environment=tools.environment())
    except process.ProcessError as error:
        return NO_ANSWER, str(error)
    return done.code, done.output
