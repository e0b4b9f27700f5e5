"""What time it is, for what is only shown: no output depends on it."""

from __future__ import annotations

import os
from datetime import UTC, datetime


def now() -> datetime:
    """Return the time in UTC; SOURCE_DATE_EPOCH sets it, as it does for reproducible builds."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):  # it is not set, or no time
        return datetime.now(UTC)
