"""Objectives and periods of any size: burn rates, tiers that are left out, and what is advised."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from linting import findings, wrapped

from slo_compiler import pipeline
from slo_compiler.diagnostics import Diagnostic, Report, Severity
from slo_compiler.plan.reach import budget_share, burn_factor, threshold
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.source import SourceFile

NAMES = ["page-fast", "page-slow", "ticket-fast", "ticket-slow"]
RUNBOOK = 'runbook: "https://runbooks.example/checkout"'


def resolved(fragment: str) -> ResolvedSLO:
    report = Report()
    settings = pipeline.read_project(None, report)
    sources = [SourceFile("b.yaml", "b.yaml", wrapped(fragment)["customer-b.yaml"].encode())]
    return pipeline.resolve_project(settings, sources, report)[0].slos[0]


@pytest.mark.parametrize("period", ["2d", "5d", "7d", "2w", "4w", "30d", "12w", "365d"])
@pytest.mark.parametrize("objective", ["80", "85", "90", "93", "95", "99", "99.9", "99.999"])
def test_default_policy_works_for_each_objective_and_period(objective: str, period: str) -> None:
    """Each tier that is left can fire, and not within the budget; one that is not is an info."""
    fragment = f"objective: {objective}\nperiod: {period}\n"
    found = findings(wrapped(fragment))
    assert [d for d in found if d.severity is not Severity.INFO] == []
    slo = resolved(fragment)
    left = {tier.name for tier in slo.policy.tiers}
    assert left
    for tier in slo.policy.tiers:
        assert burn_factor(slo, tier) >= 1
        assert threshold(slo, tier) < 1
    omitted = [d for d in found if d.id in {"never-fires", "window-beyond-period"}]
    assert len(omitted) == len(NAMES) - len(left)


def test_burn_rates_of_a_shorter_period_are_those_of_the_policy() -> None:
    """30 days' 2 % in 1h, 5 % in 6h, 10 % in 1d and 10 % in 3d: 14.4, 6, 3 and 1.

    Of two weeks (336 h) an hour at 14.4 burns 14.4 / 336 = 4 2/7 %.
    """
    slo = resolved("period: 2w\n")
    rates = [burn_factor(slo, tier) for tier in slo.policy.tiers]
    assert rates == [Fraction(144, 10), 6, 3, 1]
    assert budget_share(slo, slo.policy.tiers[0]) == Fraction(1440, 336)


def test_burn_rates_of_a_longer_period_grow_unless_nothing_reaches_them() -> None:
    """2 % of 84 days in 1h are 40.32: with a budget of 1 %, 0.4; with one of 5 %, above 1."""
    strict, loose = (
        resolved(f"objective: {objective}\nperiod: 12w\n") for objective in ("99", "95")
    )
    assert burn_factor(strict, strict.policy.tiers[0]) == Fraction(4032, 100)
    assert burn_factor(loose, loose.policy.tiers[0]) == Fraction(144, 10)


def test_tier_that_is_left_out_is_an_info_with_what_would_fire() -> None:
    found = findings(wrapped("objective: 85\n"))
    assert [(d.id, d.severity, d.message, d.help) for d in found] == [
        (
            "never-fires",
            Severity.INFO,
            (
                "the tier page-fast of sre-workbook is left out: it can never fire: its threshold "
                "is an error ratio of 2.16 (burn rate 14.4 x budget 0.15)"
            ),
            "in a policy of your own, with a long_window of 2h10m it fires",
        )
    ]


@pytest.mark.parametrize(
    ("share", "long", "objective", "period"),
    [
        ("2%", "1h", "85", "30d"),
        ("50%", "6h", "90", "30d"),
        ("100%", "1d", "80", "30d"),
        ("100%", "6h", "1", "7d"),
        ("100%", "7d", "1", "8d"),
        ("5%", "60d", "99", "30d"),
        ("100%", "12h", "50", "1d"),
    ],
)
def test_advice_on_a_tier_that_never_fires_works(
    share: str, long: str, objective: str, period: str
) -> None:
    """What is advised, written into the policy, has no finding of this kind."""

    def reported(share: str, long: str) -> list[Diagnostic]:
        tier = f"severity: page, budget_share: {share}, long_window: {long}, short_window: 30m"
        text = (
            f"objective: {objective}\nperiod: {period}\n"
            f"policies:\n  - name: own\n    when_unreachable: error\n    tiers:\n"
            f"      - {{name: one, {tier}}}\n"
            f"escalation: [{{severity: page, notify: [chat]}}]\n"
            f"alerting: {{policy: own, {RUNBOOK}}}\n"
        )
        return [d for d in findings(wrapped(text)) if d.severity is Severity.ERROR]

    found = reported(share, long)
    if not found:
        pytest.fail("the case has nothing to advise on")
    assert {d.id for d in found} <= {"never-fires", "window-beyond-period"}
    advice = re.search(
        r"(long_window of (?:at most )?|budget_share of )([0-9a-z.%]+)", found[0].help
    )
    assert advice
    followed = (share, advice[2]) if advice[1].startswith("long") else (advice[2], long)
    assert reported(*followed) == []


def test_advice_where_the_windows_that_fire_are_beyond_the_period_is_a_share_that_works() -> None:
    """50 % of 30d in 6h is a burn rate of 60, which is an error ratio of 30 at 50 %.

    Errors alone last 30 x 6h = 180h to get there, and 7d are 168h. A share of 50 % / 30 would be
    at a ratio of 1; with a hundredth less, 1.65 %, it is 0.99.
    """
    text = (
        "objective: 50\nperiod: 7d\n"
        "policies:\n  - name: own\n    period: 30d\n    when_unreachable: error\n    tiers:\n"
        "    - {name: one, severity: page, budget_share: 50%, long_window: 6h, short_window: 30m}\n"
        "escalation: [{severity: page, notify: [chat]}]\n"
        f"alerting: {{policy: own, {RUNBOOK}}}\n"
    )
    (found,) = findings(wrapped(text))
    assert found.message.endswith("an error ratio of 30 (burn rate 60 x budget 0.5)")
    assert found.help.startswith("in a policy of your own, with a budget_share of 1.65%, it fires")
    followed = text.replace("50%", "1.65%")
    assert findings(wrapped(followed)) == []
    slo = resolved(followed)
    assert threshold(slo, slo.policy.tiers[0]) == Fraction(99, 100)


def test_policy_of_which_no_tier_fires_is_an_error() -> None:
    text = (
        "objective: 50\n"
        "policies:\n  - name: own\n    tiers:\n"
        "    - {name: one, severity: page, budget_share: 9%, long_window: 1h, short_window: 5m}\n"
        "escalation: [{severity: page, notify: [chat]}]\n"
        f"alerting: {{policy: own, {RUNBOOK}}}\n"
    )
    (found,) = findings(wrapped(text))
    assert (found.id, found.severity) == ("never-fires", Severity.ERROR)
    assert found.message.startswith("the tier one of own, and no other of its tiers, can never")


def test_word_of_the_slo_comes_before_that_of_the_policy() -> None:
    policy = (
        "objective: 90\n"
        "policies:\n  - name: own\n    when_unreachable: error\n    tiers:\n"
        "    - {name: fast, severity: page, budget_share: 2%, long_window: 1h, short_window: 5m}\n"
        "    - {name: slow, severity: page, budget_share: 5%, long_window: 6h, short_window: 30m}\n"
        "escalation: [{severity: page, notify: [chat]}]\n"
    )
    strict = findings(wrapped(f"{policy}alerting: {{policy: own, {RUNBOOK}}}\n"))
    assert [(d.id, d.severity) for d in strict] == [("never-fires", Severity.ERROR)]
    omit = f"{policy}alerting: {{policy: own, when_unreachable: omit, {RUNBOOK}}}\n"
    assert [d.severity for d in findings(wrapped(omit))] == [Severity.INFO]
    both = omit.replace("policy: own,", "policy: own, tiers: {fast: {min_errors: 5}},")
    assert [d.severity for d in findings(wrapped(both))] == [Severity.INFO]


def test_lint_positions_of_tiers_pass_over_those_left_out() -> None:
    """The second tier never fires and the third one is overshadowed: its own line is marked."""
    tiers = [("a", "2%", "6h"), ("b", "90%", "1d"), ("c", "40%", "2d")]
    lines = "".join(
        f"      - {{name: {name}, severity: page, budget_share: {share}, long_window: {long}, "
        "short_window: 1h}\n"
        for name, share, long in tiers
    )
    text = (
        f"objective: 90\npolicies:\n  - name: own\n    tiers:\n{lines}"
        f"escalation: [{{severity: page, notify: [chat]}}]\nalerting: {{policy: own, {RUNBOOK}}}\n"
    )
    found = findings(wrapped(text))
    marked = {(d.id, "name: c" in d.position.text) for d in found}
    assert marked == {("never-fires", False), ("tier-overshadowed", True)}


WAITS = "traffic: {events_per_day: 1200}\nalerting: {min_errors: 60, "


def test_tier_whose_guard_waits_for_more_than_the_traffic_is_an_error_unless_omit_is_written() -> (
    None
):
    """An hour has 50 events, six hours have 300: only page-fast can never fire."""
    assert [(d.id, d.severity) for d in findings(wrapped(f"{WAITS}{RUNBOOK}}}\n"))] == [
        ("guard-out-of-reach", Severity.ERROR)
    ]
    (found,) = findings(wrapped(f"{WAITS}when_unreachable: omit, {RUNBOOK}}}\n"))
    assert (found.id, found.severity) == ("never-fires", Severity.INFO)
    assert found.message == (
        "the tier page-fast of sre-workbook is left out: it can never fire: it waits for 60 "
        "errors, and 1h has about 50 events"
    )
    assert found.help == "with a lower min_errors it fires"
    assert "traffic:" in found.position.text


def test_guards_that_leave_no_tier_are_an_error_also_where_omit_is_written() -> None:
    text = WAITS.replace("60", "100000") + f"when_unreachable: omit, {RUNBOOK}}}\n"
    (found,) = findings(wrapped(text))
    assert (found.id, found.severity) == ("guard-out-of-reach", Severity.ERROR)
    assert found.message.startswith("page-fast and page-slow and ticket-fast and ticket-slow can")


BURN_RATE = """\
objective: {objective}
period: {period}
alerting: {{policy: rates, runbook: "https://runbooks.example/checkout"}}
escalation: [{{severity: page, notify: [chat]}}]
policies:
  - name: rates
    period: 30d
    tiers:
      - {{name: one, severity: page, burn_rate: {rate}, long_window: 1h, short_window: 5m}}
      - {{name: two, severity: page, burn_rate: 1, long_window: 4d, short_window: 6h}}
"""


@pytest.mark.parametrize("period", ["1w", "4w", "12w"])
def test_tier_with_a_burn_rate_has_it_in_each_period(period: str) -> None:
    """14 x 0.1 % is 0.014 exactly, which no share with a finite number of digits gives in 4w."""
    slo = resolved(BURN_RATE.format(objective="99.9", period=period, rate="14"))
    assert [burn_factor(slo, tier) for tier in slo.policy.tiers] == [14, 1]
    assert threshold(slo, slo.policy.tiers[0]) == Fraction(14, 1000)


def test_tier_with_a_burn_rate_that_nothing_reaches_is_left_out_and_the_advice_works() -> None:
    """A budget of 15 % burns at most 6.66 times too fast."""
    found = findings(wrapped(BURN_RATE.format(objective="85", period="4w", rate="14")))
    assert [(d.id, d.severity) for d in found] == [("never-fires", Severity.INFO)]
    advice = re.search(r"with a burn_rate of ([0-9.]+), it fires", found[0].help)
    assert advice
    assert advice[1] == "6.6"
    again = findings(wrapped(BURN_RATE.format(objective="85", period="4w", rate=advice[1])))
    assert again == []


@pytest.mark.parametrize(
    ("tier", "message"),
    [
        ("burn_rate: 14, budget_share: 2%", "found budget_share and burn_rate"),
        ("for: 5m", "found none"),
        ("burn_rate: 0", "expected a number above 0, found 0"),
        ("burn_rate: 2%", 'expected a number such as 300 or 0.5, found "2%"'),
    ],
)
def test_tier_has_either_a_share_or_a_burn_rate(tier: str, message: str) -> None:
    text = BURN_RATE.format(objective="99", period="4w", rate="14")
    found = findings(wrapped(text.replace("burn_rate: 14", tier)))
    assert any(message in d.message for d in found), found


def test_tier_with_a_burn_rate_below_1_is_advised_to_raise_it() -> None:
    found = findings(wrapped(BURN_RATE.format(objective="99", period="4w", rate="0.5")))
    (low,) = [d for d in found if d.id == "fires-within-budget"]
    assert low.help == "raise its burn_rate to 1"
