"""Spans of history, in Unix time: what people write, and how it is printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slo_compiler.duration import Duration

MILLISECOND, SECOND = 1, 1000


@dataclass(frozen=True, slots=True)
class History:
    """A span of time, in milliseconds since 1970."""

    start: int
    end: int

    @property
    def length(self) -> Duration:
        """How long it is."""
        return Duration(self.end - self.start)


def moment(text: str, now: datetime) -> datetime:
    """Read `2026-11-01`, `2026-11-01T12:00`, with Z or an offset, else in UTC; `30d` is ago.

    Raises:
        ValueError: it is none of these.
    """
    if text == "now":
        return now
    if re.fullmatch(r"([0-9]+[a-z]{1,2})+", text):
        return now - timedelta(milliseconds=Duration.parse(text).ms)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f'"{text}" is no time: write 2026-11-01, 2026-11-01T12:00, or 30d for 30 days ago'
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def milliseconds(at: datetime) -> int:
    """Give a time as milliseconds since 1970."""
    return round(at.timestamp() * SECOND)


def shown(at: int) -> str:
    """Print a time, in UTC, to the minute."""
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M}"


def exact(at: int) -> str:
    """Print a time as RFC 3339, to the second."""
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


def rounded(span: Duration) -> str:
    """Print a span with its two largest units: 1d4h, 12m30s."""
    minute, hour = 60 * SECOND, 3600 * SECOND
    step = SECOND if span.ms < hour else minute if span.ms < 24 * hour else hour
    return str(Duration(round(span.ms / step) * step))


def floored(at: int, span: Duration) -> int:
    """Round a time down to a multiple of a span."""
    return at // span.ms * span.ms
