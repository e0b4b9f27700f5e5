"""Streams of events whose counts are known exactly, and the counters that show them.

All arithmetic is in whole events and whole milliseconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from random import Random

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Span = tuple[int, int]  # from, to, in milliseconds
Labels = tuple[tuple[str, str], ...]
Samples = list[tuple[int, int]]  # millisecond, the counter's value


@dataclass(frozen=True, slots=True)
class _Segment:
    start: int
    events: int  # before it
    errors: int
    rate: tuple[int, int]  # events per millisecond, as numerator and denominator
    share: tuple[int, int]


class Stream:
    """Events at a constant rate and share of errors from each turn of the two to the next."""

    def __init__(
        self,
        length: int,
        per_second: Callable[[int], int | Fraction],
        share: Fraction,
        incidents: Iterable[tuple[int, int, Fraction]] = (),
        every: int = HOUR,
    ) -> None:
        """Take the rate of each `every` from `per_second(start)`, the share from the incidents."""
        incidents = tuple(incidents)
        cuts = {*range(0, length, every), *(t for i in incidents for t in i[:2] if t < length)}
        self._segments: list[_Segment] = []
        events = errors = 0
        last: _Segment | None = None
        for cut in sorted(cuts):
            if last is not None:
                events, errors = _counted(last, cut)
            now = next((s for a, b, s in incidents if a <= cut < b), share)
            rate = Fraction(per_second(cut // every * every)) / SECOND
            last = _Segment(cut, events, errors, rate.as_integer_ratio(), now.as_integer_ratio())
            self._segments.append(last)
        self._starts = [segment.start for segment in self._segments]

    def counted(self, at: int) -> tuple[int, int]:
        """Count the events and the errors up to and including a millisecond."""
        if at <= 0:
            return 0, 0
        return _counted(self._segments[bisect_right(self._starts, at) - 1], at)

    def within(self, start: int, end: int) -> tuple[int, int]:
        """Count the events and the errors after `start`, up to and including `end`."""
        before, after = self.counted(start), self.counted(end)
        return after[0] - before[0], after[1] - before[1]


def _counted(segment: _Segment, at: int) -> tuple[int, int]:
    (rate, per), (share, of) = segment.rate, segment.share
    events = rate * (at - segment.start) // per
    errors = share * events // of
    return segment.events + events, segment.errors + errors


@dataclass(frozen=True, slots=True)
class Scenario:
    """A stream and how it is exposed: by which targets, from when to when, and what goes wrong."""

    name: str
    stream: Stream
    form: str = "errors"  # or "good"
    pods: int = 1
    pod_life: int | None = None  # they are replaced in turn, one after the other
    resets: tuple[int, ...] = ()  # moments at which all counters start over
    initial: int = 1_000_000  # what the first counters have counted before the first event
    zeroed: bool = True  # an error's series is there before its first error
    lost: Callable[[int], bool] | None = None  # is the n-th scrape lost?
    down: tuple[Span, ...] = ()  # neither scrapes nor rules while Prometheus is down
    metric: str = "oracle_requests_total"

    @property
    def sli(self) -> str:
        """Its indicator, as in a manifest."""
        code = 200 if self.form == "good" else 500
        part = f'{self.metric}{{scenario="{self.name}",code="{code}"}}'
        total = f'{self.metric}{{scenario="{self.name}"}}'
        return f"{{ratio: {{{self.form}: '{part}', total: '{total}'}}}}"

    def is_down(self, at: int) -> bool:
        """Is Prometheus down at that moment?"""
        return any(start <= at < end for start, end in self.down)

    def counters(self, start: int, end: int, scrape: int) -> Iterator[tuple[Labels, Samples]]:
        """Scrape all of its counters between two moments."""
        for slot in range(self.pods):
            for generation, (born, died) in enumerate(self._lives(slot, end)):
                pod = f"{slot}-{generation}"
                yield from self._pod(slot, pod, (max(born, start), min(died, end)), born, scrape)

    def _lives(self, slot: int, end: int) -> Iterator[Span]:
        if self.pod_life is None:
            yield 0, end
            return
        edge, born = self.pod_life * (slot + 1) // self.pods + slot * 1700, 0
        while born < end:
            yield born, edge
            born, edge = edge, edge + self.pod_life

    def _pod(
        self, slot: int, pod: str, seen: Span, born: int, scrape: int
    ) -> Iterator[tuple[Labels, Samples]]:
        phase = (slot * 4_211 + sum(pod.encode()) * 97) % scrape  # every target has its own
        starts = [born, *(reset for reset in self.resets if born < reset < seen[1])]
        zeros = [self._split(slot, at) for at in starts]
        initial = self.initial if born == 0 else 0
        good: Samples = []
        bad: Samples = []
        for number in range(-(-(seen[0] - phase) // scrape), -(-(seen[1] - phase) // scrape)):
            at = number * scrape + phase
            if (self.lost and self.lost(number)) or (self.down and self.is_down(at)):
                continue
            index = bisect_right(starts, at) - 1
            here, zero = self._split(slot, at), zeros[index]
            add = 0 if index else initial
            good.append((at, here[0] - zero[0] + add))
            if self.zeroed or here[1] > zero[1]:
                bad.append((at, here[1] - zero[1] + (add if self.zeroed else 0)))
        for code, samples in (("200", good), ("500", bad)):
            if samples:
                labels = {
                    "__name__": self.metric,
                    "code": code,
                    "pod": pod,
                    "scenario": self.name,
                }
                yield tuple(labels.items()), samples

    def _split(self, slot: int, at: int) -> tuple[int, int]:
        """Count a slot's share of good events and of errors: the slots' shares add up exactly."""
        events, errors = self.stream.counted(at)
        return (events - errors + slot) // self.pods, (errors + slot) // self.pods


def random_loss(percent: int, seed: int = 1) -> Callable[[int], bool]:
    """Lose scrapes at random, the same ones each time."""
    lost: dict[int, bool] = {}
    random = Random(seed)  # noqa: S311 - a simulation

    def is_lost(scrape: int) -> bool:
        while len(lost) <= max(scrape, 0):
            lost[len(lost)] = random.randrange(100) < percent
        return lost[max(scrape, 0)]

    return is_lost


def burst_loss(every: int, length: int) -> Callable[[int], bool]:
    """Lose `length` scrapes in a row, at every `every`-th scrape."""
    return lambda scrape: scrape % every >= every - length
