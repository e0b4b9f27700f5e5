"""Counters that are derived from queries, checked by hand."""

from __future__ import annotations

import pytest

from slo_compiler.proofs.generate.raw import RawSLI, SeriesRole, derive


def derived(
    events: str, other: str, *, counts_errors: bool = True, by: tuple[str, ...] = ()
) -> RawSLI:
    found = derive(events, other, counts_errors=counts_errors, fills_in=True, by=by)
    assert found is not None
    return found


def shown(raw: RawSLI) -> list[tuple[str, SeriesRole]]:
    return [(str(series), series.role) for series in raw.series]


def test_errors_of_one_metric_and_a_decoy_for_each_matcher() -> None:
    raw = derived('rate(http{tenant="a"}[1m])', 'rate(http{tenant="a",code=~"5.."}[1m])')
    assert shown(raw) == [
        ('http{code="500",tenant="a"}', SeriesRole.ERRORS),
        ('http{code="200",tenant="a"}', SeriesRole.GOOD),
        ('http{code="500",tenant="decoy"}', SeriesRole.NOISE),
        ('http{code="200",tenant="decoy"}', SeriesRole.NOISE),
    ]


def test_good_events_that_a_negative_regex_selects() -> None:
    raw = derived(
        'sum(rate(grpc{ns="x"}[1m]))',
        'sum(rate(grpc{ns="x",code!~"Internal|Unknown"}[1m]))',
        counts_errors=False,
    )
    assert shown(raw)[:2] == [
        ('grpc{code="200",ns="x"}', SeriesRole.GOOD),
        ('grpc{code="Internal",ns="x"}', SeriesRole.ERRORS),
    ]


def test_a_histogram_is_two_metrics() -> None:
    raw = derived(
        'rate(h_count{j="x"}[1m])', 'rate(h_bucket{j="x",le=~"1|1[.]0"}[1m])', counts_errors=False
    )
    assert shown(raw)[:2] == [
        ('h_count{j="x"}', SeriesRole.ALL),
        ('h_bucket{j="x",le="1"}', SeriesRole.GOOD),
    ]


def test_derive_with_a_pattern_that_backtracks_finds_the_other_branch_at_once() -> None:
    raw = derived("rate(x[1m])", 'rate(x{code=~"(x+x+)+y|x{40}z",code!="xxy"}[1m])')
    assert shown(raw)[0] == (f'x{{code="{"x" * 40}z"}}', SeriesRole.ERRORS)


def test_derive_with_a_quoted_name_writes_it_in_the_braces() -> None:
    raw = derived('rate({"a.b"}[1m])', 'rate({"a.b",c="d"}[1m])')
    assert shown(raw)[0] == ('{__name__="a.b",c="d"}', SeriesRole.ERRORS)


def test_by_labels_have_the_same_value_on_both_sides() -> None:
    raw = derived(
        "sum by (path) (rate(http[1m]))", 'sum by (path) (rate(http{code="5"}[1m]))', by=("path",)
    )
    assert {dict(s.labels)["path"] for s in raw.series} == {"proof"}


@pytest.mark.parametrize(
    "query",
    [
        "rate(a[1m]) + rate(b[1m])",
        "max(rate(a[1m]))",
        "sum(irate(a[1m]))",
        "sum(rate(a[1m] offset 5m))",
        "topk(3, rate(a[1m]))",
        'rate(a{x="1",x="2"}[1m])',
    ],
)
def test_what_cannot_be_derived_is_left_to_the_base_pair(query: str) -> None:
    assert derive(query, query, counts_errors=True, fills_in=True, by=()) is None
