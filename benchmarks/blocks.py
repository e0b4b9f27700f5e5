"""Blocks of history for a Prometheus in seconds: series that differ in their labels alone.

The formats are those of tsdb/docs/format (chunks.md, index.md) in Prometheus 3.5. Samples are
encoded once for each metric, and the chunks written for each series, so that a server reads as much
from disk as if each had been scraped.
"""
# ruff: noqa: INP001 - imported by a script

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path

_HOURS = (2, 6, 18, 54, 162, 486)  # of a block, as Prometheus merges them
_SAMPLES = 120  # of a chunk
_SEGMENT = 500_000_000  # bytes of a file of chunks; 512 MiB are allowed


@dataclass(frozen=True, slots=True)
class Metric:
    """A name, and the samples that each of its series has."""

    name: str
    every: int  # seconds between samples
    since: int  # Unix seconds
    value: Callable[[int], float]


@dataclass(frozen=True, slots=True)
class _Chunks:
    """What each series of a metric has in a block: its chunks, and how an index refers to them."""

    count: int
    samples: int
    text: bytes
    before: bytes  # the reference of the first chunk, which differs, is between these
    after: bytes


_Series = tuple[tuple[tuple[str, str], ...], _Chunks]


def write_blocks(
    data: Path,
    metrics: Sequence[Metric],
    identities: Sequence[Mapping[str, str]],
    until: int,
    retention: int,
) -> None:
    """Write a series for each metric and identity until a Unix time.

    Blocks are cut as a server that keeps so many days would have merged them by then.
    """
    first = min(metric.since for metric in metrics)
    for start, end in cut(first, until, retention):
        chunks = {metric.name: _chunks(metric, start, end) for metric in metrics}
        series = [
            (tuple(sorted({**identity, "__name__": name}.items())), own)
            for name, own in chunks.items()
            if own.count
            for identity in identities
        ]
        series.sort(key=lambda one: one[0])
        _write_block(data / f"{start:026}", series, start * 1000, end * 1000)


def cut(first: int, until: int, retention: int) -> Iterator[tuple[int, int]]:
    """Give the start and the end of each block; none is longer than a tenth of the retention."""
    ranges = [hours * 3600 for hours in _HOURS if hours * 10 <= retention * 24]
    start = first // ranges[-1] * ranges[-1]
    while start < until:
        whole = [r for r in ranges if start % r == 0 and start + r <= until]
        end = start + max(whole, default=until - start)
        yield start, end
        start = end


def _write_block(folder: Path, series: Sequence[_Series], start: int, end: int) -> None:
    (folder / "chunks").mkdir(parents=True)
    references = _write_chunks(folder / "chunks", series)
    (folder / "index").write_bytes(_index(series, references))
    meta = {
        "ulid": folder.name,
        "minTime": start,
        "maxTime": end,
        "stats": {
            "numSamples": sum(chunks.samples for _, chunks in series),
            "numSeries": len(series),
            "numChunks": sum(chunks.count for _, chunks in series),
        },
        "compaction": {"level": 1, "sources": [folder.name]},
        "version": 1,
    }
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")


# --- chunks


def _chunks(metric: Metric, start: int, end: int) -> _Chunks:
    first = -(-max(start, metric.since) // metric.every) * metric.every
    samples = [(at * 1000, metric.value(at)) for at in range(first, end, metric.every)]
    parts = [samples[n : n + _SAMPLES] for n in range(0, len(samples), _SAMPLES)]
    texts = [_framed(_xor(part)) for part in parts]
    times = [(part[0][0], part[-1][0] - part[0][0]) for part in parts]
    before = _uvarint(len(parts)) + b"".join(
        _varint(at) + _uvarint(length) for at, length in times[:1]
    )
    gap = _uvarint(metric.every * 1000)
    after = b"".join(
        gap + _uvarint(length) + _varint(len(text))
        for (_, length), text in zip(times[1:], texts, strict=False)
    )
    return _Chunks(len(parts), len(samples), b"".join(texts), before, after)


def _framed(data: bytes) -> bytes:
    body = b"\x01" + data
    return _uvarint(len(data)) + body + _crc(body)


def _xor(samples: Sequence[tuple[int, float]]) -> bytes:
    """Encode samples that are equally far apart."""
    numbers = [struct.unpack(">Q", struct.pack(">d", value))[0] for _, value in samples]
    bits = [_bits(_varint(samples[0][0])), f"{numbers[0]:064b}"]
    leading, trailing = 64, 0
    for n, (before, number) in enumerate(pairwise(numbers)):
        bits.append("0" if n else _bits(_uvarint(samples[1][0] - samples[0][0])))
        change = before ^ number
        if not change:
            bits.append("0")
            continue
        zeros = min(64 - change.bit_length(), 31)
        low = (change & -change).bit_length() - 1
        if zeros >= leading and low >= trailing:
            bits.append(f"10{change >> trailing:0{64 - leading - trailing}b}")
        else:
            leading, trailing = zeros, low
            width = 64 - leading - trailing
            bits.append(f"11{leading:05b}{width % 64:06b}{change >> trailing:0{width}b}")
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return struct.pack(">H", len(samples)) + int(text, 2).to_bytes(len(text) // 8, "big")


def _write_chunks(folder: Path, series: Sequence[_Series]) -> list[int]:
    """Write the chunks of each series in turn, and return where each series begins."""
    references, files, place = [], 0, _SEGMENT
    with ExitStack() as stack:
        for _, chunks in series:
            if place + len(chunks.text) > _SEGMENT:
                files += 1
                file = stack.enter_context((folder / f"{files:06}").open("wb"))
                place = file.write(struct.pack(">IB3x", 0x85BD40DD, 1))
            references.append((files - 1) << 32 | place)
            place += file.write(chunks.text)
    return references


# --- index


def _index(series: Sequence[_Series], references: Sequence[int]) -> bytes:
    file = BytesIO()
    file.write(struct.pack(">IB", 0xBAAAD700, 2))
    symbols = sorted({text for labels, _ in series for pair in labels for text in pair})
    numbers = {symbol: number for number, symbol in enumerate(symbols)}
    symbols_at = _section(file, len(symbols), b"".join(map(_text, symbols)))
    series_at = file.tell()
    postings: dict[tuple[str, str], list[int]] = defaultdict(list)
    for (labels, chunks), reference in zip(series, references, strict=True):
        file.write(bytes(-file.tell() % 16))
        for key in (("", ""), *labels):
            postings[key].append(file.tell() // 16)
        entry = _uvarint(len(labels))
        entry += b"".join(_uvarint(numbers[text]) for pair in labels for text in pair)
        entry += chunks.before + _uvarint(reference) + chunks.after
        file.write(_uvarint(len(entry)) + entry + _crc(entry))
    postings_at, rows = file.tell(), []
    for (name, value), places in sorted(postings.items()):
        file.write(bytes(-file.tell() % 4))
        at = _section(file, len(places), struct.pack(f">{len(places)}I", *places))
        rows.append(b"\x02" + _text(name) + _text(value) + _uvarint(at))
    table_at = _section(file, len(rows), b"".join(rows))
    contents = struct.pack(">6Q", symbols_at, series_at, 0, 0, postings_at, table_at)
    file.write(contents + _crc(contents))
    return file.getvalue()


def _section(file: BytesIO, count: int, body: bytes) -> int:
    """Write so many entries, their length and checksum, and return where."""
    at = file.tell()
    body = struct.pack(">I", count) + body
    file.write(struct.pack(">I", len(body)) + body + _crc(body))
    return at


# --- numbers and text


def _uvarint(number: int) -> bytes:
    out = bytearray()
    while number >> 7:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _varint(number: int) -> bytes:
    return _uvarint(number << 1 if number >= 0 else (-number << 1) - 1)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _uvarint(len(encoded)) + encoded


def _bits(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


def _crc_table() -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [n >> 1 ^ (0x82F63B78 if n & 1 else 0) for n in table]
    return table


_CRC = _crc_table()


def _crc(data: bytes) -> bytes:
    """Return the checksum, CRC-32C."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    return struct.pack(">I", crc ^ 0xFFFFFFFF)
