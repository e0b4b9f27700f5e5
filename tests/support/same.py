"""What Sloth, Pyrra and OpenSLO alert on for kinds of their public examples, beside what we do.

The inputs in `same/` are our own, in the shape of each kind of example. What a tool alerts on is
computed here from its documented formulas, and not by the compiler:

- Sloth: a share of the budget in a long window: share * period / long * (1 - objective).
- Pyrra: burn rates of 14, 7, 2 and 1, each times (1 - target), over parts of the SLO's window that
  are rounded to whole minutes.
- OpenSLO: the threshold of a burn rate condition times (1 - target), over its lookback window.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from click.testing import CliRunner
from importing import BurnAlert, burn_alerts, recorded

from slo_compiler.cli import main
from slo_compiler.duration import Duration

INPUTS = sorted(Path(__file__).parent.glob("same/*/*.yml"))
BEGIN, END = "<!-- same -->\n", "<!-- end of same -->\n"
_MONTH = ((2, "1h", "5m"), (5, "6h", "30m"), (10, "1d", "2h"), (10, "3d", "6h"))
_SEVERITIES = ("page", "page", "ticket", "ticket")
_PYRRA = ((14, 672, 8_064), (7, 112, 1_344), (2, 28, 336), (1, 7, 112))
_BASE = "1m15s"  # the range of the base pair at 15s scrapes


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on which an alert fires: a threshold, exceeded in each of the windows."""

    threshold: Fraction
    windows: tuple[Duration, ...]

    def __str__(self) -> str:
        shown = f"{float(self.threshold * 100):.5g} %"
        return f"{shown} in {' and '.join(map(str, self.windows))}"


@dataclass(frozen=True, slots=True)
class Example:
    """One SLO of an input, what its tool alerts on, and what the manifest of it does."""

    tool: str
    kind: str
    slo: str
    expected: tuple[Condition, ...]
    ours: tuple[Condition, ...]
    queries: tuple[tuple[str, str], ...]  # of the tool over the base's range, and ours beside it
    refused: str = ""  # why it cannot be expressed
    lost: str = ""  # what of it cannot be

    @property
    def same(self) -> bool:
        """Whether thresholds and windows are equal, one by one."""
        return self.expected == self.ours

    @property
    def name(self) -> str:
        """Name it in a test."""
        return f"{self.tool}-{self.kind}-{self.slo}"


def examples() -> tuple[Example, ...]:
    """Import and compile all inputs."""
    return tuple(example for file in INPUTS for example in examples_of(file))


@cache
def examples_of(file: Path) -> tuple[Example, ...]:
    """Import and compile one input."""
    return tuple(_examples(file))


def _examples(file: Path) -> Iterator[Example]:
    tool, kind = file.parent.name, file.stem
    documents = [*yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    with TemporaryDirectory() as folder:
        output = Path(folder)
        line = ["import", tool, str(file), "--tenant", "shop", "-o", folder]
        catalog = next((d for d in documents if d.get("kind") == "AlertWindows"), None)
        if catalog:
            line += ["--period", str(catalog["spec"]["sloPeriod"])]
        done = CliRunner().invoke(main, line)
        if not (output / "shop.yaml").exists():
            reason = re.search(r"error\[[\w-]+\] (.*)", done.stderr)
            assert reason, done.output
            yield Example(tool, kind, "", (), (), (), reason[1])
            return
        lost = re.search(r"error\[[\w-]+\] (.*)", done.stderr)
        manifest = (output / "shop.yaml").read_text(encoding="utf-8")
    for document in documents:
        for name, expected, queries in _TOOLS[tool](document, documents):
            alerts = burn_alerts(manifest, name)
            ours = tuple(map(_condition, alerts.values()))
            service = _only(manifest, name)
            pairs = tuple((wanted, recorded(service, series)) for wanted, series in queries)
            lacks = lost[1] if lost else ""
            yield Example(tool, kind, name, expected, ours, pairs, lost=lacks)


def _condition(alert: BurnAlert) -> Condition:
    windows = (Duration.parse(alert.long), Duration.parse(alert.short))
    return Condition(Fraction(alert.threshold), tuple(dict.fromkeys(windows)))


def _only(manifest: str, name: str) -> str:
    """Keep one SLO of a manifest, so that its queries are the only ones."""
    data = yaml.safe_load(manifest)
    data["spec"]["slos"] = [slo for slo in data["spec"]["slos"] if slo["name"] == name]
    return str(yaml.safe_dump(data))


Found = Iterator[tuple[str, tuple[Condition, ...], tuple[tuple[str, str], ...]]]
_EVENTS, _ERRORS = "slo:events:rate", "slo:errors:rate"


def _of_sloth(document: dict[str, Any], documents: list[dict[str, Any]]) -> Found:
    catalog = next((d["spec"] for d in documents if d.get("kind") == "AlertWindows"), None)
    rows, period = _MONTH, Duration.of(days=30)
    if catalog:
        period = Duration.parse(catalog["sloPeriod"])
        parts = [catalog[kind][speed] for kind in ("page", "ticket") for speed in ("quick", "slow")]
        rows = tuple((p["errorBudgetPercent"], p["longWindow"], p["shortWindow"]) for p in parts)
    for slo in document.get("slos") or (document.get("spec") or {}).get("slos") or ():
        alerting = {re.sub("_a", "A", key): value for key, value in slo["alerting"].items()}
        on = [not alerting[f"{each}Alert"].get("disable") for each in _SEVERITIES]
        budget = 1 - Fraction(str(slo["objective"])) / 100
        expected = []
        for (share, *windows), alerts in zip(rows, on, strict=True):
            long, short = map(Duration.parse, windows)
            factor = Fraction(str(share)) / 100 * Fraction(period.ms, long.ms)
            if alerts:
                expected.append(Condition(factor * budget, (long, short)))
        yield slo["name"], tuple(expected), _queries_of_sloth(slo["sli"])


def _queries_of_sloth(sli: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    given = {re.sub("_q", "Q", key): text for each in sli.values() for key, text in each.items()}
    if "error_ratioQuery" in given:
        errors, total = given["error_ratioQuery"].split(" / ")
    else:
        errors, total = given["errorQuery"], given["totalQuery"]
    # A missing series of errors is no error here anyway.
    errors = errors.removesuffix(" or vector(0)")
    return ((total, _EVENTS), (errors, _ERRORS))


def _of_pyrra(document: dict[str, Any], _documents: list[dict[str, Any]]) -> Found:
    spec = document["spec"]
    budget, window = 1 - Fraction(spec["target"]) / 100, Duration.parse(spec["window"])
    minute = 60_000

    def part(divisor: int) -> Duration:
        return Duration(int(Fraction(window.ms, divisor * minute) + Fraction(1, 2)) * minute)

    expected = tuple(
        Condition(rate * budget, (part(long), part(short))) for rate, long, short in _PYRRA
    )
    ((kind, indicator),) = spec["indicator"].items()
    grouping = indicator.get("grouping", ())
    total = f"sum by ({', '.join(grouping)}) " if grouping else "sum"
    metric = indicator["total"]["metric"] if "total" in indicator else indicator["metric"]
    events = f"{total}(rate({metric}[W]))"
    pairs: tuple[tuple[str, str], ...] = ((events, _EVENTS),)
    match kind:
        case "ratio":
            pairs += ((f"{total}(rate({indicator['errors']['metric']}[W]))", _ERRORS),)
        case "latency":
            pairs += ((f"{total}(rate({indicator['success']['metric']}[W]))", _ERRORS),)
        case "latencyNative":
            pairs = ((f"histogram_count({events})", _EVENTS),)
        case "bool_gauge":
            pairs = ((f"{metric}", _EVENTS),)
    yield document["metadata"]["name"], expected, pairs


def _of_openslo(document: dict[str, Any], documents: list[dict[str, Any]]) -> Found:
    if document["kind"] != "SLO":
        return
    spec = document["spec"]
    (objective,) = spec["objectives"]
    budget = 1 - Fraction(str(objective["target"]))
    conditions = [d["spec"]["condition"] for d in documents if d["kind"] == "AlertCondition"]
    expected = tuple(
        Condition(
            Fraction(str(each["threshold"])) * budget, (Duration.parse(each["lookbackWindow"]),)
        )
        for each in conditions
    )
    if "indicator" in spec:
        ratio = spec["indicator"]["spec"]["ratioMetric"]
        bad, total = (ratio[key]["metricSource"]["spec"]["query"] for key in ("bad", "total"))
        pairs = ((f"sum(rate({total}[W]))", _EVENTS), (f"sum(rate({bad}[W]))", _ERRORS))
    else:
        ratio = objective["ratioMetrics"]
        pairs = ((ratio["total"]["query"], _EVENTS), (ratio["good"]["query"], _ERRORS))
    yield document["metadata"]["name"], expected, pairs


_TOOLS = {"sloth": _of_sloth, "pyrra": _of_pyrra, "openslo": _of_openslo}


def parts(query: str) -> set[str]:
    """Give the rates and selectors of a query, over the base's range and without the tenant."""
    text = _squeezed(re.sub(r"\[(\{\{ *\.window *\}\}|W)\]", f"[{_BASE}]", query))
    text = re.sub(r"\{[^}]*\}", lambda m: "{" + ",".join(sorted(_matchers(m[0]))) + "}", text)
    text = re.sub(r'le=~"([0-9.]+)\|[^"]*"', r'le="\1"', text)  # both spellings of a bound
    return {*re.findall(r"rate\([^()]*(?:\([^()]*\)[^()]*)*?\[\w+\]\)", text)} or {text}


def _matchers(braces: str) -> list[str]:
    return re.findall(r'\w+(?:=~|!~|!=|=)"(?:[^"\\]|\\.)*"', braces)


def missing(tool: str, ours: str) -> set[str]:
    """Give what a tool's query reads and ours does not."""
    found = parts(ours)
    return {each for each in parts(tool) if each not in found and each not in _squeezed(ours)}


def _squeezed(text: str) -> str:
    text = re.sub(r',?tenant="shop",?', lambda m: "," if m[0].count(",") > 1 else "", text)
    return re.sub(r"\s+", "", text).replace("{}", "")


# Why windows are others than the tool's.
WHY = {
    "pyrra": "windows above 6h are sums of tiles of 2m30s",
    "openslo": "a condition has one window; with a short one its alert ends when the errors do",
}


def difference(example: Example) -> str:
    """Say what differs, and why."""
    if example.refused:
        return f"cannot be expressed: {example.refused}"
    notes = [f"left out: {example.lost}"] if example.lost else []
    never = [each for each in example.expected if each.threshold >= 1]
    notes += [f"{each} can never fire, and is left out" for each in never]
    if not example.expected and not example.ours:
        notes.append("recorded only")
    kept = [each for each in example.expected if each.threshold < 1]
    moved = [(a, b) for a, b in zip(kept, example.ours, strict=True) if a != b]
    notes += [f"{_windows(wanted)} is {_windows(ours)}" for wanted, ours in moved]
    return "; ".join([*notes, *([WHY[example.tool]] if moved else [])])


def _windows(condition: Condition) -> str:
    return " and ".join(map(str, condition.windows))


def table() -> str:
    """Write the table of docs/same.md."""
    lines = [
        "| tool | kind of example | SLO | the tool alerts above | the same here | difference |",
        "|---|---|---|---|---|---|",
    ]
    for each in examples():
        conditions = "<br>".join(map(str, each.expected)) or "-"
        verdict = "-" if each.refused else "yes" if each.same and not each.lost else "in part"
        lines.append(
            f"| {each.tool} | {each.kind} | {each.slo or '-'} | {conditions} | {verdict} | "
            f"{difference(each)} |"
        )
    return "\n".join(lines) + "\n"


def update(path: Path) -> None:
    """Put the table into the page."""
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    path.write_text(f"{before}{BEGIN}{table()}{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    update(Path(sys.argv[1]))
