"""The unit of a latency SLI's histogram, and thresholds of any fineness."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from linting import findings, wrapped

from slo_compiler.duration import ExactSpan
from slo_compiler.live.presence import bounds_near
from slo_compiler.schema.sli.latency import Latency
from slo_compiler.schema.sli.unit import unit_in_name


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("http_request_duration_seconds", "seconds"),
        ("http_server_duration_milliseconds", "milliseconds"),  # OpenTelemetry
        ("http.server.duration_milliseconds", "milliseconds"),
        ("response_latency_ms", "milliseconds"),  # Linkerd
        ("envoy_cluster_upstream_cx_connect_ms", "milliseconds"),
        ("envoy_cluster_upstream_rq_time", "milliseconds"),
        ("envoy_http_downstream_rq_time_ms", "milliseconds"),
        ("istio_request_duration_milliseconds", "milliseconds"),
        ("http_request_duration_microseconds", "microseconds"),  # client_golang, before 1.0
        ("read_latency_us", "microseconds"),
        ("read_latency_ns", "nanoseconds"),
        ("requests_us_duration_seconds", "seconds"),  # us is a country here
        ("job_duration_seconds_histogram", "seconds"),
        ("backup_duration_minutes", "minutes"),
        ("requestDurationMs", "milliseconds"),
        ("seconds", "seconds"),
        ("requests_us_total_time", None),
        ("request_duration", None),
        ("http_requests", None),
    ],
)
def test_unit_in_name_of_known_conventions(metric: str, unit: str | None) -> None:
    assert unit_in_name(metric) == unit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("300ms", Fraction(3, 10)),
        ("0.5ms", Fraction(1, 2000)),
        ("500us", Fraction(1, 2000)),
        ("500\N{MICRO SIGN}s", Fraction(1, 2000)),
        ("250ns", Fraction(1, 4_000_000)),
        ("1.5s", Fraction(3, 2)),
        ("1m30s", Fraction(90)),
    ],
)
def test_exact_span_of_any_fineness(text: str, seconds: Fraction) -> None:
    assert ExactSpan.parse(text).seconds == seconds


@pytest.mark.parametrize("text", ["", "500", "0s", "-1s", "1s1m", "1e3s", "half a second"])
def test_exact_span_of_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a span of time"):
        ExactSpan.parse(text)


@pytest.mark.parametrize(
    ("histogram", "threshold", "unit", "bound"),
    [
        ("x_seconds", "500ms", None, "0.5"),
        ("istio_request_duration_milliseconds", "500ms", None, "500"),
        ("x_milliseconds", "0.5ms", None, "0.5"),
        ("x_us", "1.5s", None, "1500000"),
        ("x", "500ms", None, "0.5"),  # assumed, with a lint
        ("x", "500ms", "milliseconds", "500"),
        ("x_seconds", "500ms", "milliseconds", "500"),  # what is written wins
        ("x_minutes", "100ms", None, "0.0016666666666666668"),
        ('{"x.duration_ms", job="a"}', "20ms", None, "20"),
    ],
)
def test_bound_is_in_the_unit_of_the_histogram(
    histogram: str, threshold: str, unit: str | None, bound: str
) -> None:
    assert latency(histogram, threshold, unit).bound == Decimal(bound)


def test_bucket_of_the_unit_is_selected_in_all_spellings() -> None:
    pair = latency("read_latency_ns", "500ms", None).base_pair()
    assert pair.second.matcher == 'le=~"500000000|500000000[.]0|5e[+]08"'
    native = Latency.model_validate({"histogram": "x_ms", "threshold": "0.5s", "native": True})
    assert native.base_pair().values == {"bound": "500"}


def test_unit_that_contradicts_the_name_is_found() -> None:
    text = "latency: {histogram: x_milliseconds, threshold: 500ms, unit: seconds}\n"
    (found,) = findings(wrapped(text))
    assert found.id == "latency-unit"
    assert found.message == 'unit is seconds, but the name "x_milliseconds" means milliseconds'
    assert found.help == "write unit: milliseconds, or leave unit out"
    assert findings(wrapped(text.replace("unit: seconds", "unit: milliseconds"))) == []


def test_query_in_place_of_a_histogram_needs_no_unit() -> None:

    ids = {d.id for d in findings(wrapped("latency: {histogram: 'rate(x[5m])', threshold: 1s}\n"))}
    assert "latency-unit" not in ids


def test_threshold_without_a_unit_gets_an_error() -> None:
    found = findings(wrapped("latency: {histogram: x_seconds, threshold: 0.5}\n"))
    assert [d.message for d in found] == [
        "expected a span of time such as 300ms, 1.5s or 500us, found 0.5"
    ]


def test_live_bounds_name_the_unit_that_they_look_like() -> None:
    bounds = ["5", "10", "500", "1000", "+Inf"]
    assert (
        bounds_near(bounds, latency("x", "500ms", None))
        == "its bounds look like milliseconds: write unit: milliseconds"
    )
    assert (
        bounds_near(bounds, latency("x_ms", "400ms", None))
        == "the nearest bounds are 10ms and 500ms: take one of them"
    )


def latency(histogram: str, threshold: str, unit: str | None) -> Latency:
    given = {"histogram": histogram, "threshold": threshold}
    return Latency.model_validate(given | ({"unit": unit} if unit else {}))
