"""Queries that have a value while none of their series is there, and scalars, which have none."""

from __future__ import annotations

import pytest

from slo_compiler.duration import Duration
from slo_compiler.promql import (
    QueryError,
    may_have_value_without_input,
    prepare,
    prepare_value,
)

WINDOW = Duration.of(minutes=1)
TENANT = {"tenant": "a"}


@pytest.mark.parametrize(
    "query",
    [
        "absent(x)",
        'absent(x{job="a"}) or vector(0)',
        "absent_over_time(x[5m])",
        "x or on () vector(1)",
        "up == bool 1 or vector(0)",
        "vector(scalar(x))",
        "vector(time()) % 3600 < 60",
        "hour() unless x",
        "x or (hour() > 6)",
        "-vector(1)",
        "time() - (x or vector(0)) > 5",
        "max_over_time((x or vector(0))[5m:1m])",
        "sum by (job) (x or vector(0))",
        'label_replace(vector(0), "job", "a", "", "")',
        "vector(1) * on () (x or vector(0))",
    ],
)
def test_query_with_a_source_of_its_own_may_have_a_value_without_input(query: str) -> None:
    assert may_have_value_without_input(query)


@pytest.mark.parametrize(
    "query",
    [
        "x",
        "time() - x > 5",
        "x * scalar(y)",
        "x and on () vector(1)",
        "x * on () group_left () vector(1)",
        "x unless on () vector(1)",
        "sum(rate(x[5m])) / sum(rate(y[5m]))",
        "clamp_min(x, 1)",
        "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))",
        "max_over_time(x[5m:1m])",
        "-(x)",
        "hour(x)",
    ],
)
def test_query_that_only_reads_series_has_no_value_without_input(query: str) -> None:
    assert not may_have_value_without_input(query)


@pytest.mark.parametrize("query", ["time() - scalar(x)", "(scalar(x))", "-scalar(x) > bool 1"])
def test_value_query_that_yields_a_scalar_is_refused(query: str) -> None:
    with pytest.raises(QueryError) as raised:
        prepare_value(query, TENANT, WINDOW)
    assert raised.value.id == "scalar-result"
    written = f"vector({query})"
    assert prepare_value(written, TENANT, WINDOW).startswith("vector(")


def test_rate_query_that_yields_a_scalar_is_refused() -> None:
    with pytest.raises(QueryError) as raised:
        prepare("scalar(sum(rate(x[$window])))", TENANT, WINDOW)
    assert (raised.value.id, raised.value.help) == ("scalar-result", "leave scalar() out")
