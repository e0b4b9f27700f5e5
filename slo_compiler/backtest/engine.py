"""A VictoriaMetrics of our own: started empty on loopback, filled, queried, and gone afterwards."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from slo_compiler import process, tools
from slo_compiler.backtest.moments import SECOND, History
from slo_compiler.duration import Duration

STEPS = 10_000  # of one query
_START_SECONDS, _ANSWER_SECONDS = 30.0, 1800.0
_LOG_LINES = 5
_PROGRAMS = ("victoria-metrics", "vmalert")
_SETTINGS = (
    "-retentionPeriod=100y",
    "-search.disableCache",  # it would keep answers from before a rule was recorded
    "-search.latencyOffset=0s",
    "-dedup.minScrapeInterval=1ms",  # a replay writes the moment between two of its queries twice
    "-search.maxQueryDuration=30m",
    "-search.maxSamplesPerQuery=10000000000",
    "-search.maxUniqueTimeseries=10000000",
    "-loggerLevel=ERROR",
)
# A loopback server is never behind a proxy, whatever the environment sets.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class EngineError(Exception):
    """VictoriaMetrics or vmalert is missing or fails; the message says which, and what to do."""

    def __init__(self, message: str, help_: str = "") -> None:
        super().__init__(message)
        self.message, self.help = message, help_


@dataclass(frozen=True, slots=True)
class EnginePrograms:
    """Where the two programs are."""

    store: Path
    vmalert: Path


def programs(project: Path | None = None) -> EnginePrograms:
    """Find VictoriaMetrics and vmalert.

    Raises:
        EngineError: one of them is not found.
    """
    found = {name: tools.find(name, project=project) for name in _PROGRAMS}
    store, vmalert = (found[name] for name in _PROGRAMS)
    if store is None or vmalert is None:
        missing = " and ".join(name for name, path in found.items() if path is None)
        raise EngineError(
            f"{missing} not found: VictoriaMetrics evaluates the rules over the history",
            "run slo-compiler tools --servers, which fetches it without root on Debian and Ubuntu, "
            f"or name a folder that holds {' and '.join(_PROGRAMS)} in {tools.VARIABLE}",
        )
    return EnginePrograms(store, vmalert)


class HistoryEngine:
    """A VictoriaMetrics that runs."""

    def __init__(self, url: str, server: subprocess.Popen[bytes], log: Path) -> None:
        self.url, self.pid = url, server.pid
        self._server, self._log = server, log

    def require_running(self) -> None:
        """Check that it has not ended.

        Raises:
            EngineError: it has.
        """
        if self._server.poll() is not None:
            raise self._failed(EngineError("it printed nothing"))

    def write(self, chunks: Iterable[Path]) -> None:
        """Import chunks of samples, each a compressed file of JSON lines."""
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        for chunk in chunks:
            self._ask("/api/v1/import", chunk.read_bytes(), headers)

    def flush(self) -> None:
        """Make all that was written readable."""
        self._ask("/internal/force_flush")

    def evaluations(self, expr: str, over: History, step: Duration) -> int:
        """Count the samples that an expression has at all steps of a span."""
        total = 0.0
        span = step.ms * (STEPS - 1)
        for start in range(over.start, over.end + 1, span + step.ms):
            parameters = {
                "query": f"count(\n{expr}\n)",
                "start": _seconds(start),
                "end": _seconds(min(start + span, over.end)),
                "step": _seconds(step.ms),
                "nocache": "1",  # else the ends would be moved
            }
            for series in self._result("query_range", parameters):
                total += sum(float(value) for _, value in series["values"])
        return round(total)

    def recorded(self, selector: str, over: History) -> int:
        """Count the samples of a selector that are stored in a span, its ends included."""
        span = f"{over.length.ms + 1}ms"
        found = self._instant(f"sum(count_over_time({selector}[{span}]))", over.end)
        return round(float(found[0]["value"][1])) if found else 0

    def number(self, expr: str, at: int) -> float | None:
        """Evaluate an expression of one sample at a moment."""
        found = self._instant(expr, at)
        return float(found[0]["value"][1]) if found else None

    def series(self, selector: str, over: History) -> list[tuple[dict[str, str], list[int]]]:
        """Give the labels of each series of a selector, and the moments of its samples."""
        parameters = {"match[]": selector, "start": _seconds(over.start), "end": _seconds(over.end)}
        answer = self._ask("/api/v1/export", urlencode(parameters).encode())
        found = [json.loads(line) for line in answer.splitlines() if line]
        return [(each["metric"], sorted({*each["timestamps"]})) for each in found]

    def _instant(self, expr: str, at: int) -> list[Any]:
        return self._result("query", {"query": expr, "time": _seconds(at), "nocache": "1"})

    def _result(self, path: str, parameters: dict[str, str]) -> list[Any]:
        answer = json.loads(self._ask(f"/api/v1/{path}", urlencode(parameters).encode()))
        result: list[Any] = answer["data"]["result"]
        return result

    def _ask(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        url = f"{self.url}{path}"  # of our own server
        request = urllib.request.Request(url, body, headers or {})  # noqa: S310  (http)
        try:
            with _OPENER.open(request, timeout=_ANSWER_SECONDS) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            with error:
                words = " ".join(error.read().decode(errors="replace")[:400].split())
            raise EngineError(f"VictoriaMetrics refuses {path}: {words}") from None
        except (OSError, http.client.HTTPException) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> EngineError:
        """Return why there is no answer: it may have ended, of too little memory or disk."""
        code = self._server.poll()
        how = "gives no answer" if code is None else f"ended with {code}"
        words = " ".join(_last(self._log)) or str(error)
        return EngineError(
            f"VictoriaMetrics {how}: {words}",
            "is there memory and disk enough? a shorter span and fewer SLOs need less; what was "
            "fetched is kept",
        )


def _seconds(ms: int) -> str:
    return f"{ms / SECOND:.3f}"


@contextmanager
def started(binary: Path, folder: Path) -> Iterator[HistoryEngine]:
    """Run an empty VictoriaMetrics, its data in a folder, until the block ends.

    Raises:
        EngineError: it does not start.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    log = folder / "victoria-metrics.log"
    own = (f"-storageDataPath={folder / 'data'}", f"-httpListenAddr={address}")
    try:
        with process.serving([binary, *own, *_SETTINGS], log) as server:
            _await(f"http://{address}/health", server, log)
            yield HistoryEngine(f"http://{address}", server, log)
    except process.ProcessError as error:
        raise EngineError(str(error)) from error


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        try:
            with _OPENER.open(url, timeout=_START_SECONDS):
                return
        except OSError:
            time.sleep(0.05)
    words = " ".join(_last(log)) or "it printed nothing"
    raise EngineError(f"VictoriaMetrics does not start: {words}")


def _last(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
