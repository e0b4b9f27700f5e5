"""Stretches of traffic and errors, written in promtool's notation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.proofs.generate.raw import Carries, Series
from slo_compiler.proofs.generate.subject import (
    EVENTS,
    Subject,
    base_labels,
)

MINUTE = Duration.of(minutes=1)
CLEAN, GONE = Fraction(0), None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of constant traffic with an error ratio; without one, the series are gone."""

    length: Duration
    error_ratio: Fraction | None
    idle: bool = False


Timeline = tuple[Segment, ...]


def inputs(
    subject: Subject,
    others: Sequence[Subject],
    timeline: Timeline,
    interval: Duration,
    *,
    raw: bool,
    decoys: bool = True,
) -> Iterator[tuple[str, str]]:
    """Give the input series of an SLO and their values, from raw counters or the base pair.

    Args:
        subject: the SLO.
        others: SLOs in the same run; decoys that they would read are left out.
        timeline: stretches of traffic, each a whole number of intervals.
        interval: between two samples.
        raw: whether to feed counters, where they could be derived.
        decoys: whether to feed the counters that each matcher keeps out, too.
    """
    if raw and subject.fed is not None:
        yield from counters(subject, others, timeline, interval, decoys=decoys)
        return
    yield from pair(subject, timeline, interval, naming.EVENTS_RATE, naming.ERRORS_RATE)


def counters(
    subject: Subject,
    others: Sequence[Subject],
    timeline: Timeline,
    interval: Duration,
    *,
    decoys: bool = True,
) -> Iterator[tuple[str, str]]:
    """Give the raw counters of an SLO and their values; none where they could not be derived."""
    for series in subject.raw.series if subject.raw else ():
        if series.carries is Carries.NOISE and not (
            decoys and not any(other.reads(series) for other in others)
        ):
            continue  # a decoy for one SLO must not feed another
        yield str(series), counter(series, timeline, interval, subject.events())


def pair(
    subject: Subject, timeline: Timeline, interval: Duration, events_series: str, errors_series: str
) -> Iterator[tuple[str, str]]:
    """Give the two series of rates of an SLO and their values."""
    labels = base_labels(subject)
    for name in (events_series, errors_series):
        values = []
        for segment in timeline:
            samples = segment.length.ms // interval.ms
            if segment.error_ratio is None:
                values.append(f"stale _x{samples - 1}")
                continue
            events = 0 if segment.idle else subject.events()
            part = segment.error_ratio if name == errors_series else Fraction(1)
            values.append(f"{burn.literal(events * part)}x{samples - 1}")
        yield f"{name}{{{labels}}}", " ".join(values)


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
    value = Fraction(EVENTS)  # not from zero, where rate() extrapolates less far
    out = []
    for segment in timeline:
        samples = segment.length.ms // interval.ms
        if segment.error_ratio is None:
            out.append(f"stale _x{samples - 1}")
            continue
        part = {
            Carries.ALL: Fraction(1),
            Carries.ERRORS: segment.error_ratio,
            Carries.GOOD: 1 - segment.error_ratio,
            Carries.NOISE: Fraction(1),
        }[series.carries]
        step = Fraction(0) if segment.idle else events * part
        out.append(f"{burn.literal(value + step)}+{burn.literal(step)}x{samples - 1}")
        value += step * samples
    return " ".join(out)


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
