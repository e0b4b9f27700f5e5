"""A month of raw counters, and beside them what each approach's rules have recorded."""
# ruff: noqa: INP001 - imported by a script

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from approaches import STEP, Approach, raw
from levels import STARTS

from slo_compiler.tools import find_in

SUITE = "forky"  # of the newest Prometheus
NOW = 325 * 1458 * 3600  # in 2024; promtool cuts blocks here, so that a month is in one
TILES = {150: "2m30s", 600: "10m", 3600: "1h", 86_400: "1d"}
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
    written: set[str] = set()  # approaches to the same SLOs share what they record
    for approach in approaches:
        recorded = _recorded(approach, total, errors)
        for series in _series(approach):
            if series not in written:
                written.add(series)
                yield recorded.get(series.partition("{")[0], recent).replace("@", series)


def _series(approach: Approach) -> Iterator[str]:
    """Give the series that the rules record, and those of their groups."""
    for group in approach.groups:
        for metric in ("evaluation_failures", "group_iterations_missed"):
            yield f'prometheus_rule_{metric}_total{{rule_group="rules.yml;{group}"}}'
    for name in sorted({rule.name for rule in approach.rules if not rule.alert}):
        of_tenant = [f'tenant="{approach.tenant}"'] if name in STARTS else []
        yield from (f"{name}{{{labels}}}" for labels in of_tenant or approach.labels.values())


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
    every = {rule.name: rule.interval for rule in approach.rules}
    for what, counted in (("events", total), ("errors", errors)):
        found[f"slo:{what}:rate"] = _samples([n / (4 * STEP) for n in grown(counted, 4)])
        for seconds, tile in TILES.items():
            name = f"slo:{what}:increase{tile}"
            if name in every:
                steps = seconds // STEP, every[name] // STEP
                found[name] = _samples(grown(counted, *steps), every[name])
    for name, span in STARTS.items():
        moments = range(NOW - _RECENT * STEP, NOW + 1, STEP)
        found[name] = _samples([at // span * span for at in moments])
    pairs = zip(grown(errors, 10), grown(total, 10), strict=True)
    found["slo:sli_error:ratio_rate5m"] = _samples([e / max(t, 1) for e, t in pairs])
    return found
