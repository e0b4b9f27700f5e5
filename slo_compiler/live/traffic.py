"""Are there enough events for the objective and the policy?"""

from __future__ import annotations

from fractions import Fraction

from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.live.client import DAY_SECONDS, Client, Sample
from slo_compiler.live.presence import find
from slo_compiler.live.selectors import CheckedSLO
from slo_compiler.plan import burn, reach
from slo_compiler.plan.guards import Guard, guards_of
from slo_compiler.plan.traffic import starved
from slo_compiler.render.base import events_expression
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema import Tier
from slo_compiler.templating import render_expression

_HOUR, _WHOLE = 3600, DAY_SECONDS * 0.95  # seconds: of too little history to report, and of a day


def measure(client: Client, subject: CheckedSLO) -> list[Sample] | None:
    """Count a day's events for each combination of the `by` labels; None if it is not known.

    Of an SLI that counts samples it need not be: there are as many as scrapes.
    """
    if subject.slo.spec.sli.body.extremes() is not None:
        return None
    found = [find(client, a.selector) for a in subject.asked if not a.errors]
    if not found or not all(f.now for f in found):
        return None
    span = min(f.look_back for f in found)
    events = events_expression(subject.tenant, subject.slo, subject.timing, span)
    if events is None:
        return None
    expr = render_expression("live/events", events=events, seconds=DAY_SECONDS)
    samples = client.vector(expr)
    known = _known(client, subject) if span.seconds > _HOUR else DAY_SECONDS
    if known < _HOUR:
        return None
    # A rate over a day is that of the whole day, of which young counters have only a part.
    scale = DAY_SECONDS / known if known < _WHOLE else 1
    return [Sample(sample.labels, sample.value * scale) for sample in samples]


def _known(client: Client, subject: CheckedSLO) -> float:
    """Return how many seconds of the last day have samples."""
    spans = [
        client.number(render_expression("live/first_seen", selector=used.selector)) or 0
        for used in subject.asked
        if not used.errors
    ]
    return min([DAY_SECONDS, *spans])


def check(client: Client, subject: CheckedSLO, report: Report) -> None:
    """Report where one error is an alert, where none can be, and where nothing happens."""
    traffic = measure(client, subject)
    if traffic is None:
        return
    busy = [sample for sample in traffic if sample.value > 0]
    if not busy:
        if not traffic and any(used.native for used in subject.asked):
            return  # no native histogram, which kinds.py reports
        report.warning(
            subject.slo.at("name"),
            "live-no-traffic",
            "no event was counted in the last day",
            "is this the traffic that users see? a probe would measure without them",
        )
        return
    lowest = min(busy, key=lambda sample: (sample.value, sorted(sample.labels.items())))
    _check_tiers(subject, lowest, report)
    period = Fraction(subject.slo.period.nominal.ms, 1000 * DAY_SECONDS)
    budget = Fraction(lowest.value) * period * burn.error_budget(subject.slo.objective)
    if budget < 1:
        report.warning(
            _objective(subject),
            "live-small-budget",
            f"of about {_per(lowest, subject.slo.period.nominal)} the budget is "
            f"{_number(float(budget))}, and the first one overspends it",
            "lower the objective, lengthen the period, or count more events",
        )


def _check_tiers(subject: CheckedSLO, lowest: Sample, report: Report) -> None:
    """Find the most urgent page that one error fires, and the tiers that require too much."""
    silent: list[tuple[Tier, Guard]] = []
    pages: list[tuple[Tier, Fraction]] = []
    for tier in subject.slo.tiers:
        events, threshold = _count(lowest, tier.long_window), reach.threshold(subject.slo, tier)
        if waiting := list(starved(subject.slo, tier, events)):
            silent.append((tier, max(waiting, key=lambda guard: guard.least)))
        elif tier.severity == "page" and events * threshold < 1 and _one_error(subject.slo, tier):
            pages.append((tier, threshold))
    if silent:
        names = ", ".join(f"{tier.name} ({tier.long_window})" for tier, _ in silent)
        tier, guard = silent[-1]
        report.warning(
            subject.slo.at("alerting", f"min_{guard.counted}"),
            "live-never-fires",
            f"{guard.words} are required, but there are about {_per(lowest, tier.long_window)}: "
            f"no alert of {names}",
            "require fewer, or lengthen the windows with a policy of your own",
        )
    if pages:
        tier, threshold = pages[0]
        report.warning(
            subject.slo.at("name"),
            "live-low-traffic",
            f"one error fires {tier.name}: there are about {_per(lowest, tier.long_window)}, "
            f"and its threshold is an error ratio of {burn.literal(threshold)}",
            "set alerting.min_errors, or count events of which there are more",
        )


def _one_error(slo: ResolvedSLO, tier: Tier) -> bool:
    """Whether no guard keeps one error from firing the tier."""
    return all(guard.least <= 1 for guard in guards_of(slo, tier) if guard.counted == "errors")


def _objective(subject: CheckedSLO) -> Position:
    return subject.slo.at("objective") if subject.slo.spec.objective else subject.slo.at("name")


def _count(lowest: Sample, span: Duration) -> float:
    return lowest.value * span.seconds / DAY_SECONDS


def _per(lowest: Sample, span: Duration) -> str:
    """Return how many events there are: `3.2 events in 1h for method="DELETE"`."""
    labels = ", ".join(f'{k}="{v}"' for k, v in sorted(lowest.labels.items()))
    return f"{_number(_count(lowest, span))} events in {span}{f' for {labels}' if labels else ''}"


def _number(value: float) -> str:
    """Round a count to what is known of it: two digits."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"  # noqa: PLR2004
