"""What a proof found, and how a tool is asked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Failure:
    """What did not hold: the check, what came instead, and the manifest's lines behind it."""

    test: str
    message: str
    origin: str = ""
    cause: str = ""  # what many failures have in common, such as one inhibit rule


@dataclass(frozen=True, slots=True)
class Result:
    """One proof: a file of unit tests, the routes of one tenant, or one matter of all routes."""

    name: str
    kind: str  # "unit tests" or "routes"
    tests: tuple[str, ...]
    checks: int
    seconds: float
    failures: tuple[Failure, ...]
    note: str = ""


Job = Callable[[], Result]

# The tools live for seconds: to collect their garbage less often saves a fifth of that.
_ENVIRONMENT = {"GOGC": "400", **os.environ}


def call(command: Sequence[str | Path], folder: Path) -> tuple[int, str]:
    """Run a tool in a folder; give its exit code and all that it printed."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_SECONDS,
            check=False,
            env=_ENVIRONMENT,
        )
    except subprocess.TimeoutExpired:
        return 1, f"no answer within {TIMEOUT_SECONDS} s"
    return done.returncode, done.stdout.decode(errors="replace")
