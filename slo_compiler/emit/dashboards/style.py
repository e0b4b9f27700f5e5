"""What all panels share: colours, legends, and how recorded series are selected."""

from __future__ import annotations

from collections.abc import Sequence

from slo_compiler.emit.dashboards import panels as grid
from slo_compiler.promql import Matcher, Selector
from slo_compiler.templating import render_expression

_RED, _ORANGE, _GREEN = "red", "orange", "green"
BUDGET = grid.steps((None, _RED), (0, _ORANGE), (0.25, _GREEN))
BURN = grid.steps((None, _GREEN), (1, _ORANGE), (6, _RED))
NONE_IS_GOOD = grid.steps((None, _GREEN), (1, _RED))
PLAIN = grid.steps((None, "blue"))
LEGEND = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
LAST = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background"}


def series(metric: str, matchers: Sequence[Matcher]) -> str:
    """Select a recorded series."""
    return str(Selector(metric, tuple(matchers)))


def any_of(metrics: Sequence[str], matchers: Sequence[Matcher]) -> str:
    """Select one metric, or any of several."""
    if len(metrics) == 1:
        return series(metrics[0], matchers)
    return series("", [Matcher("__name__", "=~", "|".join(metrics)), *matchers])


def worst(aggregation: str, metric: str, matchers: Sequence[Matcher]) -> str:
    """Give the worst value of each SLO, over its values of `by`."""
    return any_worst(aggregation, [metric], matchers)


def any_worst(aggregation: str, metrics: Sequence[str], matchers: Sequence[Matcher]) -> str:
    """Do the same of a metric that has one of several names."""
    return render_expression(
        "panel/worst", aggregation=aggregation, selector=any_of(metrics, matchers)
    )
