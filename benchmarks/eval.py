"""What it costs a real Prometheus to evaluate an SLO's rules: ours beside Sloth's and Pyrra's.

`make bench-eval` prints the tables of docs/cost.md and draws docs/cost.svg.

One server holds a month of data. It is asked every rule of each approach at the same moments, and
says itself how many samples it loaded and how long it took. A second server evaluates the compiled
rules of many tenants as its own rule groups.
"""
# ruff: noqa: INP001, T201 - a script that prints

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import log10
from pathlib import Path
from re import fullmatch
from statistics import median
from urllib.parse import urlencode

from approaches import STEP, Approach, months, ours, pyrra, sloth
from capacity import Capacity, measure
from demo.servers import free_port, get_json, prometheus
from history import NOW, back_fill, history, tool
from levels import PERIOD, no_period, three_levels, two_levels

SLOS = (10, 50)  # of tenants whose rules are evaluated for several at once
COLOURS = ("#2166ac", "#ef8a62", "#b2182b", "#67a9cf", "#d1e5f0")


def compare(approaches: Sequence[Approach], days: int, rounds: int, folder: Path) -> None:
    """Ask one server all rules of all approaches, in turns, at `rounds` moments."""
    counts: dict[tuple[str, str, int], object] = {}  # of a period: approaches must agree
    back_fill(history(approaches, days), folder / "data")
    config = folder / "prometheus.yml"
    config.write_text("{}", encoding="utf-8")
    keep = ["--storage.tsdb.retention.time=100y"]
    with prometheus(
        tool("prometheus"), config, folder / "data", port=free_port(), extra_args=keep
    ) as server:
        for moment in range(-1, rounds):  # the first warms up
            for approach in approaches:
                for rule in approach.rules:
                    at = {"query": rule.expr, "time": NOW - max(moment, 0) * STEP, "stats": "all"}
                    answer = get_json(f"{server.url}/api/v1/query?{urlencode(at)}")["data"]
                    if approach.labels and not rule.alert and not answer["result"]:
                        raise RuntimeError(f"{approach.name}: {rule.name} has no result")
                    if rule.name.endswith(f"increase{PERIOD}"):
                        found = sorted((*r["metric"].items(), r["value"]) for r in answer["result"])
                        if counts.setdefault((approach.tenant, rule.name, moment), found) != found:
                            raise RuntimeError(f"{approach.name}: {rule.name} counts otherwise")
                    if moment >= 0:
                        rule.samples.append(answer["stats"]["samples"]["totalQueryableSamples"])
                        rule.seconds.append(answer["stats"]["timings"]["evalTotalTime"])


# --- telling


def costs(approaches: Sequence[Approach]) -> Iterator[Sequence[str]]:
    """Give each approach's cost for an SLO, and how many times our first's that is."""
    figures = "samples", "ms", f"samples/{STEP}s", f"ms/{STEP}s"
    yield "SLO", "rules", *figures, *(f"x {figure}" for figure in figures)
    for approach in approaches:
        own = _figures(next(a for a in approaches if a.series == approach.series))
        samples, seconds, samples_often, seconds_often = these = _figures(approach)
        yield (
            f"{approach.name}, {approach.series} series",
            f"{len(approach.rules) / len(approach.labels):g}",
            *(f"{samples:,.0f}", f"{1000 * seconds:,.2f}"),
            *(f"{samples_often:,.0f}", f"{1000 * seconds_often:,.2f}"),
            *(f"{a / b:,.1f}" for a, b in zip(these, own, strict=True)),
        )


def _figures(approach: Approach) -> tuple[float, float, float, float]:
    return (
        *(approach.samples(), approach.seconds()),
        *(approach.samples(every=STEP), approach.seconds(every=STEP)),
    )


def dearest(approach: Approach, count: int = 5) -> Iterator[Sequence[str]]:
    """Give the rules that load most."""
    yield f"{approach.name}, {approach.series} series", "every", "samples", "ms"
    for rule in sorted(approach.rules, key=lambda r: -median(r.samples))[:count]:
        cost = f"{median(rule.samples):,.0f}", f"{1000 * median(rule.seconds):.2f}"
        yield rule.name, f"{rule.interval}s", *cost


PARTS = {
    "base pair, over raw series": r"slo:\w+:rate",
    "windows of 5m to 6h": "slo:error_ratio:rate(5m|30m|1h|2h|6h)",
    "windows of days": r"slo:error_ratio:rate\dd",
    "tiles": f"slo:\\w+:increase(?!{PERIOD})\\w+",
    "sums of the period": f"slo:\\w+:increase{PERIOD}",
    "burn rates and budgets": f"slo:burn_rate:.*|slo:error_budget_.*|slo:error_ratio:rate{PERIOD}",
    "constants": "slo:objective:ratio|slo:error_budget:ratio|slo_info",
    "alerts on burn rates": "SLOErrorBudgetBurn",
    "alerts on health": "SLO(?!ErrorBudgetBurn).*",
}


def parts(approach: Approach) -> Iterator[Sequence[str]]:
    """Give what each part of our rules costs of each SLO; each rule is of one part."""
    yield f"{approach.name}, {approach.series} series", f"samples/{STEP}s", f"ms/{STEP}s", "of it"
    _, whole = _fastest(approach)
    for part, names in PARTS.items():
        rules = [rule for rule in approach.rules if fullmatch(names, rule.name)]
        samples, seconds = _fastest(replace(approach, rules=rules))
        yield part, f"{samples:,.0f}", f"{1000 * seconds:.3f}", f"{seconds / whole:.0%}"


def levels(approaches: Sequence[Approach], peer: Approach) -> Iterator[Sequence[str]]:
    """Give what an SLO costs where its period is summed otherwise, and how many times a peer's."""
    often = f"samples/{STEP}s", f"ms/{STEP}s"
    yield "SLO", "rules", *often, *(f"{peer.name}: x {figure}" for figure in often)
    theirs = _fastest(peer)
    for approach in approaches:
        own = samples, seconds = _fastest(approach)
        yield (
            f"{approach.name}, {approach.series} series",
            f"{len(approach.rules) / len(approach.labels):g}",
            *(f"{samples:,.0f}", f"{1000 * seconds:,.2f}"),
            *(f"{a / b:,.1f}" for a, b in zip(theirs, own, strict=True)),
        )


def _fastest(approach: Approach) -> tuple[float, float]:
    """Sum the least times, which differ less from run to run: for what differs little."""
    return approach.samples(every=STEP), approach.seconds(every=STEP, of=min)


def printed(rows: Iterable[Sequence[str]]) -> str:
    """Align a table, as Markdown."""
    head, *body = rows
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = (
        " | ".join(
            c.rjust(w) if n else c.ljust(w) for n, (c, w) in enumerate(zip(r, widths, strict=True))
        )
        for r in (head, rule, *body)
    )
    return "".join(f"| {line} |\n" for line in lines)


def plot(approaches: Sequence[Approach]) -> str:
    """Draw the samples that an SLO loads in a step, on a logarithmic scale, as SVG."""
    left, bar, unit = 250, 18, 80  # pixels: labels, one bar, a power of ten
    parts = [f'<text x="8" y="20">Samples loaded every {STEP} s for one SLO, logarithmic</text>']
    colours = dict(zip(dict.fromkeys(a.name for a in approaches), COLOURS, strict=True))
    for n, approach in enumerate(approaches):
        y = 34 + n * bar + n // 3 * bar
        samples = approach.samples(every=STEP)
        width = log10(samples) * unit
        parts.append(
            f'<text x="8" y="{y + 13}">{approach.name}, {approach.series} series</text>'
            f'<rect x="{left}" y="{y}" width="{width:.0f}" height="{bar - 4}" '
            f'fill="{colours[approach.name]}"/>'
            f'<text x="{left + width + 6:.0f}" y="{y + 13}">{samples:,.0f}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 8 * unit + 90}" '
        f'height="{y + 2 * bar}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )


def capacities(found: Capacity) -> Iterator[Sequence[str]]:
    """Give the shares of a core, and of how many SLOs that is all."""
    yield f"{found.slos} SLOs, {found.tenants} tenants", "share of a core", "SLOs a core"
    rows = {**found.cores, "all rules": sum(found.cores.values()), "the server": found.process}
    for part, share in rows.items():
        yield part, f"{share:.4f}", f"{found.slos / share:,.0f}"


def main() -> None:
    """Measure, print, draw."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--series", type=int, nargs="+", default=[2, 20, 200])
    options.add_argument("--days", type=int, default=31)
    options.add_argument("--rounds", type=int, default=5, help="moments; history is for 15")
    options.add_argument("--slos", type=int, default=50, help="of the rule groups; 0: none")
    options.add_argument("--tenants", type=int, default=5)
    options.add_argument("--plot", type=Path)
    given = options.parse_args()
    middle = given.series[len(given.series) // 2]
    approaches = [shape(n) for n in given.series for shape in (ours, sloth, pyrra)]
    approaches += [ours(middle, slos) for slos in SLOS]
    ways = months(middle)
    own = [a for a in approaches if a.series == middle and a.groups]
    tried = [
        shape(middle, len(a.labels)) for a in own for shape in (two_levels, three_levels, no_period)
    ]
    with tempfile.TemporaryDirectory() as folder:
        compare([*approaches, ways, *tried], given.days, given.rounds, Path(folder))
    print(printed(costs(approaches)))
    for approach in [*approaches, ways]:
        if approach.series == middle:
            print(printed(dearest(approach)))
    print(printed(parts(own[1])))
    peer = next(a for a in approaches if a.series == middle and a.name.startswith("Sloth"))
    print(printed(levels([*own, *tried], peer)))
    if given.plot:
        given.plot.write_text(plot(approaches), encoding="utf-8")
    if given.slos:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(given.slos, given.tenants, middle, Path(folder))
        print(printed(capacities(found)))
        print(f"The longest evaluation of one group took {1000 * found.slowest:.0f} ms.")
        print(
            f"The server held {found.head:,.0f} series in {found.memory / 1e6:,.0f} MB, "
            f"and wrote {found.samples:,.0f} samples a second."
        )


if __name__ == "__main__":
    main()
