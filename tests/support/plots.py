"""The plots of docs/arithmetic.md and its worked numbers, from the compiler's own arithmetic.

`python -m plots docs` writes both plots and the block of numbers; `make docs` does so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import log10
from pathlib import Path

import yaml

from slo_compiler import plan
from slo_compiler.duration import Duration
from slo_compiler.plan import burn

BEGIN, END = "<!-- worked: tests/support/plots.py -->", "<!-- end of worked -->"
OBJECTIVE, PERIOD = Decimal("99.9"), Duration.of(days=30)
RATIOS = (Fraction(1), Fraction(1, 10), Fraction(1, 50))
COLOURS = ("#b2182b", "#ef8a62", "#67a9cf", "#2166ac")
WIDTH, HEIGHT, LEFT, TOP = 640, 300, 70, 36
HOURS = tuple((100 if hour < 8 else 1000, 50 if hour == 3 else 0) for hour in range(24))
"""A day: events and errors of each hour. Half of what little there is at 3 o'clock fails."""


@dataclass(frozen=True, slots=True)
class PlottedTier:
    """A tier of the default policy, with its arithmetic."""

    name: str
    long_window: Duration
    short_window: Duration
    factor: Fraction

    @property
    def threshold(self) -> Fraction:
        """Error ratio at which it fires."""
        return burn.threshold(self.factor, OBJECTIVE)

    def detected(self, ratio: Fraction) -> float | None:
        """Seconds until it fires at a constant error ratio; None: it does not."""
        if ratio <= self.threshold:
            return None
        return burn.detection_time(self.long_window, self.threshold, ratio)


def tiers() -> list[PlottedTier]:
    """Read the default policy."""
    folder = Path(plan.__file__).parents[1] / "policies"
    policy = yaml.safe_load((folder / "sre-workbook.yaml").read_text(encoding="utf-8"))
    return [
        PlottedTier(
            tier["name"],
            long := Duration.parse(tier["long_window"]),
            Duration.parse(tier["short_window"]),
            burn.burn_factor(Decimal(tier["budget_share"].removesuffix("%")), PERIOD, long),
        )
        for tier in policy["spec"]["tiers"]
    ]


def worked() -> str:
    """Give the numbers of each tier, as a block of the page."""
    heads = "".join(f"{f'at {burn.percent(ratio)}':>10}" for ratio in RATIOS)
    lines = [f"{'tier':<13}{'burn rate':<23}{'threshold':<22}{heads}{'ends':>10}"]
    for tier in tiers():
        share = tier.factor * tier.long_window.ms / PERIOD.ms
        rate = f"{burn.percent(share)} x {PERIOD} / {tier.long_window}"
        limit = f"{burn.literal(tier.factor)} x {burn.literal(burn.error_budget(OBJECTIVE))}"
        found = [tier.detected(ratio) for ratio in RATIOS]
        times = "".join(f"{'-' if t is None else span(t):>10}" for t in found)
        ends = span(burn.reset_time(tier.short_window, tier.threshold, Fraction(1)))
        lines.append(
            f"{tier.name:<13}{rate:<14} = {burn.literal(tier.factor):<6}"
            f"{limit:<13} = {burn.literal(tier.threshold):<6}{times}{ends:>10}"
        )
    return "```text\n" + "\n".join(lines) + "\n```\n"


def span(seconds: float) -> str:
    """Print whole seconds, as a manifest would."""
    return str(Duration(round(seconds) * 1000))


def day() -> tuple[Fraction, Fraction]:
    """Give the day's error ratio as the ratio of sums, and as the mean of the hours' ratios."""
    events, errors = (sum(hour[part] for hour in HOURS) for part in (0, 1))
    mean = sum((Fraction(bad, all_) for all_, bad in HOURS), Fraction(0)) / len(HOURS)
    return Fraction(errors, events), mean


def detection() -> str:
    """Draw how long each tier takes to fire, by the error ratio; both axes are logarithmic."""

    def x(ratio: float) -> float:
        return LEFT + (log10(ratio) + 3) / 3 * (WIDTH - LEFT - 20)

    def y(seconds: float) -> float:
        return HEIGHT - 40 - (log10(seconds) - 1) / 4.7 * (HEIGHT - 40 - TOP)

    parts = [text(8, 20, f"Time until a tier fires, at an objective of {OBJECTIVE}% over {PERIOD}")]
    for ratio in (0.001, 0.01, 0.1, 1):
        parts += [line([(x(ratio), TOP), (x(ratio), HEIGHT - 40)], "#dddddd")]
        parts += [text(x(ratio) - 16, HEIGHT - 22, f"{ratio:.1%}".replace(".0%", "%"))]
    for seconds, name in ((10, "10s"), (60, "1m"), (600, "10m"), (3600, "1h"), (86400, "1d")):
        parts += [line([(LEFT, y(seconds)), (WIDTH - 20, y(seconds))], "#dddddd")]
        parts += [text(LEFT - 34, y(seconds) + 4, name)]
    parts += [text(WIDTH / 2 - 40, HEIGHT - 6, "error ratio")]
    steps = [
        Fraction(10) ** -3 * Fraction(round(10 ** (n / 40) * 10**6), 10**6) for n in range(121)
    ]
    for tier, colour in reversed([*zip(tiers(), COLOURS, strict=True)]):
        points = [(x(float(e)), y(t)) for e in steps if (t := tier.detected(e)) is not None]
        parts += [line(points, colour, 2)]
        parts += [text(points[0][0] - 10, points[0][1] + 24, tier.name, colour)]
    return svg(HEIGHT, parts)


def means() -> str:
    """Draw a day's traffic and its errors, and what the two ways of adding them up make of it."""
    parts = [text(8, 20, "A day: events of each hour (grey), errors (red)")]
    step, floor, most = (WIDTH - LEFT - 20) / len(HOURS), HEIGHT - 80, max(HOURS)[0]
    for hour, (events, errors) in enumerate(HOURS):
        for count, colour in ((events, "#cccccc"), (errors, "#b2182b")):
            tall = count / most * (floor - TOP)
            parts += [rect(LEFT + hour * step, floor - tall, step - 2, tall, colour)]
        if hour % 4 == 0:
            parts += [text(LEFT + hour * step, floor + 16, f"{hour}:00")]
    right, wrong = day()
    for row, (name, ratio) in enumerate((("ratio of sums", right), ("mean of ratios", wrong))):
        top = HEIGHT - 46 + 22 * row
        wide = float(ratio) * 16_000
        parts += [text(8, top + 12, name), rect(LEFT + 40, top, wide, 14, COLOURS[3 - 3 * row])]
        parts += [text(LEFT + 46 + wide, top + 12, burn.percent(ratio))]
    return svg(HEIGHT, parts)


def text(x: float, y: float, words: str, colour: str = "black") -> str:
    """Draw words."""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{words}</text>'


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Draw a bar."""
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{colour}"/>'


def line(points: Sequence[tuple[float, float]], colour: str, width: int = 1) -> str:
    """Draw a line through points."""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{through}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def svg(height: int, parts: Sequence[str]) -> str:
    """Put parts onto a white page."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12">\n'
        '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def files(docs: Path) -> Iterator[tuple[Path, str]]:
    """Give each file with what belongs in it."""
    yield docs / "detection.svg", detection()
    yield docs / "means.svg", means()
    page = docs / "arithmetic.md"
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    yield page, f"{head}{BEGIN}\n{worked()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    for path, content in files(Path(sys.argv[1])):
        path.write_text(content, encoding="utf-8")
