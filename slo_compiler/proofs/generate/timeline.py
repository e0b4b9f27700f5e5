"""Stretches of traffic and errors, written in promtool's notation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.proofs.generate.raw import Series, SeriesRole
from slo_compiler.proofs.generate.subject import (
    EVENTS,
    SLOUnderTest,
    base_labels,
)

MINUTE = Duration.of(minutes=1)
CLEAN, GONE = Fraction(0), None
_EXACT = 10**15


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A stretch of constant traffic with an error ratio; without one, the series are gone.

    Made by `stretch`, and a key by its identity: to hash and compare fractions takes its time.
    """

    length: Duration
    error_ratio: Fraction | None
    idle: bool = False
    traffic: int = 1  # how many times the events of an ordinary sample


Timeline = tuple[Segment, ...]


@lru_cache(maxsize=4_096)
def stretch(
    length: Duration, error_ratio: Fraction | None, *, idle: bool = False, traffic: int = 1
) -> Segment:
    """Give a stretch, the same one whenever it is asked for."""
    return Segment(length, error_ratio, idle, traffic)


def inputs(
    subject: SLOUnderTest,
    decoys: Sequence[Series],
    timeline: Timeline,
    interval: Duration,
    *,
    raw: bool,
) -> Iterator[tuple[str, str]]:
    """Give the input series of an SLO and their values, from raw counters or the base pair.

    Args:
        subject: the SLO.
        decoys: counters that its matchers keep out, to feed beside its own.
        timeline: stretches of traffic, each a whole number of intervals.
        interval: between two samples.
        raw: whether to feed counters, where they could be derived.
    """
    if raw and subject.fed is not None:
        yield from counters(subject, decoys, timeline, interval)
        return
    yield from pair(subject, timeline, interval, naming.EVENTS_RATE, naming.ERRORS_RATE)


def counters(
    subject: SLOUnderTest, decoys: Sequence[Series], timeline: Timeline, interval: Duration
) -> Iterator[tuple[str, str]]:
    """Give the raw counters of an SLO and their values; none where they could not be derived."""
    values: dict[SeriesRole, str] = {}
    for series in (*subject.counters, *decoys):
        if series.role not in values:
            values[series.role] = counter(series, timeline, interval, subject.events)
        yield str(series), values[series.role]


def pair(
    subject: SLOUnderTest,
    timeline: Timeline,
    interval: Duration,
    events_series: str,
    errors_series: str,
) -> Iterator[tuple[str, str]]:
    """Give the two series of rates of an SLO and their values."""
    labels = base_labels(subject)
    for name in (events_series, errors_series):
        role = SeriesRole.ERRORS if name == errors_series else SeriesRole.ALL
        yield f"{name}{{{labels}}}", _rates(role, timeline, interval, subject.events)


def constant_pair(
    labels: str, events: int, segment: Segment, interval: Duration
) -> Iterator[tuple[str, str]]:
    """Give the two series of rates with these labels over one stretch, and their values."""
    samples = segment.length.ms // interval.ms
    counted = 0 if segment.idle else events
    errors = counted * (segment.error_ratio or Fraction(0))
    for name, count in ((naming.EVENTS_RATE, Fraction(counted)), (naming.ERRORS_RATE, errors)):
        yield f"{name}{{{labels}}}", f"{burn.literal(count)}x{samples - 1}"


def counter(series: Series, timeline: Timeline, interval: Duration, events: int) -> str:
    """Write a counter's samples in promtool's notation: start+stepxcount."""
    if series.role is SeriesRole.NOISE:
        return _noise(timeline, interval, events)
    return _counts(series.role, timeline, interval, events)


@lru_cache(maxsize=4096)
def _noise(timeline: Timeline, interval: Duration, events: int) -> str:
    """Write a decoy's samples: it counts on whatever happens to the SLO."""
    samples = sum(segment.length.ms for segment in timeline) // interval.ms
    return f"{EVENTS + events}+{events}x{samples - 1}"


@lru_cache(maxsize=4096)
def _counts(role: SeriesRole, timeline: Timeline, interval: Duration, events: int) -> str:
    value = Fraction(EVENTS)  # not from zero, where rate() extrapolates less far
    out = []
    for segment in timeline:
        samples = segment.length.ms // interval.ms
        if segment.error_ratio is None:
            out.append(f"stale _x{samples - 1}")
            continue
        step = _events(segment, events, role)
        out.append(f"{number(value + step)}+{number(step)}x{samples - 1}")
        value += step * samples
    return " ".join(out)


@lru_cache(maxsize=4096)
def _rates(role: SeriesRole, timeline: Timeline, interval: Duration, events: int) -> str:
    values = []
    for segment in timeline:
        samples = segment.length.ms // interval.ms
        if segment.error_ratio is None:
            values.append(f"stale _x{samples - 1}")
            continue
        values.append(f"{number(_events(segment, events, role))}x{samples - 1}")
    return " ".join(values)


def _events(segment: Segment, events: int, role: SeriesRole) -> Fraction:
    """Give what a series counts of a sample's events."""
    ratio = segment.error_ratio or Fraction(0)
    part = {SeriesRole.ERRORS: ratio, SeriesRole.GOOD: 1 - ratio}.get(role, Fraction(1))
    return Fraction(0) if segment.idle else events * segment.traffic * part


def number(value: Fraction) -> str:
    """Print a number for promtool: exact up to 15 digits, and rounded with an exponent above."""
    return burn.literal(value) if value < _EXACT else repr(float(value))


def settled_after(tile: Duration) -> Duration:
    """Give the time after which constant errors are seen in every window, with tiles up to this."""
    return rounded(max(MINUTE * 5, tile + MINUTE * 2), MINUTE)


def minutes(ms: Fraction) -> str:
    """Print milliseconds as minutes, to a hundredth."""
    return f"{float(ms / 60_000):.2f}".rstrip("0").rstrip(".") + "m"


def down(ms: Fraction, step: Duration) -> Duration:
    """Round milliseconds down to a step."""
    return Duration(floor(ms / step.ms) * step.ms)


def up(ms: Fraction, step: Duration) -> Duration:
    """Round milliseconds up to a step."""
    return Duration(ceil(ms / step.ms) * step.ms)


def rounded(span: Duration, step: Duration) -> Duration:
    """Round a span up to a step."""
    return up(Fraction(span.ms), step)
