"""Which kind of number a query gives: inferred from its tree, or unknown."""

from __future__ import annotations

import pytest
from linting import findings, wrapped

from slo_compiler.lint.dimension import Dimension, dimensions
from slo_compiler.lint.queries import SENTINEL
from slo_compiler.promql import read

RATE, COUNT, TOTAL = Dimension.RATE, Dimension.COUNT, Dimension.TOTAL
RATIO, QUANTITY, BOOLEAN = Dimension.RATIO, Dimension.QUANTITY, Dimension.BOOLEAN
NUMBER, UNKNOWN = Dimension.NUMBER, Dimension.UNKNOWN


@pytest.mark.parametrize(
    ("query", "dimension"),
    [
        # series, by their names
        ("x_total", TOTAL),
        ("x", UNKNOWN),
        ("job:requests:rate5m", RATE),
        ("job:requests:sum_irate", RATE),
        ("job:errors:ratio_rate5m", RATIO),
        ("job:error_ratio:rate5m", RATIO),
        ("job:latency_seconds:mean5m", UNKNOWN),
        ("job:cpu_seconds:rate5m", UNKNOWN),
        ("job:latency_seconds_sum:rate5m", UNKNOWN),
        # functions
        ("rate(x_total[$window])", RATE),
        ("rate(x_seconds_count[$window])", RATE),
        ("rate(x_seconds_bucket[$window])", RATE),
        ("rate(x_seconds_sum[$window])", UNKNOWN),
        ("rate(cpu_seconds_total[$window])", UNKNOWN),
        ("rate(sent_bytes_total[$window])", UNKNOWN),
        ("increase(x_total[$window])", COUNT),
        ("changes(x[$window])", COUNT),
        ("count_over_time(x[$window])", COUNT),
        ("sum_over_time(x[$window])", COUNT),
        ("sum_over_time(job:requests:rate5m[$window])", UNKNOWN),
        ("sum_over_time(rate(x_total[1m])[$window:1m])", UNKNOWN),
        ("avg_over_time(job:requests:rate5m[$window])", RATE),
        ("avg_over_time((x > bool 1)[$window:1m])", RATIO),
        ("max_over_time(rate(x_total[5m])[$window:1m])", RATE),
        ("histogram_quantile(0.9, rate(x_bucket[$window]))", QUANTITY),
        ("histogram_count(rate(x[$window]))", RATE),
        ("histogram_count(rate(x_seconds[$window]))", UNKNOWN),
        ("histogram_fraction(0, 0.5, rate(x_seconds[$window]))", RATIO),
        ("absent(x)", BOOLEAN),
        ("vector(1)", NUMBER),
        ("time()", UNKNOWN),
        ('label_replace(rate(x_total[$window]), "a", "$1", "b", "(.*)")', RATE),
        # operators
        ("rate(a_total[$window]) + rate(b_total[$window])", RATE),
        ("rate(a_total[$window]) - x", UNKNOWN),
        ("rate(a_total[$window]) or increase(b_total[$window])", UNKNOWN),
        ("rate(a_total[$window]) or vector(0)", RATE),
        ("2 * rate(a_total[$window]) / 3", RATE),
        ("rate(a_total[$window]) / rate(b_total[$window])", RATIO),
        ("rate(a_total[$window]) / rate(b_total[$window]) > 0.01", RATIO),
        ("rate(a_total[$window]) / rate(b_total[$window]) > bool 0.01", BOOLEAN),
        ("1 - rate(a_total[$window]) / rate(b_total[$window])", RATIO),
        ("rate(a_seconds_sum[$window]) / rate(a_seconds_count[$window])", UNKNOWN),
        ("rate(a_total[$window]) * on () group_left () b", UNKNOWN),
        ("rate(a_total[$window]) * (b > bool 1)", RATE),
        ("rate(a_total[$window]) and b > 5", RATE),
        ("(a > bool 1) + (b > bool 1)", UNKNOWN),
        ("a ^ 2", UNKNOWN),
        # aggregations
        ("sum by (a) (rate(x_total[$window]))", RATE),
        ("topk(3, rate(x_total[$window]))", RATE),
        ("quantile(0.9, rate(x_total[$window]))", QUANTITY),
        ("avg(x > bool 1)", RATIO),
        ("sum(x > bool 1)", UNKNOWN),
        ("count(rate(x_total[$window]))", UNKNOWN),
    ],
)
def test_dimension_of_a_query_is_inferred_or_unknown(query: str, dimension: Dimension) -> None:
    found = read(query, SENTINEL)
    assert found is not None
    assert dimensions(found[0])[0] is dimension


DIMENSIONAL = {
    "increase-not-rate",
    "quantile-as-events",
    "quantile-without-le",
    "rate-of-rate",
    "rate-of-sum",
    "sum-of-irate",
}


@pytest.mark.parametrize(
    "sli",
    [
        "ratio: {errors: 'sum(rate(a_seconds_sum[$window]))', total: 'sum(rate(b[$window]))'}",
        "ratio: {errors: 'avg_over_time(job:e:rate5m[$window])', total: 't_total'}",
        (
            "ratio: {errors: 'sum(rate(x_count[$window])) - sum(rate(x_bucket[$window]))', "
            "total: 'x_count'}"
        ),
        (
            "ratio: {errors: 'histogram_count(rate(x_s[$window])) * (1 - histogram_fraction(0, 1,"
            " rate(x_s[$window])))', total: 'histogram_count(rate(x_s[$window]))'}"
        ),
        "ratio: {errors: 'sum(rate(t_total[$window])) * (1 - avg(job:up:ratio))', total: t_total}",
        "ratio: {errors: 'sum(max_over_time(rate(e_total[1m])[$window:1m]))', total: 't_total'}",
        "ratio: {errors: 'sum(rate(t_total[$window]) * (lag > bool 5))', total: 't_total'}",
        "ratio: {errors: 'sum(rate(e_total[$window])) and on () avg(lag) > 5', total: 't_total'}",
        "threshold: {query: 'changes(process_start_time_seconds[1h])', op: <, value: 1}",
        "threshold: {query: 'count_over_time(deploy[1h])', op: <, value: 9}",
        "threshold: {query: 'rate(a_total[5m]) / rate(b_total[5m]) > bool 0.1', op: <, value: 1}",
        "threshold: {query: 'histogram_quantile(0.9, rate(x_seconds[5m]))', op: <, value: 1}",
        "threshold: {query: 'histogram_quantile(0.9, rate(x_bucket[5m]))', op: <, value: 1}",
        (
            "threshold: {query: 'histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))', "
            "op: <, value: 1}"
        ),
        "raw: {error_ratio: 'avg_over_time(mesh:errors:ratio_rate1m[5m])'}",
        "raw: {error_ratio: '1 - avg(up)'}",
    ],
)
def test_query_of_the_field_that_is_right_has_no_finding_on_its_dimension(sli: str) -> None:
    found = findings(wrapped(f"{sli}\n"))
    assert {d.id for d in found} & DIMENSIONAL == set()
