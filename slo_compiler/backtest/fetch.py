"""Raw samples of a Prometheus, as they were scraped: chunk by chunk, each fetched once."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from slo_compiler.backtest.moments import SECOND, History, exact, floored
from slo_compiler.backtest.store import ChunkStore
from slo_compiler.cache import key_of
from slo_compiler.duration import Duration
from slo_compiler.live.client import Client, Headers, RefusedError, ServerError

CHUNK = Duration.of(hours=6)
BLOCK = Duration.of(days=1)  # in which there may be no series at all, which is cheap to query
LEAST = Duration.of(minutes=5)  # a smaller part is not fetched
_SETTLED = Duration.of(hours=1)  # late samples may still arrive in what is younger
_FORMAT = "1"  # of the chunks

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FetchedSelector:
    """What a Prometheus has of a selector: where the chunks are, and what is in them."""

    selector: str
    chunks: tuple[Path, ...]
    samples: int
    first: int | None  # milliseconds; None if there is no sample
    every: Duration | None  # between two samples, the median of the first chunk that has some


@dataclass(frozen=True, slots=True)
class _Chunk:
    path: Path
    samples: int
    first: int | None
    every: int | None


def fetch(
    client: Client,
    headers: Headers,
    selectors: Sequence[str],
    history: History,
    store: ChunkStore,
    scratch: ChunkStore,
    progress: Progress,
) -> list[FetchedSelector]:
    """Fetch the samples of selectors, or find them in the store.

    What is so young that samples may still arrive goes to `scratch`, and is fetched each time.

    Raises:
        ServerError: no Prometheus answers.
        RefusedError: it refuses a query.
        OSError: the store cannot be written.
    """
    blocks = [*_spans(history, BLOCK)]
    # A credential may change and the samples stay; another header may name another tenant.
    sent = sorted(f"{k.lower()}: {v}" for k, v in headers if k.lower() != "authorization")

    def chunk(selector: str, span: History) -> _Chunk:
        key = key_of([_FORMAT, client.url, *sent, selector, str(span.start), str(span.end)])
        settled = span.end <= client.now * SECOND - _SETTLED.ms
        to = store if settled else scratch
        return _kept(to, key) or _fetched(client, selector, span, to, key)

    found = []
    for number, selector in enumerate(selectors):
        chunks = []
        for done, block in enumerate(blocks):
            progress(
                "fetching history, part", number * len(blocks) + done, len(selectors) * len(blocks)
            )
            if client.has_series(selector, block.start // SECOND, block.end // SECOND):
                chunks += [chunk(selector, span) for span in _spans(block, CHUNK)]
        with_samples = [chunk for chunk in chunks if chunk.samples]
        every = next((chunk.every for chunk in with_samples if chunk.every), None)
        found.append(
            FetchedSelector(
                selector,
                tuple(chunk.path for chunk in with_samples),
                sum(chunk.samples for chunk in chunks),
                next((chunk.first for chunk in with_samples), None),
                Duration(every) if every else None,
            )
        )
    return found


def _spans(history: History, each: Duration) -> Iterator[History]:
    """Cut at whole multiples, so that another run needs the same chunks."""
    for start in range(floored(history.start, each), history.end, each.ms):
        yield History(start, min(start + each.ms, history.end))


def _kept(store: ChunkStore, key: str) -> _Chunk | None:
    path = store.get(key)
    if path is None:
        return None
    try:
        return _described(path, gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError, LookupError):  # it is damaged: fetch it again
        return None


def _fetched(client: Client, selector: str, span: History, store: ChunkStore, key: str) -> _Chunk:
    lines = [json.dumps(series) for series in _answers(client, selector, span)]
    content = "".join(f"{line}\n" for line in lines).encode()
    return _described(store.put(key, gzip.compress(content, 3)), content)


def _described(path: Path, content: bytes) -> _Chunk:
    samples, first, gaps = 0, None, []
    for line in content.splitlines():
        times = json.loads(line)["timestamps"]
        samples += len(times)
        first = min(times[0], first) if first is not None else times[0]
        gaps += [b - a for a, b in pairwise(times[:50])]
    return _Chunk(path, samples, first, sorted(gaps)[len(gaps) // 2] if gaps else None)


def _answers(client: Client, selector: str, span: History) -> Iterator[Mapping[str, Any]]:
    """Fetch a span; where its answer is too large, for the halves of it."""
    try:
        result = client.samples(selector, span.length.ms // SECOND, span.end // SECOND)
    except RefusedError as error:
        half = span.length.ms // 2 // SECOND * SECOND
        if half < LEAST.ms:
            ending = exact(span.end)
            raise RefusedError(f"{client.url}: {selector} until {ending}: {error}") from None
        yield from _answers(client, selector, History(span.start, span.start + half))
        yield from _answers(client, selector, History(span.start + half, span.end))
        return
    for series in result:
        if found := _series(client, series, span):
            yield found


def _series(client: Client, series: Any, span: History) -> Mapping[str, Any] | None:  # noqa: ANN401  (JSON)
    """Read a series; samples at the start are the chunk's before, and those that are NaN are none.

    A range has both of its ends in Prometheus 2, and its end alone in 3.
    """
    try:
        pairs = [(round(float(at) * SECOND), float(v)) for at, v in series.get("values", ())]
        labels = {str(k): str(v) for k, v in series["metric"].items()}
    except (AttributeError, TypeError, LookupError, ValueError, OverflowError):
        raise ServerError(f"{client.url}: the answer is not Prometheus'") from None
    pairs = [(at, v) for at, v in pairs if span.start < at <= span.end and math.isfinite(v)]
    if not pairs:
        return None
    times, values = zip(*pairs, strict=True)
    return {"metric": labels, "values": values, "timestamps": times}
