"""Native histograms for remote write: counts of exponential buckets, as floats."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from oracle.engine import field_of, varint
from oracle.streams import Labels


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram of schema 0, whose bucket n counts what is above 2^(n-1), up to 2^n seconds."""

    at: int  # milliseconds
    buckets: Mapping[int, float]  # cumulative in time, by n, without gaps


def native_series(labels: Labels, histograms: Iterable[Histogram]) -> bytes:
    """Encode a message of prometheus.WriteRequest.timeseries that has histograms."""
    head = b"".join(
        field_of(1, field_of(1, name.encode()) + field_of(2, value.encode()))
        for name, value in sorted(labels)
    )
    return field_of(1, head + b"".join(field_of(4, _encoded(h)) for h in histograms))


def _encoded(histogram: Histogram) -> bytes:
    numbers = sorted(histogram.buckets)
    counts: Sequence[float] = [float(histogram.buckets[number]) for number in numbers]
    span = b"\x08" + varint(_zigzag(numbers[0])) + b"\x10" + varint(len(numbers))
    return b"".join(
        (
            b"\x11" + struct.pack("<d", sum(counts)),  # count_float
            b"\x19" + struct.pack("<d", 0.0),  # sum, which no rule reads
            b"\x20" + varint(_zigzag(0)),  # schema
            b"\x29" + struct.pack("<d", 1e-9),  # zero_threshold
            b"\x39" + struct.pack("<d", 0.0),  # zero_count_float
            field_of(11, span),
            field_of(13, struct.pack(f"<{len(counts)}d", *counts)),
            b"\x78" + varint(histogram.at),
        )
    )


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1
