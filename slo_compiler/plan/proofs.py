"""Which unit tests prove a tenant's alerts: timelines of errors, and what must fire when.

The arithmetic is burn.py's. With a clean history of h at constant traffic, then errors at a
constant ratio e, the long window L holds the ratio e * t / min(L, h + t) after t, which exceeds the
threshold after t = threshold * h / (e - threshold), or L * threshold / e once the window is full.
After the errors stop, the short window S falls below it within S * (1 - threshold / e).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.manifest.model import Tier
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Check, TenantRules, UnitTest, UnitTestFile
from slo_compiler.plan.raw import Carries, RawSLI, Series, derive
from slo_compiler.plan.sli import base_rates
from slo_compiler.plan.tenant import escalation_waits, tier_windows
from slo_compiler.templating import promql_string

MINUTE = Duration.of(minutes=1)
FAST_UP_TO = Duration.of(hours=1)
EVENTS = 1_000_000  # per sample, so that small ratios are whole events and guards are met
_CLEAN, _GONE = Fraction(0), None


@dataclass(frozen=True, slots=True)
class _Subject:
    """An SLO under test."""

    slo: ResolvedSLO
    raw: RawSLI | None
    labels: str  # its identity, as it stands in a selector
    origin: str  # where it stands: tenants/customer-b.yaml:26

    @property
    def name(self) -> str:
        return f"{self.slo.spec.service}/{self.slo.spec.name}"

    def threshold(self, tier: Tier) -> Fraction:
        factor = burn.burn_factor(tier.budget_share, self.slo.period, tier.long_window)
        return burn.threshold(factor, self.slo.objective)

    def events(self) -> int:
        guards = self.slo.spec.alerting
        return max(EVENTS * (guards.min_errors or 1), guards.min_events or 1)


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of constant traffic with an error ratio; without one, the series are gone."""

    length: Duration
    error_ratio: Fraction | None
    idle: bool = False


Timeline = tuple[_Segment, ...]


@dataclass(frozen=True, slots=True)
class _Round:
    """SLOs that are tested in one run, because none reads another's counters."""

    subjects: tuple[_Subject, ...]
    readers: tuple[_Subject, ...]  # SLOs beside them that read their counters too

    @property
    def names(self) -> str:
        """The SLOs under test."""
        return _names(self.subjects)

    def firing(
        self, at: Duration, tier: Tier, firing: Sequence[_Subject], why: str, level: int = 1
    ) -> Check:
        """Expect the alerts of a tier from exactly these SLOs, and from no other of the tenant."""
        escalation = f'{naming.ESCALATION}="{level if level > 1 else ""}"'
        matchers = f'alertname="{naming.ALERT_BURN}",tier="{tier.name}",{escalation}'
        return self.alerts(at, matchers, firing, why)

    def alerts(self, at: Duration, matchers: str, firing: Sequence[_Subject], why: str) -> Check:
        """Expect alerts from exactly these SLOs."""
        expr = f'count by (service, slo) (ALERTS{{alertstate="firing",{matchers}}})'
        samples = tuple(
            (f'{{service="{s.slo.spec.service}", slo="{s.slo.spec.name}"}}', "1") for s in firing
        )
        return Check(at, expr + self.others_only, samples, why)

    @property
    def others_only(self) -> str:
        """What keeps the readers out of a check: they burn along, as they should."""
        return "".join(
            f" unless on (service, slo) {naming.INFO}{{{reader.labels}}}" for reader in self.readers
        )


def plan_proofs(
    tenant: ResolvedTenant, rules: TenantRules, timing: burn.Timing
) -> list[UnitTestFile]:
    """Plan the unit tests of a tenant, in one file for each evaluation interval."""
    subjects = [_subject(tenant, slo, timing) for slo in tenant.slos]
    tests: dict[Duration, list[UnitTest]] = {}
    for round_ in _rounds(subjects):
        tests.setdefault(MINUTE, []).extend(_steady(round_, timing))
        for group, tier in _groups(round_):
            evaluation = _evaluation(tier)
            test = _burst(tenant, round_, group, tier, evaluation, timing)
            tests.setdefault(evaluation, []).append(test)
        tests[MINUTE].extend(_missing(tenant, round_, timing))
        tests[MINUTE].extend(_absent(round_, timing))
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


def plan_isolation(
    tenants: Sequence[ResolvedTenant],
    rules: Sequence[TenantRules],
    timings: Sequence[burn.Timing],
) -> list[UnitTestFile]:
    """Plan the tests that no tenant hears of another: all rules in one run, some tenants burn.

    Each tenant has a number; in the run of a bit, those burn whose number has it, and in a second
    run those whose number has it not. Any two tenants differ in a bit, so that each is silent while
    the other burns, in 2 * log2(tenants) runs instead of one for each pair.
    """
    subjects = [
        [_subject(tenant, slo, timing) for slo in tenant.slos]
        for tenant, timing in zip(tenants, timings, strict=True)
    ]
    numbers = _numbers(subjects)
    files = []
    for bit in range(max(numbers, default=0).bit_length()):
        tests = []
        for burning in (1, 0):
            on = [number >> bit & 1 == burning for number in numbers]
            tests.append(_isolation_test(tenants, subjects, on, timings, bit))
        files.append(
            UnitTestFile(
                naming.isolation_test_file(bit),
                "That no tenant's alerts fire for another's errors",
                tuple(tenant.name for tenant in tenants),
                MINUTE,
                tuple(group.name for tenant in rules for group in tenant.groups),
                tuple(tests),
            )
        )
    return files


def _numbers(subjects: Sequence[Sequence[_Subject]]) -> list[int]:
    """Number the tenants; those whose queries read the same counters, as granted, share one."""
    numbers: list[int] = []
    for index, own in enumerate(subjects):
        shared = (
            numbers[other]
            for other in range(index)
            if any(_share(one, two) for one in own for two in subjects[other])
        )
        numbers.append(next(shared, max(numbers, default=-1) + 1))
    return numbers


def _isolation_test(
    tenants: Sequence[ResolvedTenant],
    subjects: Sequence[Sequence[_Subject]],
    burning: Sequence[bool],
    timings: Sequence[burn.Timing],
    bit: int,
) -> UnitTest:
    tiers = [tier for own in subjects for s in own for tier in s.slo.policy.tiers]
    windows = tier_windows(s.slo for own in subjects for s in own)
    settled = max(MINUTE * 12, max(burn.tile(w) for w in windows) + MINUTE * 2)
    at = settled + _rounded(max([tier.for_ or Duration(0) for tier in tiers]), MINUTE) + MINUTE
    interval = max(timing.scrape for timing in timings)
    series: dict[str, str] = {}
    for own, on in zip(subjects, burning, strict=True):
        for subject in own:
            timeline = (_Segment(at, Fraction(1 if on else 0)),)
            for one, values in _inputs(subject, [], timeline, interval, raw=True, decoys=False):
                series.setdefault(one, values)
    samples = tuple(
        (f'{{tenant="{tenant.name}"}}', str(sum(len(s.slo.policy.tiers) for s in own)))
        for tenant, own, on in zip(tenants, subjects, burning, strict=True)
        if on
    )
    expr = (
        "count by (tenant) (count by (tenant, service, slo, tier) (ALERTS{"
        f'alertstate="firing",alertname="{naming.ALERT_BURN}",{naming.ESCALATION}=""}}))'
    )
    names = [tenant.name for tenant, on in zip(tenants, burning, strict=True) if on]
    return UnitTest(
        f"only these tenants burn: {', '.join(names)}",
        "",
        (f"all of their tiers fire, and none of anybody else's (bit {bit})",),
        interval,
        tuple(series.items()),
        (Check(at, expr, samples, "exactly the tenants that burn"),),
    )


def _subject(tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing) -> _Subject:
    raw = None
    rates = base_rates(tenant, slo, timing.base_range, Report())
    if rates is not None:
        counts_errors = rates.template == "errors"
        raw = derive(
            rates.events,
            rates.errors,
            counts_errors=counts_errors,
            fills_in=rates.template != "errors_from_bucket",
            by=slo.by,
        )
    pairs = [
        (naming.TENANT, tenant.name),
        (naming.SERVICE, slo.spec.service),
        (naming.SLO, slo.spec.name),
    ]
    labels = ",".join(f"{k}={promql_string(v)}" for k, v in pairs)
    return _Subject(slo, raw, labels, f"{tenant.source.name}:{slo.at('name').line}")


def _rounds(subjects: Sequence[_Subject]) -> Iterator[_Round]:
    """Split the SLOs into rounds."""
    rounds: list[list[_Subject]] = []
    for subject in subjects:
        for round_ in rounds:
            if not any(_share(subject, other) for other in round_):
                round_.append(subject)
                break
        else:
            rounds.append([subject])
    for round_ in rounds:
        beside = (s for s in subjects if s not in round_)
        fed = [series for s in round_ if s.raw for series in s.raw.series]
        readers = (s for s in beside if s.raw and any(map(s.raw.reads, fed)))
        yield _Round(tuple(round_), tuple(readers))


def _share(one: _Subject, two: _Subject) -> bool:
    if one.raw is None or two.raw is None:
        return False
    own = [s for s in one.raw.series if s.carries is not Carries.NOISE]
    others = [s for s in two.raw.series if s.carries is not Carries.NOISE]
    return any(two.raw.reads(s) for s in own) or any(one.raw.reads(s) for s in others)


def _groups(round_: _Round) -> Iterator[tuple[list[_Subject], Tier]]:
    """Give the SLOs of a round that fire and reset at the same times, tier by tier."""
    groups: dict[tuple[object, ...], tuple[list[_Subject], Tier]] = {}
    for subject in round_.subjects:
        for tier in subject.slo.policy.tiers:
            capped = subject.threshold(tier) if subject.threshold(tier) * 2 > 1 else None
            key = (subject.slo.policy.name, tier.name, capped)
            groups.setdefault(key, ([], tier))[0].append(subject)
    yield from groups.values()


def _evaluation(tier: Tier) -> Duration:
    """Choose how often all rules are evaluated: a long window needs a coarse clock."""
    if tier.long_window <= FAST_UP_TO:
        return MINUTE
    return MINUTE * (5 if tier.long_window <= burn.TILED_ABOVE else 30)


# --- tests


def _steady(round_: _Round, timing: burn.Timing) -> Iterator[UnitTest]:
    """Constant error ratios: every window holds the same one, so that thresholds show exactly."""
    tiles = max(burn.tile(s.slo.period) for s in round_.subjects)
    settled = max(MINUTE * 12, tiles + MINUTE * 2)
    quarter = {s.name: burn.error_budget(s.slo.objective) / 4 for s in round_.subjects}
    checks = [_none_fires(round_, settled)]
    for subject in round_.subjects:
        left, rest = Fraction(3, 4), 3 * Fraction(subject.slo.period.ms, 1000)
        for series, value in ((naming.BUDGET_REMAINING, left), (naming.BUDGET_EXHAUSTION, rest)):
            checks.append(_holds(settled, series, subject, value))
    yield _test(
        f"{round_.names}: nothing fires at a quarter of the budget's pace; the budget is right",
        round_,
        {name: (_Segment(settled, ratio),) for name, ratio in quarter.items()},
        checks,
        timing,
    )
    tiles = max(burn.tile(w) for w in tier_windows(s.slo for s in round_.subjects))
    settled = max(MINUTE * 12, tiles + MINUTE * 2)
    pace = {s.name: burn.error_budget(s.slo.objective) for s in round_.subjects}
    silent = [
        round_.firing(settled, tier, [], "the budget's pace is within the objective")
        for tier in _tiers_above_pace(round_)
    ]
    if silent:
        yield _test(
            f"{round_.names}: at exactly the budget's pace no tier above it fires",
            round_,
            {name: (_Segment(settled, ratio),) for name, ratio in pace.items()},
            silent,
            timing,
        )
    yield from _just(round_, settled, timing)


def _just(round_: _Round, settled: Duration, timing: burn.Timing) -> Iterator[UnitTest]:
    """Just under a threshold a tier is silent, just over it fires."""
    for group, tier in _groups(round_):
        for part, word in ((Fraction(99, 100), "under"), (Fraction(101, 100), "over")):
            ratios = {s.name: s.threshold(tier) * part for s in group}
            if any(ratio > 1 for ratio in ratios.values()):
                continue
            wait = tier.for_ or Duration(0)
            at = settled + _rounded(wait, MINUTE) + MINUTE
            firing = group if word == "over" else []
            why = f"{burn.literal(part)} of the threshold, in both windows"
            yield _test(
                f"{_names(group)}: just {word} the threshold of {tier.name}",
                round_,
                {s.name: (_Segment(at, ratios.get(s.name, _CLEAN)),) for s in round_.subjects},
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
    round_: _Round,
    group: Sequence[_Subject],
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
    history = _rounded(max([tier.short_window, *smaller]), evaluation)
    detection = _detection(tier, history, times)
    reset = Fraction(tier.short_window.ms) * (1 - 1 / times)
    wait = tier.for_ or Duration(0)
    waits = [w for w in escalation_waits(tenant, tier.severity) if w <= history]
    lingering = _rounded(tier.short_window, evaluation) + evaluation * 2
    # Long enough that the long window stays above the threshold to the end, so that it is the
    # short one that ends the alert: e * B + 0.95 * threshold * l > threshold * (h + B + r + l).
    rest = reset + 3 * evaluation.ms + Fraction(lingering.ms) / 20
    needed = (history.ms + rest) / (times - 1)
    last = max([detection + wait.ms + w.ms for w in [Duration(0), *waits]])
    burn_for = _up(max(needed, last) + 3 * evaluation.ms, evaluation)
    stop = history + burn_for
    fires = Fraction(history.ms) + detection + wait.ms
    after = f"after {_minutes(detection)} of errors" + (
        f" and {wait} of waiting" if wait.ms else ""
    )
    checks = [
        round_.firing(_down(fires - evaluation.ms, evaluation), tier, [], "not yet"),
        round_.firing(_up(fires + evaluation.ms, evaluation), tier, group, after),
    ]
    for level, more in enumerate(waits, start=2):
        later = fires + more.ms
        step = evaluation.ms
        checks += [
            round_.firing(_down(later - step, evaluation), tier, [], f"not {more}", level),
            round_.firing(_up(later + step, evaluation), tier, group, f"for {more}", level),
        ]
    still = _down(Fraction(stop.ms) + reset - evaluation.ms, evaluation)
    if still.ms >= stop.ms:
        checks.append(
            round_.firing(still, tier, group, "the short window still holds too many errors")
        )
    over = _up(Fraction(stop.ms) + reset + evaluation.ms, evaluation)
    checks.append(round_.firing(over, tier, [], f"{_minutes(reset)} after the errors stopped"))
    end = over + lingering
    checks.append(round_.firing(end, tier, [], "0.95 of the threshold in the short window"))
    filled = history + _rounded(tier.short_window, evaluation) + evaluation * 2
    if filled <= stop:
        checks += [
            _holds(filled, naming.error_ratio(tier.short_window), s, s.threshold(tier) * times)
            for s in group
        ]
    why = [
        f"clean for {history}, errors for {burn_for}, none for {over - stop}, then a few",
        f"fires at e * t / min({tier.long_window}, {history} + t) > threshold, t = "
        + _minutes(detection),
        f"resets {tier.short_window} * (1 - threshold / e) = {_minutes(reset)} after the end",
        *(
            f"{s.name}: threshold {burn.literal(s.threshold(tier))}, "
            f"e = {burn.literal(s.threshold(tier) * times)}"
            for s in group
        ),
    ]
    burning = {s.name for s in group}
    timelines: dict[str, Timeline] = {
        s.name: (
            _Segment(history, _CLEAN),
            _Segment(burn_for, s.threshold(tier) * times if s.name in burning else _CLEAN),
            _Segment(over - stop, _CLEAN),
            _Segment(
                lingering + evaluation,
                s.threshold(tier) * Fraction(95, 100) if s.name in burning else _CLEAN,
            ),
        )
        for s in round_.subjects
    }
    name = f"{_names(group)}: {tier.name} fires and resets when predicted"
    raw = evaluation == MINUTE
    return _test(name, round_, timelines, checks, timing, why, about=group, raw=raw)


def _missing(tenant: ResolvedTenant, round_: _Round, timing: burn.Timing) -> Iterator[UnitTest]:
    """No traffic is not missing data; missing series are, those of the others notwithstanding."""
    idle = MINUTE * 15
    wait = min(slo.policy.spec.no_data_for for slo in tenant.slos)
    # The last two samples leave the base range one after the other; rate needs both.
    fires = Fraction(idle.ms) + timing.base_range.ms + wait.ms
    early, end = _down(fires - 2 * MINUTE.ms, MINUTE), _up(fires + 2 * MINUTE.ms, MINUTE)
    stays: Timeline = (_Segment(end + MINUTE, _CLEAN, idle=True),)
    goes: Timeline = (_Segment(idle, _CLEAN, idle=True), _Segment(end - idle + MINUTE, _GONE))
    for missing in (round_.subjects[0::2], round_.subjects[1::2]):
        if not missing:
            continue
        yield _test(
            f"{_names(missing)}: silent without traffic, an alert without data",
            round_,
            {s.name: goes if s in missing else stays for s in round_.subjects},
            [
                round_.alerts(
                    at, f'alertname="{naming.ALERT_NO_DATA}",{subject.labels}', firing, why
                )
                for subject in round_.subjects
                for at, firing, why in (
                    (idle, [], "no traffic, but the series are there"),
                    (early, [], f"not yet gone for {wait}"),
                    (end, [subject] if subject in missing else [], f"gone for {wait}, or not gone"),
                )
            ],
            timing,
            [f"series end at {idle}; the range of {timing.base_range} is empty a little later"],
            about=missing,
        )


def _absent(round_: _Round, timing: burn.Timing) -> Iterator[UnitTest]:
    """An errors counter that was never born is no errors; missing good events are all errors."""
    at = MINUTE * 5
    counted = [s for s in round_.subjects if s.raw and s.raw.fills_in]
    if not counted:
        return
    checks = []
    ratios = {s.name: Fraction(0 if s.raw and s.raw.counts_errors else 1) for s in counted}
    for subject in counted:
        ratio = ratios[subject.name]
        expr = f"{naming.error_ratio(min(tier_windows([subject.slo])))}{{{subject.labels}}}"
        told = f"count({expr} == {burn.literal(ratio)})"
        checks.append(Check(at, told, (("{}", "1"),), f"{subject.name} has a ratio all the same"))
    round_ = _Round(tuple(counted), round_.readers)
    timelines: dict[str, Timeline] = {
        s.name: (_Segment(at + MINUTE, ratios[s.name]),) for s in counted
    }
    yield _test(
        f"{_names(counted)}: a counter that is not there yet",
        round_,
        timelines,
        checks,
        timing,
        without_part=True,
    )


# --- parts of a test


def _test(
    name: str,
    round_: _Round,
    timelines: dict[str, Timeline],
    checks: Sequence[Check],
    timing: burn.Timing,
    why: Sequence[str] = (),
    *,
    about: Sequence[_Subject] = (),
    raw: bool = True,
    without_part: bool = False,
) -> UnitTest:
    interval = timing.scrape if raw else MINUTE
    series: dict[str, str] = {}
    for subject in round_.subjects:
        timeline = timelines[subject.name]
        others = [s.raw for s in round_.subjects if s is not subject and s.raw]
        for one, values in _inputs(subject, others, timeline, interval, raw=raw):
            series.setdefault(one, values)
        if without_part and subject.raw is not None:
            # Whatever the part's query selects, errors or good events, has never been seen.
            for counter in filter(subject.raw.is_part, subject.raw.series):
                series.pop(str(counter), None)
    based = [s.name for s in round_.subjects if not raw or s.raw is None]
    note = [f"starts from the base pair: {', '.join(based)}"] if based else []
    origin = ", ".join(sorted({s.origin for s in about or round_.subjects}))
    return UnitTest(name, origin, (*why, *note), interval, tuple(series.items()), tuple(checks))


def _inputs(
    subject: _Subject,
    others: Sequence[RawSLI],
    timeline: Timeline,
    interval: Duration,
    *,
    raw: bool,
    decoys: bool = True,
) -> Iterator[tuple[str, str]]:
    if raw and subject.raw is not None:
        for series in subject.raw.series:
            if series.carries is Carries.NOISE and not (
                decoys and not any(other.reads(series) for other in others)
            ):
                continue  # a decoy for one SLO must not feed another
            yield str(series), _counter(series, timeline, interval, subject.events())
        return
    # The label keeps these apart from what the base rules record in the same run.
    by = "".join(f',{label}="proof"' for label in subject.slo.by)
    labels = f'{subject.labels}{by},proof="base"'
    for counted in (naming.EVENTS_RATE, naming.ERRORS_RATE):
        values = []
        for segment in timeline:
            samples = segment.length.ms // interval.ms
            if segment.error_ratio is None:
                values.append(f"stale _x{samples - 1}")
                continue
            events = 0 if segment.idle else subject.events()
            part = segment.error_ratio if counted == naming.ERRORS_RATE else Fraction(1)
            values.append(f"{burn.literal(events * part)}x{samples - 1}")
        yield f"{counted}{{{labels}}}", " ".join(values)


def _counter(series: Series, timeline: Timeline, interval: Duration, events: int) -> str:
    """Write a counter's samples in promtool's notation: start+stepxcount."""
    value = Fraction(EVENTS)  # not from zero, where rate() extrapolates less far
    out = []
    for segment in timeline:
        samples = segment.length.ms // interval.ms
        if segment.error_ratio is None:
            out.append(f"stale _x{samples - 1}")
            continue
        part = {
            Carries.ALL: Fraction(1),
            Carries.ERRORS: segment.error_ratio,
            Carries.GOOD: 1 - segment.error_ratio,
            Carries.NOISE: Fraction(1),
        }[series.carries]
        step = Fraction(0) if segment.idle else events * part
        out.append(f"{burn.literal(value + step)}+{burn.literal(step)}x{samples - 1}")
        value += step * samples
    return " ".join(out)


def _holds(at: Duration, series: str, subject: _Subject, value: Fraction) -> Check:
    """Expect a value, to a millionth: floats differ between Prometheus 2.x and 3.x."""
    expr = f"abs({series}{{{subject.labels}}} / {burn.literal(value)} - 1) < bool 1e-6"
    why = f"{series} of {subject.name} is {burn.literal(value)}"
    return Check(at, f"count({expr} == 1)", (("{}", "1"),), why)


def _none_fires(round_: _Round, at: Duration) -> Check:
    names = f"{naming.ALERT_BURN}|{naming.ALERT_BUDGET_LOW}|{naming.ALERT_INTEGRITY}"
    expr = f'count by (alertname, service, slo, tier) (ALERTS{{alertname=~"{names}"}})'
    return Check(at, expr + round_.others_only, (), "a quarter of the pace that the budget allows")


def _tiers_above_pace(round_: _Round) -> list[Tier]:
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


def _names(subjects: Sequence[_Subject]) -> str:
    return ", ".join(s.name for s in subjects)


def _minutes(ms: Fraction) -> str:
    return f"{float(ms / 60_000):.2f}".rstrip("0").rstrip(".") + "m"


def _down(ms: Fraction, step: Duration) -> Duration:
    return Duration(floor(ms / step.ms) * step.ms)


def _up(ms: Fraction, step: Duration) -> Duration:
    return Duration(ceil(ms / step.ms) * step.ms)


def _rounded(span: Duration, step: Duration) -> Duration:
    return _up(Fraction(span.ms), step)
