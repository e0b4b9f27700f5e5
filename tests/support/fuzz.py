"""Draw hostile texts until a time is over, and print how many, and what they found: `make fuzz`.

Half of the time hypothesis draws them, and half libFuzzer changes them (`guided`), where atheris is
installed.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
import time
import traceback
from collections import Counter, defaultdict
from importlib.util import find_spec
from pathlib import Path

from cases import ROOT
from fuzz_properties import LONG, draw

EXAMPLES = 100  # of a property before the next one's turn
TARGETS = ("query", "manifest")
FOLDER = ROOT / ".fuzz"  # keeps what libFuzzer found interesting, for the next run


def fuzz(minutes: float) -> int:
    """Draw and change texts for so many minutes; gives the number of findings."""
    if not find_spec("atheris"):
        _print(
            "atheris is not installed (Python 3.11 to 3.13 on x86-64 have it): nothing is guided"
        )
        return drawn(60 * minutes)
    share = 30 * minutes / len(TARGETS)
    return drawn(30 * minutes) + sum(guided(target, FOLDER / target, share) for target in TARGETS)


def drawn(seconds: float) -> int:
    """Run all properties in turn until the time is over."""
    end, findings = time.monotonic() + seconds, 0
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    while time.monotonic() < end:
        for holds in LONG:
            number = secrets.randbelow(1 << 32)
            try:
                draw(holds, EXAMPLES, counts[holds.__name__], number)
            except KeyboardInterrupt:
                raise
            except BaseException:  # noqa: BLE001  (the parser's panic is no Exception)
                findings += 1
                _print(f"--- {holds.__name__}, seed {number}\n{traceback.format_exc(limit=-6)}")
            if time.monotonic() > end:
                break
        for name, count in counts.items():
            _print(f"{name}: {count['executions']:,}, {count['accepted']:,} of them accepted")
        _print(f"{sum(count['executions'] for count in counts.values()):,}, {findings} findings")
    return findings


def guided(target: str, folder: Path, seconds: float) -> int:
    """Run a target in processes of its own: what ends one is a finding, and the next goes on."""
    end, total = time.monotonic() + seconds, Counter[str]()
    log, findings = folder / "log", folder / "findings"
    folder.mkdir(parents=True, exist_ok=True)
    while (left := round(end - time.monotonic())) > 0:
        begun, before = time.monotonic(), set(findings.glob("*"))
        (folder / "counts.json").unlink(missing_ok=True)
        with log.open("wb") as out:
            command = [sys.executable, "-m", "guided", target, str(folder), str(left)]
            done = subprocess.run(command, stderr=out, check=False)
        if (folder / "counts.json").exists():
            total.update(json.loads((folder / "counts.json").read_text(encoding="utf-8")))
        printed = log.read_text(encoding="utf-8", errors="replace")
        covered = re.findall(r"cov: \d+ ft: \d+", printed)[-1:]
        if done.returncode:  # it crashed, hung, or took all memory
            total["findings"] += 1
            new = [path for path in findings.glob("*") if path not in before]
            _print(f"--- guided {target}: {', '.join(map(str, new))}\n{printed[-2_000:]}")
            if time.monotonic() - begun < 10:  # it would do so again at once
                break
    _print(f"guided {target}: {dict(total)} {''.join(covered)}")
    return total["findings"]


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (that is what it is for)


if __name__ == "__main__":
    sys.exit(bool(fuzz(float(sys.argv[1]))))
