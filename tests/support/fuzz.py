"""Draw hostile texts until a time is over, and print how many, and what they found: `make fuzz`."""

from __future__ import annotations

import secrets
import sys
import time
import traceback
from collections import Counter
from typing import Any

from fuzz_properties import LONG, SHARE, TOO_SLOW
from hypothesis import Phase, seed, settings

ROUND = 200  # examples of a property before the next one's turn


def fuzz(minutes: float) -> int:
    """Run all properties in turn until the time is over; gives the number of findings."""
    end, executed, findings = time.monotonic() + 60 * minutes, Counter[str](), 0
    while time.monotonic() < end:
        for holds in LONG:
            name, handle = holds.__name__, getattr(holds, "hypothesis")  # noqa: B009  (untyped)
            inner, number = handle.inner_test, secrets.randbelow(1 << 32)

            def counting(*arguments: Any, _inner: Any = inner, **named: Any) -> None:  # noqa: ANN401
                executed[_inner.__name__] += 1
                _inner(*arguments, **named)

            chosen = settings(
                max_examples=max(1, int(ROUND * SHARE.get(holds, 1.0))),
                deadline=None,
                database=None,
                phases=[Phase.generate],  # to make an example smaller takes minutes
                suppress_health_check=TOO_SLOW,
            )
            handle.inner_test = counting
            try:
                seed(number)(chosen(holds))()
            except Exception:  # noqa: BLE001  (whatever it is, it is a finding)
                findings += 1
                _print(f"--- {name}, seed {number}\n{traceback.format_exc(limit=-6)}")
            handle.inner_test = inner
            _print(f"{sum(executed.values()):,} executions {dict(executed)}, {findings} findings")
            if time.monotonic() > end:
                break
    return findings


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (that is what it is for)


if __name__ == "__main__":
    sys.exit(bool(fuzz(float(sys.argv[1]))))
