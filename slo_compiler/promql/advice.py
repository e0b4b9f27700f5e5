"""What to write instead of a query that cannot be read, or that lacks its rate."""

from __future__ import annotations

import re

from slo_compiler.diagnostics import nearest
from slo_compiler.promql.text import code_of

FUNCTIONS = (
    *("abs", "absent", "absent_over_time", "avg_over_time", "ceil", "changes", "clamp"),
    *("clamp_max", "clamp_min", "count_over_time", "day_of_month", "day_of_week", "day_of_year"),
    *("days_in_month", "delta", "deriv", "double_exponential_smoothing", "exp", "floor"),
    *("histogram_avg", "histogram_count", "histogram_fraction", "histogram_quantile"),
    *("histogram_stddev", "histogram_stdvar", "histogram_sum", "hour", "idelta", "increase"),
    *("irate", "label_join", "label_replace", "last_over_time", "ln", "log10", "log2"),
    *("mad_over_time", "max_over_time", "min_over_time", "minute", "month", "predict_linear"),
    *("present_over_time", "quantile_over_time", "rate", "resets", "round", "scalar", "sgn"),
    *("sort", "sort_desc", "sqrt", "stddev_over_time", "stdvar_over_time", "sum_over_time"),
    *("time", "timestamp", "vector", "year"),
    *("avg", "bottomk", "count", "group", "max", "min", "quantile", "stddev", "stdvar", "sum"),
    "topk",
)
_STRING = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`'
_TWO_MATCHERS = re.compile(rf"(?:{_STRING})\s+([A-Za-z_]\w*)\s*(?:=~|!~|!=|=(?!=))")


def nearest_function(name: str) -> str:
    """Name the function that was probably meant."""
    near = nearest(name, FUNCTIONS)
    return near if near.startswith("did you mean") else ""


def missing_comma(query: str) -> re.Match[str] | None:
    """Find a matcher with no comma before it; its label is the first group."""
    return _TWO_MATCHERS.search(query)


def with_rates(query: str, metrics: set[str]) -> str:
    """Put a rate around each selector of a query that has no range."""
    code = code_of(query)
    places = []
    for metric in metrics:
        for found in re.finditer(rf"(?<![\w:]){re.escape(metric)}(?![\w:])", code):
            end = found.end()
            if (after := re.match(r"\s*\{", code[end:])) and "}" in code[end:]:
                end = code.index("}", end + after.end()) + 1
            places.append((found.start(), end))
    for start, end in sorted(places, reverse=True):
        query = f"{query[:start]}rate({query[start:end]}[$window]){query[end:]}"
    return " ".join(query.split())
