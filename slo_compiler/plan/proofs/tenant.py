"""Which unit tests prove a tenant's alerts: timelines of errors, and what must fire when.

The arithmetic is burn.py's. With a clean history of h at constant traffic, then errors at a
constant ratio e, the long window L holds the ratio e * t / min(L, h + t) after t, which exceeds the
threshold after t = threshold * h / (e - threshold), or L * threshold / e once the window is full.
After the errors stop, the short window S falls below it within S * (1 - threshold / e).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.manifest.model import Tier
from slo_compiler.manifest.resolve import ResolvedTenant
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Check, TenantRules, UnitTest, UnitTestFile
from slo_compiler.plan.proofs.budget import budget_proofs
from slo_compiler.plan.proofs.by import plan_by
from slo_compiler.plan.proofs.calendar import EVALUATION, plan_boundaries
from slo_compiler.plan.proofs.composite import composite_test
from slo_compiler.plan.proofs.exclusions import excluded
from slo_compiler.plan.proofs.guards import plan_guards
from slo_compiler.plan.proofs.periods import elapsed, settled_at
from slo_compiler.plan.proofs.renames import renamed
from slo_compiler.plan.proofs.slices import slice_test
from slo_compiler.plan.proofs.subject import (
    Round,
    Subject,
    groups_of,
    names_of,
    rounds_of,
    subject_of,
)
from slo_compiler.plan.proofs.timeline import (
    CLEAN,
    GONE,
    MINUTE,
    Segment,
    Timeline,
    down,
    inputs,
    minutes,
    rounded,
    settled_after,
    up,
)
from slo_compiler.plan.proofs.values import value_test
from slo_compiler.plan.tenant import budget_steps, escalation_waits, tier_windows

FAST_UP_TO = Duration.of(hours=1)


def plan_proofs(
    tenant: ResolvedTenant, rules: TenantRules, timing: burn.Timing
) -> list[UnitTestFile]:
    """Plan the unit tests of a tenant, in one file for each evaluation interval."""
    subjects = [subject_of(tenant, slo, timing) for slo in tenant.slos]
    tests: dict[Duration, list[UnitTest]] = {}
    for round_ in rounds_of(subjects):
        tests.setdefault(MINUTE, []).extend(_steady(tenant, round_, timing))
        for group, tier in groups_of(round_):
            evaluation = _evaluation(tier)
            test = _burst(tenant, round_, group, tier, evaluation, timing)
            tests.setdefault(evaluation, []).append(test)
        tests[MINUTE].extend(_missing(tenant, round_, timing))
        tests[MINUTE].extend(_absent(round_, timing))
        for subject in round_.subjects:
            tests[MINUTE].extend(value_test(subject, timing))
            tests[MINUTE].extend(slice_test(subject, timing))
            tests[MINUTE].extend(composite_test(tenant, subject, subjects))
        tests[MINUTE].extend(excluded(tenant, round_, timing))
        tests[MINUTE].extend(renamed(tenant, round_, timing))
    tests[MINUTE].extend(plan_guards(subjects, timing))
    tests[MINUTE].extend(plan_by(subjects, timing))
    for test in plan_boundaries(subjects):
        tests.setdefault(EVALUATION, []).append(test)
    groups = tuple(group.name for group in rules.groups)
    return [
        UnitTestFile(
            naming.unit_test_file(tenant.name, evaluation),
            f"When each alert of {tenant.name} fires, and when it does not",
            (tenant.name,),
            evaluation,
            groups,
            tuple(found),
        )
        for evaluation, found in sorted(tests.items())
    ]


def _evaluation(tier: Tier) -> Duration:
    """Choose how often all rules are evaluated: a long window needs a coarse clock."""
    if tier.long_window <= FAST_UP_TO:
        return MINUTE
    return MINUTE * (5 if tier.long_window <= burn.TILED_ABOVE else 60)


def _steady(tenant: ResolvedTenant, round_: Round, timing: burn.Timing) -> Iterator[UnitTest]:
    """Constant error ratios: every window holds the same one, so that thresholds show exactly."""
    settled = settled_at((s.slo.period for s in round_.subjects), MINUTE * 5)
    share = _quiet_share(round_)
    quiet = {s.name: burn.error_budget(s.slo.objective) * share for s in round_.subjects}
    checks = [_none_fires(tenant, round_, settled, share)]
    for subject in round_.subjects:
        period = subject.slo.period
        left = 1 - elapsed(period, settled) * share
        # Exhaustion comes with the windows, and reads the budget of the evaluation before.
        rest = 1 / share - elapsed(period, settled - MINUTE)
        rest *= Fraction(period.nominal.ms, 1000)
        for series, value in ((naming.BUDGET_REMAINING, left), (naming.BUDGET_EXHAUSTION, rest)):
            checks.append(_holds(settled, series, subject, value))
    yield _test(
        f"{round_.names}: nothing fires at {_words(share)} of the budget's pace; "
        "the budget is right",
        round_,
        {name: (Segment(settled + MINUTE, ratio),) for name, ratio in quiet.items()},
        checks,
        timing,
    )
    for name, ratios, expected, why in budget_proofs(tenant, round_, settled):
        timelines: dict[str, Timeline] = {
            n: (Segment(settled + MINUTE, e),) for n, e in ratios.items()
        }
        yield _test(name, round_, timelines, expected, timing, why)
    windows = tier_windows(s.slo for s in round_.subjects)
    settled = settled_after(timing.longest_tile(windows))
    pace = {s.name: burn.error_budget(s.slo.objective) for s in round_.subjects}
    silent = [
        round_.firing(settled, tier, [], "the budget's pace is within the objective")
        for tier in _tiers_above_pace(round_)
    ]
    if silent:
        yield _test(
            f"{round_.names}: at exactly the budget's pace no tier above it fires",
            round_,
            {name: (Segment(settled + MINUTE, ratio),) for name, ratio in pace.items()},
            silent,
            timing,
        )
    yield from _just(round_, settled, timing)


def _just(round_: Round, settled: Duration, timing: burn.Timing) -> Iterator[UnitTest]:
    """Just under a threshold a tier is silent, just over it fires."""
    for group, tier in groups_of(round_):
        for part, word in ((Fraction(99, 100), "under"), (Fraction(101, 100), "over")):
            ratios = {s.name: s.threshold(tier) * part for s in group}
            if any(ratio > 1 for ratio in ratios.values()):
                continue
            wait = tier.for_ or Duration(0)
            at = settled + rounded(wait, MINUTE) + MINUTE
            firing = group if word == "over" else []
            why = f"{burn.literal(part)} of the threshold, in both windows"
            yield _test(
                f"{names_of(group)}: just {word} the threshold of {tier.name}",
                round_,
                {
                    s.name: (Segment(at + MINUTE, ratios.get(s.name, CLEAN)),)
                    for s in round_.subjects
                },
                [round_.firing(at, tier, firing, why)],
                timing,
                [
                    f"{s.name}: threshold {burn.literal(s.threshold(tier))}, "
                    f"errors {burn.literal(ratios[s.name])}"
                    for s in group
                ],
                about=group,
            )


def _burst(
    tenant: ResolvedTenant,
    round_: Round,
    group: Sequence[Subject],
    tier: Tier,
    evaluation: Duration,
    timing: burn.Timing,
) -> UnitTest:
    """Errors from a clean history on: when the alert fires, escalates and resets."""
    first = group[0]
    threshold = first.threshold(tier)
    ratio = min(Fraction(1), threshold * 2)
    times = ratio / threshold  # the same for all of the group
    smaller = [w for w in tier_windows(tenant.slos) if w < tier.long_window]
    history = rounded(max([tier.short_window, *smaller]), evaluation)
    detection = _detection(tier, history, times)
    reset = Fraction(tier.short_window.ms) * (1 - 1 / times)
    wait = tier.for_ or Duration(0)
    waits = [w for w in escalation_waits(tenant, tier.severity) if w <= history]
    if round_.shadow:  # a recording rule does not wait
        wait, waits = Duration(0), []
    # Rates over a base blur the edge by as much, and by nothing where the base pair is fed.
    slack = rounded(max(evaluation, timing.base), evaluation).ms
    lingering = rounded(tier.short_window, evaluation) + evaluation * 2
    # Long enough that the long window stays above the threshold to the end, so that it is the
    # short one that ends the alert: e * B + 0.95 * threshold * l > threshold * (h + B + r + l).
    rest = reset + slack + 2 * evaluation.ms + Fraction(lingering.ms) / 20
    needed = (history.ms + rest) / (times - 1)
    last = max([detection + wait.ms + w.ms for w in [Duration(0), *waits]])
    burn_for = up(max(needed, last) + slack + 2 * evaluation.ms, evaluation)
    stop = history + burn_for
    fires = Fraction(history.ms) + detection + wait.ms
    after = f"after {minutes(detection)} of errors" + (f" and {wait} of waiting" if wait.ms else "")
    checks = [
        round_.firing(down(fires - slack, evaluation), tier, [], "not yet"),
        round_.firing(up(fires + slack, evaluation), tier, group, after),
    ]
    for level, more in enumerate(waits, start=2):
        later = fires + more.ms
        checks += [
            round_.firing(down(later - slack, evaluation), tier, [], f"not {more}", level),
            round_.firing(up(later + slack, evaluation), tier, group, f"for {more}", level),
        ]
    still = down(Fraction(stop.ms) + reset - slack, evaluation)
    if still.ms >= stop.ms:
        checks.append(
            round_.firing(still, tier, group, "the short window still holds too many errors")
        )
    over = up(Fraction(stop.ms) + reset + slack, evaluation)
    checks.append(round_.firing(over, tier, [], f"{minutes(reset)} after the errors stopped"))
    end = over + lingering
    checks.append(round_.firing(end, tier, [], "0.95 of the threshold in the short window"))
    filled = history + rounded(tier.short_window, evaluation) + evaluation + Duration(slack)
    if filled <= stop:
        checks += [
            _holds(filled, naming.error_ratio(tier.short_window), s, s.threshold(tier) * times)
            for s in group
        ]
    why = [
        f"clean for {history}, errors for {burn_for}, none for {over - stop}, then a few",
        f"fires at e * t / min({tier.long_window}, {history} + t) > threshold, t = "
        + minutes(detection),
        f"resets {tier.short_window} * (1 - threshold / e) = {minutes(reset)} after the end",
        *(
            f"{s.name}: threshold {burn.literal(s.threshold(tier))}, "
            f"e = {burn.literal(s.threshold(tier) * times)}"
            for s in group
        ),
    ]
    burning = {s.name for s in group}
    timelines: dict[str, Timeline] = {
        s.name: (
            Segment(history, CLEAN),
            Segment(burn_for, s.threshold(tier) * times if s.name in burning else CLEAN),
            Segment(over - stop, CLEAN),
            Segment(
                lingering + evaluation,
                s.threshold(tier) * Fraction(95, 100) if s.name in burning else CLEAN,
            ),
        )
        for s in round_.subjects
    }
    name = f"{names_of(group)}: {tier.name} fires and resets when predicted"
    raw = evaluation == MINUTE
    return _test(name, round_, timelines, checks, timing, why, about=group, raw=raw)


def _missing(tenant: ResolvedTenant, round_: Round, timing: burn.Timing) -> Iterator[UnitTest]:
    """No traffic is not missing data; missing series are, those of the others notwithstanding."""
    idle = MINUTE * 15
    wait = min(slo.policy.spec.no_data_for for slo in tenant.slos)
    # A rate needs two samples: it ends when the last but one leaves the base range.
    lingers = timing.base_range - timing.scrape * 2
    fires = Fraction(idle.ms) + wait.ms
    end = up(fires + lingers.ms + 2 * MINUTE.ms, MINUTE)
    stays: Timeline = (Segment(end + MINUTE, CLEAN, idle=True),)
    goes: Timeline = (Segment(idle, CLEAN, idle=True), Segment(end - idle + MINUTE, GONE))
    for missing in (round_.subjects[0::2], round_.subjects[1::2]):
        if not missing:
            continue
        gone = {} if round_.shadow else {s.name: [s] for s in missing}
        yield _test(
            f"{names_of(missing)}: silent without traffic, "
            + ("and without data: a shadow" if round_.shadow else "an alert without data"),
            round_,
            {s.name: goes if s in missing else stays for s in round_.subjects},
            [
                round_.alerts(
                    at, f'alertname="{naming.ALERT_NO_DATA}",{subject.labels}', firing, why
                )
                for subject in round_.subjects
                for at, firing, why in (
                    (idle, [], "no traffic, but the series are there"),
                    (
                        down(fires + (lingers.ms if subject.fed else 0) - MINUTE.ms, MINUTE),
                        [],
                        f"not yet gone for {wait}",
                    ),
                    (end, gone.get(subject.name, []), f"gone for {wait}, or not gone"),
                )
            ],
            timing,
            [f"series end at {idle}, and a range of {timing.base_range} holds two for {lingers}"],
            about=missing,
        )


def _absent(round_: Round, timing: burn.Timing) -> Iterator[UnitTest]:
    """An errors counter that was never born is no errors; missing good events are all errors."""
    at = MINUTE * 5
    counted = [s for s in round_.subjects if s.fed and s.fed.fills_in]
    if not counted:
        return
    checks = []
    ratios = {s.name: Fraction(0 if s.fed and s.fed.counts_errors else 1) for s in counted}
    for subject in counted:
        ratio = ratios[subject.name]
        expr = f"{naming.error_ratio(min(tier_windows([subject.slo])))}{{{subject.labels}}}"
        told = f"count({expr} == {burn.literal(ratio)})"
        checks.append(Check(at, told, (("{}", "1"),), f"{subject.name} has a ratio all the same"))
    round_ = Round(tuple(counted), round_.readers)
    timelines: dict[str, Timeline] = {
        s.name: (Segment(at + MINUTE, ratios[s.name]),) for s in counted
    }
    yield _test(
        f"{names_of(counted)}: a counter that is not there yet",
        round_,
        timelines,
        checks,
        timing,
        without_part=True,
    )


def _test(
    name: str,
    round_: Round,
    timelines: dict[str, Timeline],
    checks: Sequence[Check],
    timing: burn.Timing,
    why: Sequence[str] = (),
    *,
    about: Sequence[Subject] = (),
    raw: bool = True,
    without_part: bool = False,
) -> UnitTest:
    interval = timing.scrape if raw else MINUTE
    series: dict[str, str] = {}
    for subject in round_.subjects:
        timeline = timelines[subject.name]
        others = [s for s in round_.subjects if s is not subject]
        for one, values in inputs(subject, others, timeline, interval, raw=raw):
            series.setdefault(one, values)
        if without_part and subject.fed is not None:
            # Whatever the part's query selects, errors or good events, has never been seen.
            for counter in filter(subject.fed.is_part, subject.fed.series):
                series.pop(str(counter), None)
    based = [s.name for s in round_.subjects if not raw or s.fed is None]
    note = [f"starts from the base pair: {', '.join(based)}"] if based else []
    origin = ", ".join(sorted({s.origin for s in about or round_.subjects}))
    return UnitTest(name, origin, (*why, *note), interval, tuple(series.items()), tuple(checks))


def _holds(at: Duration, series: str, subject: Subject, value: Fraction) -> Check:
    """Expect a value, to a millionth: floats differ between Prometheus 2.x and 3.x."""
    expr = f"abs({series}{{{subject.labels}}} / {burn.literal(value)} - 1) < bool 1e-6"
    why = f"{series} of {subject.name} is {burn.literal(value)}"
    return Check(at, f"count({expr} == 1)", (("{}", "1"),), why)


def _quiet_share(round_: Round) -> Fraction:
    """Choose a share of the budget's pace at which no tier fires: a quarter, unless one would."""
    factors = [
        burn.burn_factor(tier.budget_share, s.slo.period.nominal, tier.long_window)
        for s in round_.subjects
        for tier in s.slo.policy.tiers
    ]
    quarter, lowest = Fraction(1, 4), min(factors)
    return quarter if lowest > quarter else Fraction(round(lowest * 500), 1000) or lowest / 2


def _words(share: Fraction) -> str:
    return "a quarter" if share == Fraction(1, 4) else burn.literal(share)


def _none_fires(tenant: ResolvedTenant, round_: Round, at: Duration, share: Fraction) -> Check:
    names = f"{naming.ALERT_BURN}|{naming.ALERT_BUDGET_LOW}|{naming.ALERT_INTEGRITY}"
    if Fraction(max(budget_steps(tenant), default=0)) / 100 > 1 - share:
        names = f"{naming.ALERT_BURN}|{naming.ALERT_INTEGRITY}"
    fired = f'ALERTS{{alertname=~"{names}"}}'
    fired += f" or {naming.SHADOW_ALERT}" if round_.shadow else ""
    expr = f"count by (alertname, service, slo, tier) ({fired})"
    why = f"{_words(share)} of the pace that the budget allows"
    return Check(at, expr + round_.others_only, (), why)


def _tiers_above_pace(round_: Round) -> list[Tier]:
    """Give the tiers that no SLO of the round may fire at the budget's own pace."""
    tiers: dict[str, list[bool]] = {}
    by_name: dict[str, Tier] = {}
    for subject in round_.subjects:
        for tier in subject.slo.policy.tiers:
            above = subject.threshold(tier) > burn.error_budget(subject.slo.objective)
            tiers.setdefault(tier.name, []).append(above)
            by_name[tier.name] = tier
    return [by_name[name] for name, above in tiers.items() if all(above)]


def _detection(tier: Tier, history: Duration, times: Fraction) -> Fraction:
    """Milliseconds from a clean history to the threshold, at `times` the threshold."""
    window = Fraction(tier.long_window.ms)
    growing = Fraction(history.ms) / (times - 1)
    return growing if history.ms + growing <= window else window / times
