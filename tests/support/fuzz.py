"""Draw hostile texts until a time is over, and print how many, and what they found: `make fuzz`."""

from __future__ import annotations

import secrets
import sys
import time
import traceback
from collections import Counter

from fuzz_properties import LONG, draw

ROUND = 100  # examples of a property before the next one's turn


def fuzz(minutes: float) -> int:
    """Run all properties in turn until the time is over; gives the number of findings."""
    end, executed, findings = time.monotonic() + 60 * minutes, Counter[str](), 0
    while time.monotonic() < end:
        for holds in LONG:
            number = secrets.randbelow(1 << 32)
            try:
                executed[holds.__name__] += draw(holds, ROUND, number)
            except Exception:  # noqa: BLE001  (whatever it is, it is a finding)
                findings += 1
                _print(f"--- {holds.__name__}, seed {number}\n{traceback.format_exc(limit=-6)}")
            _print(f"{executed.total():,} executions {dict(executed)}, {findings} findings")
            if time.monotonic() > end:
                break
    return findings


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (that is what it is for)


if __name__ == "__main__":
    sys.exit(bool(fuzz(float(sys.argv[1]))))
