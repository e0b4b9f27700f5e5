"""The arithmetic, with numbers worked out by hand and by properties."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.schema.sli.latency import bucket_matcher

MONTH = Duration.of(days=30)
percents = st.decimals("0.001", 100, places=3)
objectives = st.decimals("1", "99.99999", places=5)
periods = st.integers(1, 365).map(lambda n: Duration.of(days=n))
windows = st.integers(1, 7 * 24 * 60).map(lambda n: Duration.of(minutes=n))


@pytest.mark.parametrize(
    ("share", "hours", "factor", "threshold"),
    [
        # The workbook's table 5-8, at 99.9 %: 2 % of 720 h in 1 h is 14.4, and so on.
        ("2", 1, "14.4", "0.0144"),
        ("5", 6, "6", "0.006"),
        ("10", 24, "3", "0.003"),
        ("10", 72, "1", "0.001"),
    ],
)
def test_the_workbooks_tiers(share: str, hours: int, factor: str, threshold: str) -> None:
    found = burn.burn_factor(Decimal(share), MONTH, Duration.of(hours=hours))
    assert burn.literal(found) == factor
    assert burn.literal(burn.threshold(found, Decimal("99.9"))) == threshold


def test_detection_and_reset_by_hand() -> None:
    """At 99.9 %, page-fast (0.0144 over 1 h and 5 m).

    A full outage is seen after 3600 s x 0.0144 = 51.84 s, and over 300 s x (1 - 0.0144) = 295.68 s
    after it ends. Errors at twice the threshold take half the window.
    """
    threshold = Fraction("0.0144")
    assert burn.detection_time(Duration.of(hours=1), threshold, Fraction(1)) == pytest.approx(51.84)
    assert burn.reset_time(Duration.of(minutes=5), threshold, Fraction(1)) == pytest.approx(295.68)
    assert burn.detection_time(Duration.of(hours=1), threshold, threshold * 2) == 1800
    assert burn.reset_time(Duration.of(minutes=5), threshold, threshold) == 0


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Fraction(144, 10000), "0.0144"),
        (Fraction(1), "1"),
        (Fraction(1000000), "1000000"),
        (Fraction(1, 3), "0.3333333333333333"),
        (Fraction(1, 10**9), "0.000000001"),
        # 2 ** -30 has 21 digits; 16 are enough for the same float.
        (Fraction(1, 2**30), "0.0000000009313225746154785"),
    ],
)
def test_literals_are_printed_as_people_write_them(value: Fraction, printed: str) -> None:
    assert burn.literal(value) == printed


@given(percents, periods, windows, objectives)
def test_a_threshold_reads_back_as_the_nearest_float_of_the_exact_value(
    share: Decimal, period: Duration, window: Duration, objective: Decimal
) -> None:
    exact = burn.threshold(burn.burn_factor(share, period, window), objective)
    assert float(burn.literal(exact)) == float(exact)
    assert "e" not in burn.literal(exact)


@given(percents, periods, windows, st.integers(2, 12))
def test_a_burn_factor_scales_with_the_period(
    share: Decimal, period: Duration, window: Duration, times: int
) -> None:
    one = burn.burn_factor(share, period, window)
    assert burn.burn_factor(share, period * times, window) == one * times
    assert burn.burn_factor(share, period * times, window * times) == one


@given(percents, periods, windows, objectives)
def test_at_its_threshold_a_tier_spends_exactly_its_share(
    share: Decimal, period: Duration, window: Duration, objective: Decimal
) -> None:
    """Errors at the threshold over the long window, as a part of what the period may have."""
    threshold = burn.threshold(burn.burn_factor(share, period, window), objective)
    spent = threshold * window.ms / (burn.error_budget(objective) * period.ms)
    assert spent == Fraction(share) / 100


@given(periods)
def test_tiles_divide_a_period_and_stay_testable(period: Duration) -> None:
    tile = burn.tile(period)
    assert period.ms % tile.ms == 0
    assert period.ms // tile.ms <= 4320
    assert tile == Duration.of(minutes=5) or (tile.ms // 2) * 4320 < period.ms


@given(
    st.sampled_from([1, 5, 10, 15, 30, 60]).map(lambda s: Duration.of(seconds=s)),
    st.sampled_from([1, 5, 15, 30, 60]).map(lambda s: Duration.of(seconds=s)),
    st.sampled_from([10, 30, 300, 600, 1800]).map(lambda s: Duration.of(seconds=s)),
)
def test_the_base_contains_four_scrapes_and_an_evaluation(
    scrape: Duration, evaluation: Duration, shortest: Duration
) -> None:
    timing = burn.timing(scrape, evaluation, shortest)
    assert timing.base >= scrape * 4
    assert timing.base >= evaluation
    assert timing.base_range == timing.base + scrape
    assert timing.base.ms % timing.base_step.ms == 0
    assert Duration.of(minutes=5).ms % timing.slow.ms == 0
    assert timing.slow.ms % timing.base_step.ms == 0
    assert timing.slow.ms % evaluation.ms == 0
    assert timing.slow <= max(evaluation, Duration.of(minutes=2, seconds=30))


def test_the_usual_base_is_a_minute() -> None:
    second, minute = Duration.of(seconds=1), Duration.of(minutes=1)
    timing = burn.timing(second * 15, second * 30, minute * 5)
    assert (str(timing.base), str(timing.base_range), str(timing.slow)) == ("1m", "1m15s", "2m30s")


@pytest.mark.parametrize(
    ("bound", "matcher"),
    [
        ("0.3", 'le="0.3"'),
        ("1", 'le=~"1|1[.]0"'),
        ("2.5", 'le="2.5"'),
        ("30", 'le=~"30|30[.]0"'),
        ("0.005", 'le="0.005"'),
        ("1000000", 'le=~"1000000|1000000[.]0|1e[+]06"'),
        ("2500000", 'le=~"2.5e[+]06|2500000|2500000[.]0"'.replace("2.5", "2[.]5")),
    ],
)
def test_a_bucket_is_matched_however_it_is_spelled(bound: str, matcher: str) -> None:
    assert bucket_matcher(Decimal(bound)) == matcher


@given(st.integers(1, 10**12))
def test_durations_read_back(ms: int) -> None:
    assert Duration.parse(str(Duration(ms))) == Duration(ms)


@pytest.mark.parametrize("text", ["", "5", "m", "0s", "-5m", "5m ", "1.5h", "5M", "1h 30m", "m5"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        Duration.parse(text)
