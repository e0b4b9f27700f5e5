"""Run compiled rules over a past that is written to a real Prometheus, as its rule manager would.

A server evaluates its rules only now. Here each rule's own expression is sent as a range query,
whose steps are what the rule manager would have queried one at a time, and the answers are written
back by remote write, with a staleness marker wherever a series ends: rule by rule, in the order in
which they depend on each other.
"""

from __future__ import annotations

import http.client
import json
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

from demo.servers import free_port, prometheus
from oracle.streams import Labels, Span

from slo_compiler import naming
from slo_compiler.render import Rule, TenantRules

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]  # Prometheus' marker
_STEPS = 10_000  # a range query may have 11,000
# As a range, over which each evaluation counts; `[2h] @ end()` is read for its last sample alone.
_RANGED = (
    r"\{[^}]*\}(\[(?!2h\] @ end)|"
    r"( offset \w+)?\s+and on \(tenant\)\s+\(last_over_time\(slo:period_start)"
)

Result = dict[Labels, list[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class Steps:
    """Evenly spaced moments, in milliseconds: the first, the last allowed, and their distance."""

    start: int
    end: int
    step: int

    def chunks(self) -> Iterator[Steps]:
        """Split into what one query may ask."""
        span = self.step * (_STEPS - 1)
        for start in range(self.start, self.end + 1, span + self.step):
            yield Steps(start, min(start + span, self.end), self.step)

    @property
    def last(self) -> int:
        """The last moment."""
        return self.end - (self.end - self.start) % self.step

    @property
    def count(self) -> int:
        """How many there are."""
        return (self.end - self.start) // self.step + 1


class Engine:
    """A running Prometheus that takes samples of any time."""

    def __init__(self, url: str) -> None:
        """Connect to it."""
        self.url = url
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)

    def write(self, series: Iterable[tuple[Labels, Sequence[tuple[int, float]]]]) -> None:
        """Append samples, in order of time within each series."""
        self.write_encoded(_time_series(labels, samples) for labels, samples in series)

    def write_encoded(self, series: Iterable[bytes]) -> None:
        """Append messages of prometheus.WriteRequest.timeseries."""
        body = b"".join(series)
        if not body:
            return
        # Snappy's block format, as one literal: valid, and not compressed.
        packed = varint(len(body)) + b"\xfc" + struct.pack("<I", len(body) - 1) + body
        headers = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        self._post("/api/v1/write", packed, headers)

    def ask(self, expr: str, steps: Steps) -> Result:
        """Evaluate an expression at each of the moments."""
        found: Result = {}
        for chunk in steps.chunks():
            parameters = {
                "query": expr,
                "start": f"{chunk.start / 1000:.3f}",
                "end": f"{chunk.end / 1000:.3f}",
                "step": f"{chunk.step / 1000:.3f}",
                "timeout": "5m",
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._post("/api/v1/query_range", urlencode(parameters).encode(), headers)
            for series in json.loads(answer)["data"]["result"]:
                samples = [(int(t * 1000 + 0.5), float(v)) for t, v in series["values"]]
                found.setdefault(tuple(sorted(series["metric"].items())), []).extend(samples)
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        self._connection.request("POST", path, body, dict(headers))
        response = self._connection.getresponse()
        answer = response.read()
        assert response.status in {200, 204}, f"{path}: {response.status} {answer[:400]!r}"
        return answer


@dataclass(slots=True)
class _Dense:
    """A rule that others read as a range, so that each of its evaluations counts."""

    rule: Rule
    interval: int
    next: int
    open: set[Labels] = field(default_factory=set)  # series that the last evaluation returned


class Replay:
    """One tenant's rules, evaluated at the moments of its groups' phases.

    Each group has a phase of its own, because Prometheus derives it from the group's name.
    """

    def __init__(
        self,
        engine: Engine,
        rules: TenantRules,
        origin: int,
        phase: Callable[[int], int],
        down: Mapping[str, tuple[Span, ...]] = MappingProxyType({}),
    ) -> None:
        """Take the phase of the n-th group in milliseconds.

        `down` is when no rule of an SLO is evaluated: one server plays many.
        """
        self._engine, self._down = engine, down
        scheduled = [
            (rule, group.interval.ms, origin + phase(number) % group.interval.ms)
            for number, group in enumerate(rules.groups)
            for rule in group.rules
        ]
        dense = _read_densely(rules)
        self._dense: list[_Dense] = []
        self._sparse: list[tuple[Rule, int, int]] = []
        for rule, interval, first in _in_order(scheduled):
            if rule.name in dense:
                self._dense.append(_Dense(rule, interval, first))
            else:
                self._sparse.append((rule, interval, first))

    def interval(self, rule: Rule) -> int:
        """Tell how often a rule that no other reads as a range is evaluated, in milliseconds."""
        return next(interval for each, interval, _ in self._sparse if each is rule)

    def advance(self, until: int) -> None:
        """Evaluate the rules that others read as ranges up to a moment, and record them."""
        for dense in self._dense:
            steps = Steps(dense.next, until, dense.interval)
            if steps.start > until:
                continue
            found = self._engine.ask(dense.rule.expr, steps)
            self._engine.write(self._row(dense, steps, found))
            dense.next = steps.last + dense.interval

    def look(self, start: int, end: int, step: int | None = None) -> dict[Rule, Result]:
        """Evaluate all other rules between two moments: every `step`, or as often as they are.

        What others read is recorded; later looks must lie after earlier ones.
        """
        looked: dict[Rule, Result] = {}
        for rule, interval, first in self._sparse:
            at = first + -(-(start - first) // interval) * interval
            every = step or interval
            assert every % interval == 0
            found = self._engine.ask(rule.expr, Steps(at, end, every))
            looked[rule] = {_recorded(rule, labels): row for labels, row in found.items()}
            if not rule.alert:
                self._engine.write(looked[rule].items())
        return looked

    def _row(
        self, dense: _Dense, steps: Steps, found: Result
    ) -> Iterator[tuple[Labels, list[tuple[int, float]]]]:
        """Give what the rule manager would write: values, and a marker where a series ends.

        None is written while the rules are not evaluated, nor by the first evaluation after that:
        the rule manager has then forgotten what it wrote.
        """
        rows = {_recorded(dense.rule, labels): row for labels, row in found.items()}
        assert len(rows) == len(found), f"{dense.rule.name}: same labelset"
        before, dense.open = dense.open, set()
        for labels in {*rows, *before}:
            down = self._down.get(dict(labels).get(naming.SLO, ""), ())
            row = rows.get(labels, [])
            if not down and len(row) == steps.count:
                dense.open.add(labels)
                yield labels, row
                continue

            def is_down(at: int, down: tuple[Span, ...] = down) -> bool:
                return any(start <= at < end for start, end in down)

            out: list[tuple[int, float]] = []
            following = steps.start if labels in before else None  # a series that is open
            for at, value in row:
                if is_down(at):
                    continue
                if following is not None and at > following and not is_down(following):
                    out.append((following, STALE))
                out.append((at, value))
                following = at + dense.interval
            if following is not None and following > steps.last:
                dense.open.add(labels)
            elif following is not None and not is_down(following):
                out.append((following, STALE))
            yield labels, out


def _read_densely(rules: TenantRules) -> set[str]:
    """Name the series that are read as ranges, and what their rules read in turn."""
    recorded = [rule for group in rules.groups for rule in group.rules if not rule.alert]
    exprs = [rule.expr for group in rules.groups for rule in group.rules]
    names = {rule.name for rule in recorded}
    dense = {n for n in names if any(re.search(re.escape(n) + _RANGED, e) for e in exprs)}
    while True:
        read = [rule.expr for rule in recorded if rule.name in dense]
        more = {name for name in names - dense if any(f"{name}{{" in expr for expr in read)}
        if not more:
            return dense
        dense |= more


def _in_order(scheduled: list[tuple[Rule, int, int]]) -> Iterator[tuple[Rule, int, int]]:
    """Put each rule after those that it reads: here they run one after the other."""
    readers = {
        index: [
            other
            for other, (read, _, _) in enumerate(scheduled)
            if _reads(rule.expr, read) and read is not rule
        ]
        for index, (rule, _, _) in enumerate(scheduled)
    }
    return (scheduled[index] for index in TopologicalSorter(readers).static_order())


def _reads(expr: str, read: Rule) -> bool:
    """Whether an expression reads a rule's series: by its name, and its SLO where that is given."""
    for found in re.finditer(re.escape(read.name) + r"\{([^}]*)\}", expr):
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', found[1]))
        own = dict(read.labels)
        if all(own.get(name, value) == value for name, value in wanted.items()):
            return True
    return False


def _recorded(rule: Rule, labels: Labels) -> Labels:
    own = {name: value for name, value in labels if name != "__name__"}
    return tuple(sorted({**own, "__name__": rule.name, **dict(rule.labels)}.items()))


@contextmanager
def engine(binary: Path, folder: Path) -> Iterator[Engine]:
    """Start a Prometheus with an empty store that takes the past."""
    config = folder / "prometheus.yml"
    config.write_text("storage: {tsdb: {out_of_order_time_window: 60d}}\n", encoding="utf-8")
    # Samples are taken for half a block, and kept in lists that are slow to ask until it fills.
    extra = (
        "--web.enable-remote-write-receiver",
        "--storage.tsdb.min-block-duration=2d",
        "--storage.tsdb.max-block-duration=2d",
        "--storage.tsdb.retention.time=20y",
        "--query.timeout=5m",
        "--query.max-samples=200000000",
        "--enable-feature=native-histograms",
    )
    with prometheus(binary, config, folder / "data", port=free_port(), extra_args=extra) as server:
        client = Engine(server.url)
        try:
            yield client
        finally:
            client.close()


def varint(number: int) -> bytes:
    """Encode a number as protobuf does."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


@lru_cache(maxsize=10_000)
def _stamp(at: int) -> bytes:
    """Encode a sample's time: with six bytes, from 1971 to 2109."""
    return b"\x10" + varint(at)


def field_of(number: int, content: bytes) -> bytes:
    """Encode a field that has a length."""
    return bytes((number << 3 | 2,)) + varint(len(content)) + content


def _time_series(labels: Labels, samples: Sequence[tuple[int, float]]) -> bytes:
    """Encode a message of prometheus.WriteRequest.timeseries."""
    head = b"".join(
        field_of(1, field_of(1, name.encode()) + field_of(2, value.encode()))
        for name, value in sorted(labels)
    )
    # There are millions: one double and one time each, and the series share their times.
    double = struct.Struct("<3sd").pack
    body = b"".join(double(b"\x12\x10\x09", value) + _stamp(at) for at, value in samples)
    return field_of(1, head + body)
