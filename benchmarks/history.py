"""A month of raw counters, and beside them what each approach's rules have recorded."""
# ruff: noqa: INP001 - beside a script

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from approaches import STEP, Approach, raw

from slo_compiler.tools import find_in

SUITE = "forky"  # of the newest Prometheus
NOW = 325 * 1458 * 3600  # in 2024; promtool cuts blocks here, so that a month is in one
_RECENT = 20  # steps of the series that no rule reads further back


def tool(name: str) -> Path:
    """Find a real tool."""
    return find_in(SUITE, name) or sys.exit(f"{name} of {SUITE} is missing: run make tools-all")


def back_fill(lines: Iterable[str], data: Path) -> None:
    """Write blocks from lines of OpenMetrics."""
    text = data.with_name("history.om")
    with text.open("w", encoding="utf-8") as file:
        file.writelines(lines)
        file.write("# EOF\n")
    create = ("tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1458h", "--quiet")
    subprocess.run([tool("promtool"), *create, text, data], check=True, capture_output=True)
    text.unlink()


def history(approaches: Sequence[Approach], days: int) -> Iterator[str]:
    """Give the lines of all series until NOW.

    All instances of a service count alike, so that a series is written once, and its labels put
    in place of @ for each.
    """
    steps = range(days * 86_400 // STEP + 1)
    # Some 20 requests a second; in one step of three, one of them fails.
    total = [*accumulate(300 + k * k * 104_729 % 10_007 % 601 for k in steps)]
    errors = [*accumulate(k * k * 7919 % 10_007 % 3 // 2 for k in steps)]
    success = [requests - failed for requests, failed in zip(total, errors, strict=True)]
    counters = {"200": _samples(success, late=STEP // 4), "500": _samples(errors, late=STEP // 4)}
    recent = _samples([0.0005] * _RECENT)
    whole_month = {a.tenant for a in approaches if len(a.labels) == 1}  # the peers read it raw
    services = {(a.tenant, job, a.series) for a in approaches for job in a.labels}
    for tenant, job, series in sorted(services):
        for code, samples in counters.items():
            read = samples if tenant in whole_month else _tail(samples)
            for i in range(series // 2):
                yield read.replace("@", raw(tenant, job, f'instance="{i}"', f'code="{code}"'))
    for approach in approaches:
        for group in approach.groups:
            for metric in ("evaluation_failures", "group_iterations_missed"):
                name = f'prometheus_rule_{metric}_total{{rule_group="rules.yml;{group}"}}'
                yield recent.replace("@", name)
        read_as_ranges = _recorded(approach, total, errors)
        for name in sorted({rule.name for rule in approach.rules if not rule.alert}):
            for labels in approach.labels.values():
                yield read_as_ranges.get(name, recent).replace("@", f"{name}{{{labels}}}")


def _samples(values: Sequence[float], every: int = STEP, late: int = 0) -> str:
    start = NOW - (len(values) - 1) * every + late - (STEP if late else 0)
    return "".join(f"@ {value!r} {start + k * every}\n" for k, value in enumerate(values))


def _tail(samples: str) -> str:
    return "".join(samples.splitlines(keepends=True)[-_RECENT:])


def _recorded(approach: Approach, total: Sequence[int], errors: Sequence[int]) -> Mapping[str, str]:
    """Give what the rules have recorded that others read as ranges."""

    def grown(counted: Sequence[int], steps: int, every: int = 1) -> list[int]:
        """Growth over so many steps, at each `every`-th step until now."""
        return [
            approach.series // 2 * (counted[k] - counted[max(0, k - steps)])
            for k in range((len(counted) - 1) % every, len(counted), every)
        ]

    found = {}
    for what, counted in (("events", total), ("errors", errors)):
        found[f"slo:{what}:rate"] = _samples([n / (4 * STEP) for n in grown(counted, 4)])
        for seconds, tile in ((150, "2m30s"), (600, "10m")):
            name = f"slo:{what}:increase{tile}"
            every = approach.interval(name)
            found[name] = _samples(grown(counted, seconds // STEP, every // STEP), every)
    pairs = zip(grown(errors, 10), grown(total, 10), strict=True)
    found["slo:sli_error:ratio_rate5m"] = _samples([e / max(t, 1) for e, t in pairs])
    return found
